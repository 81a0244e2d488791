"""Distances between the surfaces of two masks, in 2-D and 3-D, in mm.

Our definitions, because peers differ under the same names:

- **Surface**: the centres of the mask's pixels (voxels) that touch a pixel outside of it by an
  edge (a face). What lies outside the image is outside the mask. Every surface pixel counts 1.
- **HD**: largest distance from a surface pixel of either mask to the other surface.
- **HD95**: the 95th percentile (linear interpolation) of those distances in each direction; the
  larger of the two.
- **ASSD**: mean of the distances of both directions pooled.
- **Surface Dice** at a tolerance: share of the surface pixels of both masks, pooled, that lie
  within the tolerance (inclusive) of the other surface.

If one mask is empty there is no distance (nan) and the surface Dice is 0; if both are, there is no
distance and the surface Dice is 1, as for Dice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from overread.arrays import Bools, Floats
from overread.errors import InputError
from overread.geometry.masks import bounding_slices, check_same_shape


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distance of every surface pixel of each of two masks to the other's surface.

    Args:
        forward: (pixels,) from the first mask's surface to the second's; empty if undefined.
        backward: (pixels,) from the second mask's surface to the first's.
        undefined: why there are no distances; "" when there are.
    """

    forward: Floats
    backward: Floats
    undefined: str = ""

    @property
    def hd(self) -> float:
        """Hausdorff distance; nan if undefined."""
        if self.undefined:
            return float("nan")
        return float(max(self.forward.max(), self.backward.max()))

    @property
    def hd95(self) -> float:
        """Robust Hausdorff distance; nan if undefined."""
        return self.percentile(95.0)

    def percentile(self, percent: float) -> float:
        """Percentile of the distances in each direction, the larger of the two."""
        if self.undefined:
            return float("nan")
        return float(max(np.percentile(d, percent) for d in (self.forward, self.backward)))

    @property
    def assd(self) -> float:
        """Average symmetric surface distance; nan if undefined."""
        if self.undefined:
            return float("nan")
        total = self.forward.sum() + self.backward.sum()
        return float(total / (self.forward.size + self.backward.size))

    def surface_dice(self, tolerance: float) -> float:
        """Share of both surfaces within ``tolerance`` (in the unit of the spacing) of the other."""
        if self.undefined:
            return 1.0 if self.undefined == BOTH_EMPTY else 0.0
        # Distances are sums of squares: let 3 x 0.1 mm lie within 0.3 mm.
        limit = tolerance * (1 + 1e-9)
        near = np.count_nonzero(self.forward <= limit) + np.count_nonzero(self.backward <= limit)
        return float(near / (self.forward.size + self.backward.size))


BOTH_EMPTY = "both masks are empty: there is no surface to measure from"
ONE_EMPTY = "one mask is empty: there is no surface to measure to"


def surface_distances(
    first: Bools, second: Bools, *, spacing: Floats | None = None
) -> SurfaceDistances:
    """Measure the distances between the surfaces of two masks.

    Args:
        first, second: masks of one shape, 2-D or 3-D.
        spacing: (dims,) mm a pixel along each axis; None measures in pixels.
    Raises:
        InputError: masks that differ in shape, or a spacing that is not above 0.
    Source:
        Maier-Hein, Reinke et al. 2024, Nature Methods 21:195-212 (HD95, ASSD, NSD); Nikolov et
        al. 2021, J. Med. Internet Res. 23(7):e26151 (surface Dice at a tolerance).
    Example:
        >>> square = np.zeros((9, 9), dtype=bool)
        >>> square[2:5, 2:5] = True
        >>> surface_distances(square, np.roll(square, 2, axis=0), spacing=np.array([3.0, 1])).hd
        6.0
    """
    check_same_shape(first, second)
    step = _spacing(spacing, first.ndim)
    block = bounding_slices(first | second)
    if block is None:
        return SurfaceDistances(np.empty(0), np.empty(0), BOTH_EMPTY)
    one, two = boundary(first[block]), boundary(second[block])
    if not (one.any() and two.any()):
        return SurfaceDistances(np.empty(0), np.empty(0), ONE_EMPTY)
    return SurfaceDistances(_to_surface(one, two, step), _to_surface(two, one, step))


def boundary(mask: Bools) -> NDArray[np.bool_]:
    """Pixels of a mask that touch, by an edge (2-D) or a face (3-D), a pixel outside of it."""
    inner = np.asarray(mask, dtype=np.bool_).copy()
    for axis in range(mask.ndim):
        along, of = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        along[1:] &= of[:-1]
        along[:-1] &= of[1:]
        along[0] = along[-1] = False
    return np.asarray(mask & ~inner)


def _to_surface(here: Bools, there: Bools, step: Floats) -> Floats:
    """Distance of each true pixel of ``here`` to the nearest true pixel of ``there``."""
    at = np.argwhere(here)
    distance = np.zeros(len(at))
    away = ~there[tuple(at.T)]  # the shared pixels are at distance 0, and often the most
    if away.any():
        tree = KDTree(np.argwhere(there) * step)
        distance[away] = tree.query(at[away] * step)[0]
    return distance


def _spacing(spacing: Floats | None, dims: int) -> Floats:
    if spacing is None:
        return np.ones(dims)
    step = np.asarray(spacing, dtype=float)
    if step.shape != (dims,):
        raise InputError("spacing", f"have {dims} numbers, one an axis", step.shape)
    if not np.all(step > 0) or not np.isfinite(step).all():
        raise InputError("spacing", "be above 0 and finite", step.tolist())
    return step
