"""A drawing of a read as the path of an SVG, in the pixels of its image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools
from overread.labels import Reads
from overread.monitoring.rules import Annotation, drawings_of

_MOST_SIDE = 160  # samples a side that the border of a mask is drawn from


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """One drawing.

    Args:
        box: x1, y1, x2, y2 around it.
        path: of an SVG.
        frame: that it lies on, from 0.
    """

    box: tuple[float, float, float, float]
    path: str
    frame: int = 0


def drawn_path(reads: Reads, row: int, finding: int) -> DrawnPath | None:
    """One drawing of a read; None where there is none in this place.

    Args:
        row: of ``reads.index``.
        finding: its place in the read, from 1; of a mask the class's code.
    """
    for one in drawings_of(reads, row):
        if one.finding == finding:
            x1, y1, x2, y2 = (round(float(v), 2) for v in one.box)
            return DrawnPath((x1, y1, x2, y2), _path(one), one.frame)
    return None


def _path(one: Annotation) -> str:
    if one.mask is not None:
        left, top, right, bottom = (int(v) for v in one.box)
        return "".join(_border(one.mask[top:bottom, left:right], left, top))
    if one.outline is not None:
        return "M" + "L".join(f"{x:.6g} {y:.6g}" for x, y in one.outline.tolist()) + "z"
    x1, y1, x2, y2 = one.box.tolist()
    return f"M{x1:.6g} {y1:.6g}H{x2:.6g}V{y2:.6g}H{x1:.6g}z"


def _border(mask: Bools, left: int, top: int) -> Iterator[str]:
    """The edges between pixels of a mask and others, each run as a line of its own."""
    step = max(1, -(-max(mask.shape) // _MOST_SIDE))
    inside = np.pad(mask[::step, ::step], 1)
    for turned in (False, True):
        edge = (inside.T if turned else inside).astype(np.int8)
        changes = np.diff(edge, axis=0) != 0
        for at in np.flatnonzero(changes.any(axis=1)).tolist():
            ends = np.diff(np.concatenate([[0], changes[at].view(np.int8), [0]]))
            for begin, end in np.flatnonzero(ends).reshape(-1, 2).tolist():
                along, length, off = (begin - 1) * step, (end - begin) * step, at * step
                if turned:
                    yield f"M{left + off} {top + along}v{length}"
                else:
                    yield f"M{left + along} {top + off}h{length}"
