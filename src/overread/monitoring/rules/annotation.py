"""One drawing of a read, cut out of its image: pixels, what is inside, what belongs to others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from overread.arrays import Bools, Floats
from overread.errors import InputError
from overread.geometry.polygons import polygon, rasterise
from overread.labels import BoxReads, InstanceReads, MaskReads, Reads

Shape: TypeAlias = Literal["box", "outline", "mask"]
DrawnReads: TypeAlias = BoxReads | InstanceReads | MaskReads

_MARGIN = 0.6  # of the drawing's shorter side: room for a ring around it
_LEAST_MARGIN = 8
_MOST_SIDE = 160  # samples a crop side; larger crops are read at a stride
_MOST_MASK_SIDE = 800  # thin structures of a mask are lost by a stride


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """One drawing of a read.

    Args:
        read: row of the read table.
        finding: its place among the findings of the read, from 1; for masks the class's code.
        label: class code.
        shape: how it was drawn.
        box: (4,) x1, y1, x2, y2 around it, in pixels.
        outline: (points, 2) x, y of an outline, else None.
        mask: (rows, columns) of a mask's class, else None.
        frame: slice that is looked at; 0 in a plane image.
    """

    read: int
    finding: int
    label: int
    shape: Shape
    box: Floats
    outline: Floats | None = None
    mask: Bools | None = None
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """The surroundings of a drawing, at a stride where they are large.

    Args:
        pixels: (rows, columns, channels) float.
        inside: (rows, columns) of the drawing.
        others: (rows, columns) of the other drawings of the read.
        x, y: column and row of the crop's top-left sample in the image.
        stride: image pixels from sample to sample.
    """

    pixels: Floats
    inside: Bools
    others: Bools
    x: int
    y: int
    stride: int


def drawings_of(reads: Reads, row: int) -> Iterator[Annotation]:
    """The drawings of one read, in order; none of a read without drawings.

    Args:
        reads: of any kind; classes and scores have no drawings.
        row: of ``reads.index``.
    """
    if isinstance(reads, MaskReads):
        yield from _of_mask(reads, row)
    elif isinstance(reads, (BoxReads, InstanceReads)):
        boxes = reads.box if isinstance(reads, BoxReads) else None
        start, stop = np.searchsorted(reads.read, [row, row + 1])
        for place, at in enumerate(range(int(start), int(stop)), start=1):
            label = int(reads.label[at])
            if boxes is not None:
                yield Annotation(row, place, label, "box", boxes[at])
            elif isinstance(reads, InstanceReads):
                ring = reads.outline(at)
                box = np.concatenate([ring.min(axis=0), ring.max(axis=0)])
                yield Annotation(row, place, label, "outline", box, outline=ring)


def _of_mask(reads: MaskReads, row: int) -> Iterator[Annotation]:
    whole = reads.mask(row)
    if not whole.size:
        return
    for label in np.unique(whole[whole > 0]).tolist():
        drawn = whole == label
        frame = 0
        if drawn.ndim == 3:  # a volume is looked at in the slice that shows most of the class
            frame = int(drawn.sum(axis=(1, 2)).argmax())
            drawn = drawn[frame]
        down, across = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        box = np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], dtype=float)
        yield Annotation(row, int(label), int(label), "mask", box, mask=drawn, frame=frame)


def plane(image: NDArray[Any], frame: int = 0) -> Floats:
    """(rows, columns, channels) float of an image, or of one slice of a volume.

    Args:
        image: (rows, columns), (rows, columns, 3 or 4) or (slices, rows, columns).
    Raises:
        InputError: another number of axes.
    """
    return np.nan_to_num(channels(image, frame).astype(np.float64))


def channels(image: NDArray[Any], frame: int = 0) -> NDArray[Any]:
    """The same as :func:`plane` in the samples' own type, uncopied: for a few drawings on it."""
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        image = image[min(frame, image.shape[0] - 1)]
    if image.ndim not in (2, 3):
        raise InputError("image", "have rows and columns, or these and colours", image.shape)
    return image[..., None] if image.ndim == 2 else image[..., :3]


def cut_out(pixels: NDArray[Any], one: Annotation, others: list[Annotation]) -> Crop | None:
    """Cut one drawing out of its image; None where nothing of it lies on the image.

    Args:
        pixels: (rows, columns, channels), of :func:`plane` or :func:`channels`.
        others: the other drawings of the same read, whose pixels are no background.
    """
    rows, columns = pixels.shape[:2]
    side = one.box[2:] - one.box[:2]
    margin = max(_LEAST_MARGIN, _MARGIN * float(side.min()))
    x1, y1 = (max(0, math.floor(v - margin)) for v in one.box[:2])
    x2 = min(columns, math.ceil(one.box[2] + margin))
    y2 = min(rows, math.ceil(one.box[3] + margin))
    if x2 - x1 < 3 or y2 - y1 < 3:
        return None
    most = _MOST_MASK_SIDE if one.shape == "mask" else _MOST_SIDE
    stride = max(1, math.ceil(max(x2 - x1, y2 - y1) / most))
    window = slice(y1, y2, stride), slice(x1, x2, stride)
    inside = _filled(one, (x1, y1, x2, y2), stride)
    if not inside.any():
        return None
    taken = np.zeros_like(inside)
    for other in others:
        low, high = other.box[:2], other.box[2:]
        if low[0] < x2 and low[1] < y2 and high[0] > x1 and high[1] > y1:
            taken |= _filled(other, (x1, y1, x2, y2), stride)
    samples = np.nan_to_num(pixels[window].astype(np.float64))
    return Crop(samples, inside, taken & ~inside, x1, y1, stride)


def widened(one: Annotation, by: float, size: tuple[int, int]) -> Annotation:
    """The same drawing, drawn too wide.

    Args:
        by: part of its reach (a disc's radius, half the width of a line) that its contour moves
            outwards by.
        size: rows and columns of the image, at whose edges it is cut off.
    """
    rows, columns = size
    if one.shape == "box":
        middle, half = (one.box[:2] + one.box[2:]) / 2, (one.box[2:] - one.box[:2]) / 2
        corners = np.concatenate([middle - half * (1 + by), middle + half * (1 + by)])
        return replace(one, box=np.clip(corners, 0, [columns, rows, columns, rows]))
    if one.mask is not None:
        depth = ndimage.distance_transform_edt(np.pad(one.mask, 1))[1:-1, 1:-1]
        far = max(1.0, by * float(np.percentile(depth[one.mask], 95)) / _DISC)
        mask = ndimage.distance_transform_edt(~one.mask) <= far
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], dtype=float)
        return replace(one, mask=np.asarray(mask), box=box)
    shape: Any = polygon(np.empty((0, 2)) if one.outline is None else one.outline)
    reach = 2 * shape.area / max(shape.length, 1e-9)
    wide = shape.buffer(by * reach)
    if not wide.area > 0:  # an outline without area
        return one
    whole = max(shapely.get_parts(wide), key=lambda part: part.area)
    ring = np.clip(shapely.get_coordinates(whole.exterior)[:-1], 0, [columns, rows])
    return replace(one, outline=ring, box=np.concatenate([ring.min(axis=0), ring.max(axis=0)]))


_DISC = 0.78  # the 95th percentile of the depth in a disc, of its radius


def _filled(one: Annotation, window: tuple[int, int, int, int], stride: int) -> Bools:
    """(rows, columns) samples of a window that lie inside a drawing."""
    x1, y1, x2, y2 = window
    if one.mask is not None:
        return one.mask[y1:y2:stride, x1:x2:stride]
    ring = one.outline
    if ring is None:
        a, b, c, d = one.box
        ring = np.array([[a, b], [c, b], [c, d], [a, d]])
    size = len(range(y1, y2, stride)), len(range(x1, x2, stride))
    # the middle of sample k is at k + 0.5 in the window, and at stride k + 0.5 in the image
    return rasterise([(ring - (x1, y1) - 0.5) / stride + 0.5], size)
