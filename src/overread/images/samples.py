"""Types of stored samples: the narrowest that holds every value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHOLE = ("uint8", "int16", "uint16", "int32")


def narrowest(low: float, high: float, *, fractions: bool) -> str:
    """Narrowest stored type for values from ``low`` to ``high``.

    The type follows from the values alone, so that the same image has the same bytes whatever
    file it came from.
    """
    if not fractions:
        for name in _WHOLE:
            bounds = np.iinfo(name)
            if bounds.min <= low and high <= bounds.max:
                return name
    return "float32"


def tidy(frame: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """A frame of whole or finite 32-bit samples, and how many samples were not finite.

    Values beyond 32 bits become fractions; what is not finite becomes the lowest finite value.
    """
    if frame.dtype.kind == "b":
        return frame.astype(np.uint8), 0
    if frame.dtype.kind in "iu":
        return frame, 0
    with np.errstate(over="ignore"):
        narrow = frame.astype(np.float32)
    finite = np.isfinite(narrow)
    lost = int(narrow.size - np.count_nonzero(finite))
    if lost:
        lowest = narrow[finite].min() if lost < narrow.size else np.float32(0)
        narrow = np.where(finite, narrow, lowest)
    return narrow, lost
