"""Why a file is not taken, in words that hold no identifier."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from overread.errors import OverreadError

Cause: TypeAlias = Literal[
    "not an image", "not supported", "missing part", "damaged", "too large", "too slow", "crash",
    "unsafe path",
]  # fmt: skip
CAUSES: tuple[Cause, ...] = get_args(Cause)


class RefusedError(OverreadError):
    """One file cannot become a case.

    Args:
        cause: one of ``CAUSES``.
        reason: a sentence from our own words and numbers; never a text of the file, whose
            values can name a patient.
    """

    def __init__(self, cause: Cause, reason: str) -> None:
        self.cause: Cause = cause
        self.reason = reason
        super().__init__(reason)
