"""Boxes from what a U-Net painted: a peak of the middles each, with the sides told there.

Source:
    Zhou, Wang, Krähenbühl (2019) Objects as points. arXiv:1904.07850.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, gaussian_filter, label, maximum_filter

from overread.geometry.boxes import iou_matrix
from overread.learn.unet_file import Maps, UnetAbout

LEAST_PIXELS = 12
"""Of a piece, as the network sees it, that becomes a box or an outline."""
LEAST_MIDDLE = 0.2
"""Of a peak that becomes a box."""
SAME = 0.3
"""Of two boxes that overlap with this IoU or more, the better one alone is kept."""
_APART = 5  # pixels: the window in which one peak stands

Scored = list[tuple[dict[str, Any], float]]
Found = tuple[NDArray[Any], int, float]
"""x1, y1, x2, y2 in the small image, the class's place among the classes, and how sure."""


def scored_boxes(maps: Maps, size: tuple[int, int], about: UnetAbout, frame: int = 0) -> Scored:
    """Boxes, each with how sure the network is of it, the surest first.

    Args:
        size: rows and columns of the image.
    """
    if about.middles:
        found = _of_peaks(maps)
    else:
        found = [_grown(one, about.shrink) for one in _pieces(maps.sure)[1]]
    across = size[1] / maps.sure.shape[2], size[0] / maps.sure.shape[1]
    made: Scored = []
    for corners, code, score in found:
        x1, y1, x2, y2 = (
            round(float(np.clip(side * across[at % 2], 0, size[1 - at % 2])), 2)
            for at, side in enumerate(corners)
        )
        if x1 < x2 and y1 < y2:
            key = f"{about.question}-{frame}-{len(made) + 1}"
            sides = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            made.append(({"id": key, "class": about.classes[code], "frame": frame, **sides}, score))
    return made


def _of_peaks(maps: Maps) -> list[Found]:
    """Where a piece has one peak alone, its own corners are nearer the truth than those told."""
    if maps.middle is None or maps.sides is None:
        return []
    smooth: Any = gaussian_filter(maps.middle, 1)
    top: Any = maximum_filter(smooth, _APART)
    rows, columns = np.nonzero((smooth == top) & (smooth >= LEAST_MIDDLE))
    sure = maps.sure[1:, rows, columns]
    code, score = sure.argmax(axis=0), smooth[rows, columns] * sure.max(axis=0)
    half = maps.sides[:, rows, columns].T / 2
    reach = np.maximum(1, half.min(axis=1) / 2).astype(int).tolist()
    peaks = zip(rows.tolist(), columns.tolist(), reach, strict=True)
    middles = np.array([_middle(maps.middle, *at) for at in peaks]).reshape(-1, 2)
    corners = np.hstack([middles - half, middles + half])
    kept = _the_best(corners, np.argsort(-score, kind="stable"))
    number, pieces = _pieces(maps.sure)
    home = number[rows, columns]
    shared = np.bincount(home[kept], minlength=len(pieces) + 1)
    made: list[Found] = []
    for at in kept:
        one: Found = (corners[at], int(code[at]), float(score[at]))
        if home[at] and shared[home[at]] == 1:
            painted = pieces[home[at] - 1]
            one = (painted[0], painted[1], painted[2] * float(np.sqrt(score[at])))
        made.append(one)
    return sorted(made, key=lambda one: -one[2])


def _middle(middle: NDArray[Any], row: int, column: int, reach: int) -> tuple[float, float]:
    """x, y: where the weight of the middles around a peak lies."""
    rows = slice(max(0, row - reach), row + reach + 1)
    columns = slice(max(0, column - reach), column + reach + 1)
    weight = np.asarray(middle[rows, columns], float) ** 2
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    at = float((weight * x).sum()), float((weight * y).sum())
    whole = float(weight.sum())
    return at[0] / whole + columns.start, at[1] / whole + rows.start


def _the_best(corners: NDArray[Any], order: NDArray[Any]) -> list[int]:
    """Of boxes that are the same, the first in the order."""
    kept: list[int] = []
    over = iou_matrix(corners, corners)
    for at in order.tolist():
        if not kept or over[at, kept].max() < SAME:
            kept.append(at)
    return kept


def _pieces(sure: NDArray[Any]) -> tuple[NDArray[np.int64], list[Found]]:
    """What hangs together of each class: (rows, columns) its number, from 1, and each piece."""
    codes, top = sure.argmax(axis=0), sure.max(axis=0)
    number = np.zeros(codes.shape, dtype=np.int64)
    made: list[Found] = []
    for code in range(len(sure) - 1):
        parts: Any = label(codes == code + 1)[0]
        for at, where in enumerate(find_objects(parts), start=1):
            inside = parts[where] == at
            if np.count_nonzero(inside) < LEAST_PIXELS:
                continue
            rows, columns = where
            corners = np.array([columns.start, rows.start, columns.stop, rows.stop], float)
            made.append((corners, code, float(top[where][inside].mean())))
            number[where][inside] = len(made)
    return number, made


def _grown(piece: Found, shrink: float) -> Found:
    """The whole box, of the middle of which a network without middles painted a share."""
    corners, code, score = piece
    middle, half = (corners[:2] + corners[2:]) / 2, (corners[2:] - corners[:2]) / 2 / shrink
    return np.concatenate([middle - half, middle + half]), code, score
