"""One spelling for every value: canonical JSON, times, digests, text both databases hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from overread.errors import InputError

_HEX_DIGITS = 64


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Write a time as ISO 8601 in UTC with microseconds: as text it sorts as time does.

    Raises:
        InputError: the time has no zone.
    """
    if at.tzinfo is None:
        raise InputError("clock", "give times with a zone", "a time without one")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical_json(name: str, value: object) -> str:
    r"""Write a value as JSON in its one spelling: keys sorted, no spaces, ASCII.

    Non-ASCII text is escaped, so that NUL and lone surrogates, which PostgreSQL refuses, pass.

    Raises:
        InputError: the value is not JSON (NaN, infinity, a foreign type).
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(name, "be JSON without NaN or infinity", type(value).__name__) from error


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def plain_text(name: str, value: str, *, longest: int = 500, empty: bool = False) -> str:
    """Check a text that goes into a column of its own.

    Raises:
        InputError: not text, empty, too long, or with characters no database column holds.
    """
    if not isinstance(value, str):
        raise InputError(name, "be text", type(value).__name__)
    if not value.strip() and not empty:
        raise InputError(name, "not be empty", "an empty text")
    if len(value) > longest:
        raise InputError(name, f"have at most {longest} characters", len(value))
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise InputError(name, "be valid Unicode without NUL", "a text that is not")
    return value


def hash_text(name: str, value: str) -> str:
    """Check a SHA-256 in lower-case hex.

    Raises:
        InputError: it is something else.
    """
    if (
        not isinstance(value, str)
        or len(value) != _HEX_DIGITS
        or set(value) - set("0123456789abcdef")
    ):
        raise InputError(name, "be a SHA-256 of 64 lower-case hex digits", "something else")
    return value


def whole_number(name: str, value: int, *, low: int, high: int) -> int:
    """Check a whole number in [low, high].

    Raises:
        InputError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(name, f"be a whole number of {low} to {high}", value)
    return value


def json_object(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Check a mapping with text keys, and copy it.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(name, "be an object with text keys", type(value).__name__)
    return dict(value)
