"""What a lead chooses on the page of learning, kept as a new version of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from overread.app.study.project_protocol import new_version, protocol_of
from overread.errors import InputError
from overread.protocol import Question
from overread.protocol.edit import with_learning
from overread.protocol.learning import DRAWN, KINDS, Learning
from overread.store import Store

_PERCENT = ("random_share", "held_back", "target")
_WHOLE = ("batch", "most_labels")
_SECONDS = ("read_seconds", "review_seconds")
_MAY_BE_NONE = ("target", "rule", "read_seconds", "most_labels")


def learnable(store: Store, project: str) -> list[Question]:
    """Questions that a model can learn to answer, or whose cases can be put in order."""
    return [
        one
        for one in protocol_of(store, project).protocol.questions
        if one.kind in (*KINDS, *DRAWN)
    ]


def keep_wishes(store: Store, project: str, given: Mapping[str, str], *, by: str) -> bool:
    """Keep other wishes as a new version of the protocol; labels stay as they are.

    Args:
        given: of a form: names of :class:`Learning`, shares in percent; "" for none.
        by: the user's id.
    Returns:
        Whether anything changed.
    Raises:
        InputError: a field that breaks a rule (:class:`ProtocolError` names them all).
        ConflictError: somebody saved another version meanwhile.
    """
    now = protocol_of(store, project)
    before = now.protocol.learning or Learning(given.get("question", ""))
    change: dict[str, Any] = {key: _value(key, text) for key, text in given.items()}
    wanted = replace(before, **change)
    if wanted == now.protocol.learning:
        return False
    new_version(store, project, with_learning(now.text, wanted), base=now.version, by=by)
    return True


def _value(key: str, text: str) -> object:
    text = text.strip()
    if key in _MAY_BE_NONE and not text:
        return None
    if key in _WHOLE:
        if not (text.isascii() and text.isdecimal() and len(text) < 9):
            raise InputError(key.replace("_", " "), "be a whole number", repr(text[:20]))
        return int(text)
    if key in _PERCENT or key in _SECONDS:
        try:
            number = float(text)
        except ValueError as error:
            raise InputError(key.replace("_", " "), "be a number", repr(text[:20])) from error
        if number - number != 0:
            raise InputError(key.replace("_", " "), "be a number", text[:20])
        return round(number / 100, 6) if key in _PERCENT else number
    return text[:40]
