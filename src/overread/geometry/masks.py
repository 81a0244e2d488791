"""Masks: overlap, volume and bounding box, of dense arrays and of run lengths.

Two empty masks agree: their IoU and Dice are 1 by our convention (medpy says 1, MONAI nan,
SimpleITK infinity). One empty mask against one that is not has IoU and Dice 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError


def iou(first: Bools, second: Bools) -> float:
    """Intersection over union of two masks of one shape; 1 where both are empty.

    Raises:
        InputError: the masks differ in shape.
    """
    check_same_shape(first, second)
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 1.0


def dice(first: Bools, second: Bools) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|) of two masks; 1 where both are empty.

    Raises:
        InputError: the masks differ in shape.
    Example:
        >>> dice(np.array([[True, True, False]]), np.array([[False, True, True]]))
        0.5
    """
    check_same_shape(first, second)
    total = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * int(np.count_nonzero(first & second)) / total if total else 1.0


def volume(mask: Bools, spacing: Floats | None = None) -> float:
    """Size of a mask: mm^2 (2-D) or mm^3 (3-D) with a spacing, else pixels."""
    cell = 1.0 if spacing is None else float(np.prod(spacing))
    return int(np.count_nonzero(mask)) * cell


def overlap_ratio(
    common: Floats | Ints, first: Floats | Ints, second: Floats | Ints
) -> tuple[Floats, Floats]:
    """IoU and Dice from counts of pixels; 1 where both masks are empty.

    Args:
        common, first, second: (...) pixels of the intersection and of either mask.
    Returns:
        (...) IoU, (...) Dice.
    """
    total = np.asarray(first + second, dtype=float)
    union = total - common
    iou_of = np.divide(common, union, out=np.ones_like(total), where=union > 0)
    dice_of = np.divide(2.0 * common, total, out=np.ones_like(total), where=total > 0)
    return iou_of, dice_of


def class_overlap(first: Ints, second: Ints, n_classes: int) -> NDArray[np.int64]:
    """Pixels by the class that each of two masks gives them.

    Args:
        first, second: class codes in ``0 .. n_classes-1``, of one shape.
    Returns:
        (n_classes, n_classes) ``overlap[a, b]`` pixels that are a in the first, b in the second.
    """
    check_same_shape(first, second)
    flat = first.reshape(-1).astype(np.int64) * n_classes + second.reshape(-1)
    return np.bincount(flat, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_overlap_of_runs(
    first: tuple[Ints, Ints], second: tuple[Ints, Ints], n_classes: int
) -> NDArray[np.int64]:
    """As :func:`class_overlap`, from run lengths: costs the number of runs, not of pixels.

    Args:
        first, second: (runs,) class codes and (runs,) lengths of masks of one size.
    Example:
        >>> one, two = (np.array([0, 1]), np.array([3, 2])), (np.array([0, 1]), np.array([4, 1]))
        >>> class_overlap_of_runs(one, two, 2).tolist()
        [[3, 0], [1, 1]]
    """
    ends = [np.cumsum(length, dtype=np.int64) for _, length in (first, second)]
    stops = np.union1d(ends[0], ends[1])
    length = np.diff(stops, prepend=0)
    a = first[0][np.searchsorted(ends[0], stops)].astype(np.int64)
    b = second[0][np.searchsorted(ends[1], stops)]
    counts = np.bincount(a * n_classes + b, weights=length, minlength=n_classes**2)
    return np.rint(counts).astype(np.int64).reshape(n_classes, n_classes)


def bounding_slices(mask: NDArray[Any]) -> tuple[slice, ...] | None:
    """Smallest block that holds every pixel that is not 0; None where there is none."""
    block = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        used = np.flatnonzero(mask.any(axis=others))
        if not used.size:
            return None
        block.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(block)


def check_same_shape(first: NDArray[Any], second: NDArray[Any]) -> None:
    """Refuse two masks that differ in shape."""
    if first.shape != second.shape:
        raise InputError("masks", f"have one shape, {first.shape}", second.shape)
