"""Between answers and what a U-Net paints: boxes to ellipses and back, masks to codes and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from overread.learn.unet_shape import Unet, UnetAbout, resized, scale_of

LEAST_PIXELS = 12
"""Of a piece, as the network sees it, that becomes a box."""


def target_of(
    value: Sequence[Mapping[str, Any]], size: tuple[int, int], frame: int, about: UnetAbout
) -> NDArray[np.int64]:
    """What the network shall paint of an answer: (rows, columns) codes of the small image.

    Args:
        value: boxes, or masks as runs.
        size: rows and columns of the image.
    """
    scale = scale_of(size, about)
    if about.kind == "box":
        return _ellipses([one for one in value if one["frame"] == frame], size, scale, about)
    codes = np.zeros(size, dtype=np.int64)
    for one in value:
        if one["frame"] == frame:
            runs = np.asarray(one["runs"], dtype=np.int64).reshape(-1, 2)
            codes = np.repeat(runs[:, 0], runs[:, 1]).reshape(size)
    return resized(codes, scale, order=0)


def answer_of(
    unet: Unet, image: NDArray[Any], frame: int = 0
) -> tuple[list[dict[str, Any]], float]:
    """What a network proposes for a frame, in the form of an answer, and how sure it is.

    Sure is the mean probability of what was painted; where nothing was, that of the background.
    """
    sure = unet.probabilities(image)
    codes, top = sure.argmax(axis=0), sure.max(axis=0)
    painted = codes > 0
    confidence = float(top[painted].mean() if painted.any() else top.mean())
    size = int(image.shape[0]), int(image.shape[1])
    if unet.about.kind == "box":
        return [one for one, _ in scored_boxes(sure, size, unet.about, frame)], confidence
    return _masks(codes, size, frame), confidence


def _ellipses(
    boxes: Sequence[Mapping[str, Any]], size: tuple[int, int], scale: float, about: UnetAbout
) -> NDArray[np.int64]:
    shape = [max(1, round(n * scale)) for n in size]
    across = shape[1] / size[1], shape[0] / size[0]
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    codes = np.zeros(shape, dtype=np.int64)
    large_first = sorted(boxes, key=lambda b: -(b["x2"] - b["x1"]) * (b["y2"] - b["y1"]))
    for one in large_first:
        left, right = (one[side] * across[0] for side in ("x1", "x2"))
        top, bottom = (one[side] * across[1] for side in ("y1", "y2"))
        wide = max(about.shrink * (right - left) / 2, 1.0)
        high = max(about.shrink * (bottom - top) / 2, 1.0)
        apart = ((x - (left + right) / 2) / wide) ** 2 + ((y - (top + bottom) / 2) / high) ** 2
        codes[apart <= 1] = about.classes.index(one["class"]) + 1
    return codes


def scored_boxes(
    sure: NDArray[Any], size: tuple[int, int], about: UnetAbout, frame: int = 0
) -> list[tuple[dict[str, Any], float]]:
    """Pieces of each class, grown back to the boxes that they are the middle of.

    Args:
        sure: (classes + 1, rows, columns) probabilities.
        size: rows and columns of the image.
    Returns:
        Each box with the mean probability of its piece.
    """
    codes, top = sure.argmax(axis=0), sure.max(axis=0)
    across = size[1] / codes.shape[1], size[0] / codes.shape[0]
    made: list[tuple[dict[str, Any], float]] = []
    for code, name in enumerate(about.classes, start=1):
        pieces, count = label(codes == code)
        pixels = np.bincount(pieces.ravel(), minlength=count + 1)
        for at, (rows, columns) in enumerate(find_objects(pieces), start=1):
            if pixels[at] < LEAST_PIXELS:
                continue
            x1, x2 = _grown(columns.start, columns.stop, across[0], size[1], about.shrink)
            y1, y2 = _grown(rows.start, rows.stop, across[1], size[0], about.shrink)
            sides = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
            key = f"{about.question}-{frame}-{len(made) + 1}"
            score = float(top[rows, columns][pieces[rows, columns] == at].mean())
            made.append(({"id": key, "class": name, "frame": frame, **sides}, score))
    return made


def _grown(first: int, last: int, across: float, most: int, shrink: float) -> tuple[float, float]:
    middle, half = (first + last) / 2 * across, (last - first) / 2 * across / shrink
    low, high = max(0.0, middle - half), min(float(most), middle + half)
    return round(low, 2), round(high, 2)


def _masks(codes: NDArray[Any], size: tuple[int, int], frame: int) -> list[dict[str, Any]]:
    if not codes.any():
        return []
    rows = np.minimum((np.arange(size[0]) * codes.shape[0]) // size[0], codes.shape[0] - 1)
    columns = np.minimum((np.arange(size[1]) * codes.shape[1]) // size[1], codes.shape[1] - 1)
    flat = codes[np.ix_(rows, columns)].ravel()
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    runs = [[int(flat[a]), int(b - a)] for a, b in pairwise(edges.tolist())]
    return [{"frame": frame, "rows": size[0], "columns": size[1], "runs": runs}]
