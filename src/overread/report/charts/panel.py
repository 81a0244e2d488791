"""A case drawn on an empty canvas: what each reader marked, and the consensus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import numpy as np

from overread.arrays import Bools, Floats
from overread.report.charts.drawing import slim
from overread.report.content import Panel, Shape
from overread.report.theme import colour, reader_colour

_LONG_SIDE = 320.0
_HEAT_SIDE = 64
_SLICES_WIDE = 400.0
_GAP, _CAPTION = 8.0, 22.0  # between slices, and below them
_FONT = 'font-size="11" font-family="Helvetica, Arial, DejaVu Sans, sans-serif"'


def panel(content: Panel) -> str:
    """Draw the shapes of all readers in their colours and the consensus in white, dashed.

    Images bring no pixels into a report; the canvas has the image's proportions. Slices of a
    volume stand side by side, each with its number.
    """
    if content.share is not None and content.share.ndim == 3:
        return _slices(content, content.share)
    scale = _LONG_SIDE / max(content.width, content.height, 1e-9)
    width, height = (max(side * scale, 1.0) for side in (content.width, content.height))
    parts = [_canvas(width, height)]
    if content.share is not None and content.share.size:
        parts.append(_heat(content.share, width, height))
    ordered = sorted(content.shapes, key=lambda shape: shape.reader < 0)  # the consensus on top
    parts += [_shape(shape, scale) for shape in ordered]
    return _drawing(width, height, parts)


def _slices(content: Panel, share: Floats) -> str:
    n = max(len(share), 1)
    columns = max(n, min(3, content.of_slices))  # two slices are drawn as large as three
    wide = (_SLICES_WIDE - (columns - 1) * _GAP) / columns
    scale = min(wide / max(content.width, 1e-9), _LONG_SIDE / max(content.height, 1e-9))
    width, height = (max(side * scale, 1.0) for side in (content.width, content.height))
    parts = []
    for place, (one, number) in enumerate(zip(share, content.slices, strict=True)):
        words = f"slice {number} of {content.of_slices}"
        left = place * (width + _GAP)
        parts.append(
            f'<g transform="translate({left:.1f} 0)">{_canvas(width, height)}'
            f"{_heat(one, width, height)}"
            f'<text x="{width / 2:.1f}" y="{height + 15:.1f}" text-anchor="middle" {_FONT} '
            f'fill="{colour("ink")}">{words}</text></g>'
        )
    return _drawing(n * width + (n - 1) * _GAP, height + _CAPTION, parts)


def _canvas(width: float, height: float) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {size} shape-rendering="crispEdges" fill="{colour("raised")}"/>'


def _drawing(width: float, height: float, parts: list[str]) -> str:
    return slim(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}">{"".join(parts)}</svg>'
    )


def _shape(shape: Shape, scale: float) -> str:
    points = shape.point * scale
    if len(points) == 2:
        (x1, y1), (x2, y2) = points
        points = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + "Z"
    consensus = shape.reader < 0
    ink = colour("ink") if consensus else reader_colour(shape.reader)
    dash = ' stroke-dasharray="5 3"' if consensus else ""
    outline = (
        f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="2" '
        f'stroke-linejoin="round"{dash}/>'
    )
    return outline + (_caption(shape, points) if consensus else "")


def _caption(shape: Shape, points: Floats) -> str:
    words = shape.label
    if math.isfinite(shape.probability):
        words = f"{words} {shape.probability:.2f}".strip()
    if not words:
        return ""
    x, y = float(points[:, 0].min()), float(points[:, 1].min())
    return (
        f'<text x="{x + 2:.1f}" y="{max(y - 4, 11):.1f}" {_FONT} '
        f'fill="{colour("ink")}">{escape(words)}</text>'
    )


def _heat(share: Floats, width: float, height: float) -> str:
    """Share of readers a pixel: opacity of the accent, at most 64 cells a side.

    Cells have whole coordinates and the group is scaled: two that touch share one edge to the last
    bit. Rounded each for itself, one edge became two, with a seam or an overlap between them.
    """
    step = max(1, math.ceil(max(share.shape) / _HEAT_SIDE))
    coarse = np.round(_coarse(share, step) * 8).astype(np.int64)
    paths = []
    for level in np.unique(coarse[coarse > 0]).tolist():
        runs = "".join(_runs(coarse == level))
        paths.append(f'<path d="{runs}" fill-opacity="{level / 8 * 0.8:.2f}"/>')
    if not paths:
        return ""
    scale = f"{width * step / share.shape[1]:.6g} {height * step / share.shape[0]:.6g}"
    return (
        f'<g transform="scale({scale})" shape-rendering="crispEdges" fill="{colour("heat")}">'
        f"{''.join(paths)}</g>"
    )


def _runs(cells: Bools) -> Iterator[str]:
    """Rectangles of cells that stand side by side in a row."""
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.r_[0, line.astype(np.int8), 0]))
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield f"M{a} {row}h{b - a}v1h{a - b}z"


def _coarse(share: Floats, step: int) -> Floats:
    rows, columns = (math.ceil(n / step) for n in share.shape)
    padded = np.zeros((rows * step, columns * step))
    padded[: share.shape[0], : share.shape[1]] = share
    return np.asarray(padded.reshape(rows, step, columns, step).mean(axis=(1, 3)))
