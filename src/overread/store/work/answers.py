"""What a reader said, checked as far as the store must: the protocol's own rules are above it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from overread.errors import InputError
from overread.store.canonical import canonical_json, json_object, plain_text


@dataclass(frozen=True, slots=True)
class Said:
    """A checked answer, the answer itself as canonical JSON text."""

    answer: str
    cannot_be_read: bool
    ask_a_senior: bool
    comment: str
    seconds: float

    def columns(self) -> dict[str, Any]:
        """The columns that reads and drafts share."""
        return asdict(self)


def said(
    answer: Mapping[str, Any],
    cannot_be_read: bool,
    ask_a_senior: bool,
    comment: str,
    seconds: float,
) -> Said:
    """Check what a reader said.

    Raises:
        InputError: not an object, not JSON, a comment too long, seconds negative or not finite.
    """
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        raise InputError("seconds", "be a number of at least 0", seconds)
    for name, flag in (("cannot_be_read", cannot_be_read), ("ask_a_senior", ask_a_senior)):
        if not isinstance(flag, bool):
            raise InputError(name, "be true or false", type(flag).__name__)
    return Said(
        canonical_json("answer", json_object("answer", answer)),
        cannot_be_read,
        ask_a_senior,
        plain_text("comment", comment, longest=10_000, empty=True),
        float(seconds),
    )
