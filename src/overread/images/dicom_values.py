"""Values of a hostile data set: a sound one, or nothing."""

from __future__ import annotations

import math
import re
from typing import Any, TypeAlias

Dataset: TypeAlias = Any  # pydicom is an extra; its data set is passed through

_NOT_CODE = re.compile(r"[^A-Z0-9 _]")
_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e]")


def value(dataset: Dataset | None, keyword: str) -> Any:
    """Value of an element, None where it is missing, empty or cannot be parsed."""
    if dataset is None:
        return None
    try:
        found = dataset.get(keyword)
    except Exception:  # noqa: BLE001 - pydicom parses on access; a hostile value raises anything
        return None
    return None if isinstance(found, str) and not found.strip() else found


def numbers(dataset: Dataset | None, keyword: str) -> tuple[float, ...]:
    """All finite numbers of an element; () if one of them is none."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    many = found if isinstance(found, (list, tuple)) or hasattr(found, "append") else [found]
    try:
        result = tuple(float(one) for one in many)
    except (TypeError, ValueError, OverflowError):
        return ()
    return result if all(math.isfinite(one) for one in result) else ()


def number(dataset: Dataset | None, keyword: str) -> float | None:
    """First number of an element."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def whole(dataset: Dataset | None, keyword: str, default: int) -> int:
    """First number of an element where it is a whole one."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else default


def texts(dataset: Dataset | None, keyword: str) -> tuple[str, ...]:
    """All texts of an element, stripped."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    many = found if not isinstance(found, str) and hasattr(found, "append") else [found]
    return tuple(str(one).strip() for one in many)


def text(dataset: Dataset | None, keyword: str) -> str:
    """First text of an element, "" if missing."""
    found = texts(dataset, keyword)
    return found[0] if found else ""


def code(dataset: Dataset | None, keyword: str) -> str:
    """A code string of at most 16 capitals, digits, space and underscore; "" if it is none.

    Free text is not taken: it can name a patient.
    """
    found = text(dataset, keyword).upper()
    return "" if len(found) > 16 or _NOT_CODE.search(found) else found


def printable(dataset: Dataset | None, keyword: str) -> str:
    """A short text of printable ASCII."""
    return _NOT_PRINTABLE.sub("", text(dataset, keyword))[:64].strip()


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """Items of a sequence, [] if there is none."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, (str, bytes, int, float)):
        return []
    try:
        return [item for item in found if hasattr(item, "get")]
    except TypeError:
        return []


def first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """First item of a sequence."""
    found = items(dataset, keyword)
    return found[0] if found else None
