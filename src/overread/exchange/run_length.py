"""Run-length codes of masks: COCO's (plain and compressed) and Kaggle's, in and out.

All count pixels column by column (Fortran order). COCO writes the lengths of the runs, zeros
first; its compressed form packs each length, less the one two before it from the fourth on, into
characters of five bits. Kaggle writes pairs "start length" with starts counted from 1.

Source:
    cocodataset/cocoapi, common/maskApi.c (rleToString, rleFrString); the format is reproduced
    here from its description, not its code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools
from overread.errors import InputError

_FIRST_CHARACTER = 48
_MOST_COUNTS = 1 << 28


def coco_counts(mask: Bools) -> list[int]:
    """Lengths of the runs of a (rows, columns) mask, column by column, zeros first.

    Example:
        >>> coco_counts(np.array([[False, True], [False, True]]))
        [2, 2]
    """
    flat = np.asarray(mask, dtype=np.bool_).reshape(-1, order="F")
    edges = np.flatnonzero(np.diff(np.r_[np.zeros(1, np.bool_), flat].view(np.int8)))
    return np.diff(np.r_[0, edges, flat.size]).tolist() if flat.size else [0]


def mask_of_counts(counts: Sequence[int] | NDArray[Any], shape: tuple[int, int]) -> Bools:
    """(rows, columns) mask of COCO's run lengths.

    Raises:
        InputError: a negative or broken length, or runs that do not fill the shape.
    """
    try:
        lengths = np.array(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("run lengths", "be whole numbers", "other values") from error
    if lengths.ndim != 1 or np.any(lengths < 0) or np.any(lengths != np.round(lengths)):
        raise InputError("run lengths", "be a list of whole numbers of 0 or more", "others")
    total, wanted = float(lengths.sum()), shape[0] * shape[1]
    if total != wanted:
        rule = f"add up to the {wanted} pixels of {shape[0]} rows x {shape[1]} columns"
        raise InputError("run lengths", rule, f"{total:g}")
    value = np.arange(lengths.size) % 2 == 1
    return np.repeat(value, lengths.astype(np.int64)).reshape(shape, order="F")


def compress_counts(counts: Sequence[int]) -> str:
    """COCO's compressed form of run lengths.

    Example:
        >>> compress_counts([6, 1, 40, 4, 5, 4, 5, 4, 21])
        '61X13mN000`0'
    """
    text: list[str] = []
    for place, count in enumerate(counts):
        left = int(count) - (int(counts[place - 2]) if place > 2 else 0)
        more = True
        while more:
            bits = left & 0x1F
            left >>= 5
            more = left != (-1 if bits & 0x10 else 0)
            text.append(chr(_FIRST_CHARACTER + (bits | (0x20 if more else 0))))
    return "".join(text)


def expand_counts(text: str) -> list[int]:
    """Run lengths of COCO's compressed form.

    Raises:
        InputError: a character that the code has not, or a number that does not end.
    """
    counts: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - _FIRST_CHARACTER
        if not 0 <= bits < 64 or shift > 60:
            raise InputError("compressed run lengths", "be COCO's characters", "others")
        number |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            number -= 1 << shift
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number = shift = 0
    if shift:
        raise InputError("compressed run lengths", "end with a whole number", "half a number")
    return counts


def mask_of_pairs(text: str, shape: tuple[int, int], *, order: str = "F") -> Bools:
    """(rows, columns) mask of Kaggle's "start length start length ...", starts from 1.

    Args:
        order: "F" counts column by column (Kaggle's way), "C" row by row.
    Raises:
        InputError: an odd number of numbers, runs that overlap or leave the image.
    Example:
        >>> mask_of_pairs("1 2 4 1", (2, 2)).astype(int).tolist()
        [[1, 0], [1, 1]]
    """
    try:
        values = np.array([int(part) for part in text.split()], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise InputError("run lengths", "be whole numbers", "other text") from error
    if values.size % 2:
        raise InputError("run lengths", 'be pairs "start length"', f"{values.size} numbers")
    start, length = values[::2] - 1, values[1::2]
    wanted = shape[0] * shape[1]
    if np.any(start < 0) or np.any(length <= 0) or np.any(length > wanted):
        raise InputError("run lengths", "have starts and lengths of 1 or more", "less, or too much")
    end = start + length
    if values.size and int(end.max()) > wanted:
        rule = f"stay within the {wanted} pixels of {shape[0]} rows x {shape[1]} columns"
        raise InputError("run lengths", rule, int(end.max()))
    by_start = np.argsort(start, kind="stable")
    if np.any(start[by_start][1:] < end[by_start][:-1]):
        raise InputError("run lengths", "not overlap each other", "two runs on one pixel")
    step = np.zeros(wanted + 1, dtype=np.int8)
    np.add.at(step, start, 1)
    np.add.at(step, end, -1)
    flat = np.cumsum(step[:-1], dtype=np.int8).astype(np.bool_)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def pairs_of_mask(mask: Bools) -> str:
    """Kaggle's "start length ..." of a (rows, columns) mask, column by column."""
    counts = coco_counts(mask)
    starts = np.cumsum(np.r_[0, counts])[1:-1:2] + 1
    return " ".join(f"{s} {n}" for s, n in zip(starts.tolist(), counts[1::2], strict=True))
