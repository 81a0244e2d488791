"""Latents of several encoders as one: each reduced to its main axes, each with the same say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError
from overread.selection.basis import blocks

_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Values on their main axes, scaled to a total variance of 1.

    Not standardised one by one: latents that are main axes already would lose their order, and
    noise would have the say of signal.

    Args:
        centre: (values,) taken off; ``axes`` (values, latents) with all scales in it.
    """

    centre: Floats
    axes: Floats


def reduction_of(rows: NDArray[Any], *, size: int = 128) -> Reduction:
    """Learn the main axes of a table, block by block.

    Args:
        rows: (images, values), finite; may lie in a file.
        size: axes at most.
    Source:
        Jolliffe 2002, Principal Component Analysis.
    """
    if rows.ndim != 2 or 0 in rows.shape or size < 1:
        raise InputError("latents", "be a table (images, values), not empty", rows.shape)
    few = 2 * len(rows) <= rows.shape[1]  # their own plane is small: no (values, values) is solved
    centre, value, vector = _plane_of(rows) if few else _axes_of(rows)
    value, vector = np.maximum(value[:size], 0), vector[:, :size]
    keep = value > 1e-9 * max(float(value.max(initial=0)), 1e-30)
    keep[0] = True
    vector = vector[:, keep]
    vector = vector * np.where(vector[np.abs(vector).argmax(axis=0), range(keep.sum())] < 0, -1, 1)
    say = np.sqrt(float(value[keep].sum())) or 1.0
    return Reduction(centre, vector / say)


def _plane_of(rows: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Mean, variances and axes, the widest first, of fewer images than values."""
    start = np.asarray(rows[0], dtype=np.float64)
    apart = _finite(np.asarray(rows, dtype=np.float64) - start)
    mean = apart.mean(axis=0)
    _, reach, across = np.linalg.svd(apart - mean, full_matrices=False)
    return start + mean, reach**2 / len(rows), across.T


def _axes_of(rows: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Mean, variances and axes, the widest first."""
    centre, spread = _moments(rows)
    value, vector = np.linalg.eigh(spread)
    order = np.argsort(-value, kind="stable")
    return centre, value[order], vector[:, order]


def _moments(rows: NDArray[Any]) -> tuple[Floats, Floats]:
    """Mean and covariance, read in blocks."""
    width = rows.shape[1]
    # about the first row: a large common offset would cost digits
    start = np.asarray(rows[0], dtype=np.float64)
    total, square = np.zeros(width), np.zeros((width, width))
    for block in blocks(len(rows), _BLOCK):
        part = _finite(np.asarray(rows[block], dtype=np.float64) - start)
        total += part.sum(axis=0)
        square += part.T @ part
    mean = total / len(rows)
    return start + mean, square / len(rows) - np.outer(mean, mean)


def _finite(part: Floats) -> Floats:
    if not np.isfinite(part).all():
        remedy = "Leave out the images that have vanished."
        raise InputError("latents", "be finite", "nan or infinity", remedy=remedy)
    return part


def reduced(rows: NDArray[Any], reduction: Reduction) -> NDArray[np.float32]:
    """(images, values) to (images, latents), block by block."""
    if rows.ndim != 2 or rows.shape[1] != len(reduction.centre):
        rule = f"have {len(reduction.centre)} values an image"
        raise InputError("latents", rule, rows.shape)
    found = np.empty((len(rows), reduction.axes.shape[1]), dtype=np.float32)
    for block in blocks(len(rows), _BLOCK):
        part = np.asarray(rows[block], dtype=np.float64)
        found[block] = (part - reduction.centre) @ reduction.axes
    return found


def join(parts: Sequence[NDArray[Any]], *, size: int = 128) -> NDArray[np.float32]:
    """Latents of a chain of encoders side by side.

    Args:
        parts: (images, values) of each encoder, in the same order of images.
        size: axes that each encoder keeps at most.
    Returns:
        (images, latents): each part on its main axes, with total variance 1.
    Raises:
        InputError: no part, or parts of different lengths.
    """
    if not parts or len({len(part) for part in parts}) != 1:
        raise InputError("parts", "have one row an image each", [len(part) for part in parts])
    return np.hstack([reduced(part, reduction_of(part, size=size)) for part in parts])
