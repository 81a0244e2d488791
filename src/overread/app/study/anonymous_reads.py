"""Reads without their readers: letters, findings numbered anew, no names in comments."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from overread.app.study.next_tasks import flags_of
from overread.store import ReadRow, Store, list_members, list_users

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What reads are called, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A read without its reader. Args: letter: "A" to "Z"."""

    letter: str
    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str


def telling_names(store: Store, project: str) -> list[str]:
    """Words that would tell a reader: names, parts of names and addresses of all accounts."""
    members = {one.reader for one in list_members(store, project)}
    found: set[str] = set()
    for one in list_users(store):
        found |= {one.email, one.email.split("@", maxsplit=1)[0], one.name}
        if one.id in members:
            found |= set(one.name.split())
    return sorted((one for one in found if len(one) > 1), key=len, reverse=True)


def without_names(text: str, names: Sequence[str]) -> str:
    """A comment with every name in it as an ellipsis."""
    if not names:
        return text
    pattern = "|".join(re.escape(one) for one in names)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", "…", text, flags=re.IGNORECASE)


def anonymous(at: int, read: ReadRow, names: Sequence[str]) -> Anonymous:
    """A read as a senior sees it. Args: at: its place; names: of :func:`telling_names`."""
    made = anonymous_answer(at, read.answer, read.cannot_be_read)
    return replace(made, flags=flags_of(read), comment=without_names(read.comment, names))


def anonymous_answer(at: int, said: Mapping[str, Any], cannot_be_read: bool) -> Anonymous:
    """An answer as a senior sees it, without a word of who gave it, or how."""
    answer = copy.deepcopy(dict(said))
    letter = LETTERS[at % len(LETTERS)]
    count = 0
    for value in answer.values():
        for one in value if isinstance(value, list) else ():
            if isinstance(one, dict) and "id" in one:
                count += 1
                one["id"] = f"{letter}{count}"
    flags = {"cannot_be_read": cannot_be_read, "ask_a_senior": False}
    return Anonymous(letter, answer, flags, "")
