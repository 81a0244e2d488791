"""What a U-Net painted as an answer: masks, boxes, outlines."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.learn.unet_boxes import scored_boxes
from overread.learn.unet_file import Unet
from overread.learn.unet_outlines import scored_outlines


def answer_of(
    unet: Unet, image: NDArray[Any], frame: int = 0
) -> tuple[list[dict[str, Any]], float]:
    """What a network proposes for a frame, in the form of an answer, and how sure it is.

    Sure is the mean probability of what was painted; where nothing was, that of the background.
    """
    maps = unet.maps(image)
    codes, top = maps.sure.argmax(axis=0), maps.sure.max(axis=0)
    painted = codes > 0
    confidence = float(top[painted].mean() if painted.any() else top.mean())
    size = int(image.shape[0]), int(image.shape[1])
    if unet.about.kind == "mask":
        return _masks(codes, size, frame), confidence
    scored = scored_boxes if unet.about.kind == "box" else scored_outlines
    return [one for one, _ in scored(maps, size, unet.about, frame)], confidence


def _masks(codes: NDArray[Any], size: tuple[int, int], frame: int) -> list[dict[str, Any]]:
    if not codes.any():
        return []
    rows = np.minimum((np.arange(size[0]) * codes.shape[0]) // size[0], codes.shape[0] - 1)
    columns = np.minimum((np.arange(size[1]) * codes.shape[1]) // size[1], codes.shape[1] - 1)
    flat = codes[np.ix_(rows, columns)].ravel()
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])
    runs = [[int(flat[a]), int(b - a)] for a, b in pairwise(edges.tolist())]
    return [{"frame": frame, "rows": size[0], "columns": size[1], "runs": runs}]
