"""A set of classes as one label: a text that is the same for the same set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from overread.errors import InputError

NOTHING = "none of them"


def set_text(names: Iterable[str], classes: Sequence[str]) -> str:
    """A set as a text: a JSON list in the order of the question.

    Args:
        names: in the set; those that the question no longer has stand behind the others.
        classes: of the question.
    """
    there = set(names)
    known = [one for one in classes if one in there]
    return json.dumps(known + sorted(there - set(known)), ensure_ascii=False)


def names_in(text: str) -> tuple[str, ...]:
    """The classes of a text of :func:`set_text`.

    Raises:
        InputError: another text.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InputError("set of classes", "be a JSON list of their names", text[:40])
    return tuple(found)


def set_words(text: str) -> str:
    """A set as people read it."""
    return ", ".join(names_in(text)) or NOTHING
