"""Outlines from what a U-Net painted: pieces parted where they touch, and traced.

Each middle is a marker from which its piece is flooded up to the valleys between findings; the
border of a piece goes through the middles of its pixels' edges and loses the points that a reader
would not miss.

Source:
    Beucher & Lantuéjoul (1979) Use of watersheds in contour detection (the flood).
    Douglas & Peucker (1973) Cartographica 10(2):112-122 (fewer points).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import find_objects, gaussian_filter, grey_dilation, label

from overread.geometry.polygons import mask_polygon, rings_of
from overread.learn.unet_boxes import LEAST_PIXELS, Scored
from overread.learn.unet_file import Maps, UnetAbout

MARKER = 0.5
"""From here on a middle is the marker of a finding."""
_OFF = 1.0  # pixels that a border may move when it loses points;
_OFF_SHARE = 0.05  # but no more than this share of the root of the area
_LEVELS = 16  # of the flood
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)


def scored_outlines(maps: Maps, size: tuple[int, int], about: UnetAbout, frame: int = 0) -> Scored:
    """Outlines, each with the mean probability of its pixels.

    Args:
        size: rows and columns of the image.
    """
    across = np.array([size[1] / maps.sure.shape[2], size[0] / maps.sure.shape[1]])
    pieces = parted(maps)
    pixels = np.bincount(pieces.ravel())
    made: Scored = []
    for at, where in enumerate(find_objects(pieces), start=1):
        if pixels[at] < LEAST_PIXELS:
            continue
        inside = pieces[where] == at
        sure = maps.sure[1:, where[0], where[1]][:, inside].mean(axis=1)
        code = int(sure.argmax())
        low = np.array([where[1].start, where[0].start])
        points = [[round(x, 2), round(y, 2)] for x, y in ((traced(inside) + low) * across).tolist()]
        key = f"{about.question}-{frame}-{len(made) + 1}"
        one = {"id": key, "class": about.classes[code], "frame": frame, "points": points}
        made.append((one, float(sure[code])))
    return made


def parted(maps: Maps) -> NDArray[np.int32]:
    """(rows, columns) the number of the finding of each pixel, from 1; 0 is the background."""
    painted = maps.sure.argmax(axis=0) > 0
    if maps.middle is None or not painted.any():
        return np.asarray(label(painted)[0], dtype=np.int32)
    middle: Any = gaussian_filter(maps.middle, 1)
    marks, count = label((middle >= MARKER) & painted)
    whole, pieces = label(painted)
    marked = np.zeros(pieces + 1, dtype=bool)
    marked[whole[marks > 0]] = True
    alone = painted & ~marked[whole]  # too thin for a marker: a finding as it is
    marks = np.where(alone, whole + count, marks)
    for level in np.linspace(MARKER, 0, _LEVELS):
        marks = _flooded(marks, painted & ((middle >= level) | (level == 0)))
    found = np.unique(marks[marks > 0])
    return np.searchsorted(np.concatenate([[0], found]), marks).astype(np.int32)


def _flooded(marks: NDArray[Any], open_: NDArray[np.bool_]) -> NDArray[Any]:
    """Marks grown by a pixel at a time over what is open, until nothing more is reached."""
    while True:
        grown: Any = grey_dilation(marks, footprint=_CROSS)
        fresh = open_ & (marks == 0) & (grown > 0)
        if not fresh.any():
            return marks
        marks = np.where(fresh, grown, marks)


def traced(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(points, 2) x, y of the border of the largest part; holes are filled."""
    rings = [part[0] for part in rings_of(mask_polygon(inside))]
    largest = max(rings, key=lambda ring: shapely.Polygon(ring).area)
    steps = shapely.get_coordinates(shapely.segmentize(shapely.Polygon(largest).exterior, 1.0))
    halfway = shapely.Polygon((steps[:-1] + steps[1:]) / 2)
    simpler = shapely.simplify(halfway, min(_OFF, _OFF_SHARE * halfway.area**0.5))
    return np.asarray(shapely.get_coordinates(simpler.exterior)[:-1], dtype=float)
