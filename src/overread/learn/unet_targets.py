"""What a U-Net shall paint of an answer: classes, and of findings their middles and sides.

Findings that touch merge into one where pixels have a class alone. So each pixel of a finding is
told as well how near its middle it is: 1 there, 0 at the border, so that between two that touch
there is a valley. Pixels of a box are told its width and height, so that it is known from its
middle alone, wherever its neighbours end.

Source:
    Zhou, Wang, Krähenbühl (2019) Objects as points. arXiv:1904.07850 (boxes by middle and sides).
    Schmidt, Weigert, Broaddus, Myers (2018) Cell detection with star-convex polygons. MICCAI
    (the distance to the border, as a share of the largest, tells cells that touch apart).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from overread.geometry.masks import bounding_slices
from overread.geometry.polygons import rasterise
from overread.learn.unet_file import SIDE, UnetAbout, resized, scale_of


def target_of(
    value: Sequence[Mapping[str, Any]], size: tuple[int, int], frame: int, about: UnetAbout
) -> NDArray[np.float32]:
    """What the network shall paint of an answer.

    Args:
        value: boxes, outlines, or masks as runs.
        size: rows and columns of the image.
    Returns:
        (1 + further, rows, columns) of the small image: codes of classes; then, of boxes and
        outlines, the middles; then, of boxes, logarithms of width and height.
    """
    scale, here = scale_of(size, about), [one for one in value if one["frame"] == frame]
    if about.kind == "mask":
        return _codes(here, size, scale)
    shape = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    across = np.array([shape[1] / size[1], shape[0] / size[0]])
    painted = np.zeros((1 + about.further, *shape), dtype=np.float32)
    shapes = [_shape(one, across) for one in here]
    for at in sorted(range(len(here)), key=lambda at: -_area(shapes[at])):
        code = about.classes.index(here[at]["class"]) + 1
        _paint(painted, code, shapes[at], boxes=about.kind == "box")
    return painted


def _codes(
    here: Sequence[Mapping[str, Any]], size: tuple[int, int], scale: float
) -> NDArray[np.float32]:
    codes = np.zeros(size, dtype=np.int64)
    for one in here:
        runs = np.asarray(one["runs"], dtype=np.int64).reshape(-1, 2)
        codes = np.repeat(runs[:, 0], runs[:, 1]).reshape(size)
    return resized(codes, scale, order=0).astype(np.float32)[None]


def _shape(one: Mapping[str, Any], across: NDArray[Any]) -> NDArray[Any]:
    """(points, 2) x, y in the small image; of a box two corners."""
    corners = one["points"] if "points" in one else [[one["x1"], one["y1"]], [one["x2"], one["y2"]]]
    made: NDArray[Any] = np.asarray(corners, dtype=float) * across
    return made


def _area(points: NDArray[Any]) -> float:
    """Of the box around: the large are painted first, what lies on them after."""
    return float(np.prod(np.ptp(points, axis=0)))


def _paint(painted: NDArray[Any], code: int, points: NDArray[Any], *, boxes: bool) -> None:
    """One finding, on those before: its class is on top, the higher middle stays."""
    middle = _of_box(points, painted.shape[1:]) if boxes else _of_outline(points, painted.shape[1:])
    painted[0][middle > 0] = code
    nearer = middle > painted[1]
    painted[1][nearer] = middle[nearer]
    if boxes:
        sides = np.log(np.maximum(np.ptp(points, axis=0), 1.0) / SIDE)
        painted[2:, nearer] = sides[:, None]


def _of_box(corners: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A cone over the ellipse in a box; a box of less than a pixel has one pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    (left, top), (right, bottom) = corners
    wide, high = max((right - left) / 2, 1.0), max((bottom - top) / 2, 1.0)
    apart = np.hypot((x - (left + right) / 2) / wide, (y - (top + bottom) / 2) / high)
    made: NDArray[Any] = np.clip(1 - apart, 0, 1)
    return made


def _of_outline(points: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Distance to the border as a share of the largest; a finding of no pixel has one."""
    inside = rasterise([points], (shape[0], shape[1]))
    if not inside.any():
        column, row = np.clip(points.mean(axis=0).astype(int), 0, [shape[1] - 1, shape[0] - 1])
        inside[row, column] = True
    made, where = np.zeros(shape), bounding_slices(inside) or ()
    far: Any = distance_transform_edt(np.pad(inside[where], 1))
    made[where] = far[1:-1, 1:-1] / far.max()
    return made
