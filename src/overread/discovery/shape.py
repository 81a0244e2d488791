"""Pictures as discovery looks at them, and boxes from a heat map: a cut, pieces, their frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_opening, find_objects, gaussian_filter, label, zoom

from overread.arrays import Bools, Floats
from overread.errors import InputError

Picture: TypeAlias = NDArray[np.float64]
"""(rows, columns) grey or (rows, columns, 3) colour, in 0 .. 1."""

SIDE = 160
"""Pixels of the longer side of what is looked at."""

_STEPS = 256


@dataclass(frozen=True, slots=True)
class Region:
    """A place that stands out.

    Args:
        x1, y1, x2, y2: in pixels of the image; (0, 0) is the outer corner of the first one.
        score: mean of the heat map within it, 0 to 1.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    score: float


def picture_of(image: NDArray[Any]) -> Picture:
    """An image small, and in 0 .. 1: grey ones between their 0.5th and 99.5th percentile.

    Args:
        image: (rows, columns) of any numbers, or (rows, columns, 3) of 0 .. 255.
    Raises:
        InputError: another shape, no pixels, or numbers that are not finite.
    """
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        raise InputError("image", "be rows x columns, or rows x columns x 3", image.shape)
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError("image", "have finite pixels", "a pixel that is not")
    small = _small(values)
    if image.ndim == 3:
        return np.asarray(np.clip(small / 255.0, 0, 1))
    low, high = np.percentile(small, [0.5, 99.5])
    return np.asarray(np.clip((small - low) / max(high - low, 1e-12), 0, 1))


def is_colour(picture: Picture) -> bool:
    """Whether a picture has colours: three channels that are not everywhere alike."""
    return picture.ndim == 3 and bool(np.ptp(picture, axis=2).mean() > 0.01)


def grey_of(picture: Picture) -> Picture:
    """The picture without its colours."""
    return picture if picture.ndim == 2 else picture @ np.array([0.299, 0.587, 0.114])


def _small(values: Floats) -> Floats:
    """Means of square blocks, then a fine step of interpolation."""
    block = max(1, max(values.shape[:2]) // SIDE)
    rows, columns = (max(1, n // block) for n in values.shape[:2])
    if block > 1 and min(values.shape[:2]) >= block:
        cut = values[: rows * block, : columns * block]
        values = cut.reshape(rows, block, columns, block, *values.shape[2:]).mean(axis=(1, 3))
    factor = SIDE / max(values.shape[:2])
    if factor < 1:
        values = zoom(values, (factor, factor) + (1,) * (values.ndim - 2), order=1)
    return values


def spread(values: Floats) -> Floats:
    """A map stretched to 0 .. 1; zeros where it is flat."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high - low > 1e-12 else np.zeros_like(values)


def otsu(values: Floats) -> float:
    """The cut of values in 0 .. 1 with the greatest variance between its two sides.

    Source: Otsu (1979) IEEE Trans SMC 9(1):62-66.
    """
    counts, edges = np.histogram(values, bins=_STEPS, range=(0.0, 1.0))
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = sums / below - (sums[-1] - sums) / above
    between = np.where((below > 0) & (above > 0), below * above * apart**2, -1.0)
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float(edges[1:][best].mean())


def regions(
    heat: Floats, size: tuple[int, int], *, most: int = 3, least_share: float = 0.002
) -> list[Region]:
    """The largest pieces of a heat map above its Otsu cut, largest first.

    Args:
        heat: (rows, columns) in 0 .. 1.
        size: rows and columns of the image that the boxes are for.
        most: regions at most.
        least_share: of the map that a piece covers at least.
    """
    if np.ptp(heat) < 1e-9:
        return []
    hot: Bools = heat > otsu(heat)
    opened = binary_opening(hot, iterations=2)
    if opened.any():
        hot = opened
    pieces, count = label(hot)
    if not count:
        return []
    area = np.bincount(pieces.ravel())[1:]
    frames = find_objects(pieces)
    scale = size[0] / heat.shape[0], size[1] / heat.shape[1]
    found: list[Region] = []
    for at in np.argsort(-area, kind="stable")[:most].tolist():
        if area[at] < least_share * heat.size:
            break
        rows, columns = frames[at]
        score = float(heat[pieces == at + 1].mean())
        y1, y2 = rows.start * scale[0], rows.stop * scale[0]
        x1, x2 = columns.start * scale[1], columns.stop * scale[1]
        found.append(Region(x1, y1, x2, y2, score))
    return found


def smooth(values: Floats, share: float) -> Floats:
    """A map blurred by a share of its longer side."""
    return gaussian_filter(values, share * max(values.shape), mode="nearest")
