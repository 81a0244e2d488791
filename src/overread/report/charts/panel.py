"""A case drawn on an empty canvas: what each reader marked, and the consensus."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

import numpy as np

from overread.arrays import Floats
from overread.report.charts.drawing import slim
from overread.report.content import Panel, Shape
from overread.report.theme import colour, reader_colour

_LONG_SIDE = 320.0
_HEAT_SIDE = 64


def panel(content: Panel) -> str:
    """Draw the shapes of all readers in their colours and the consensus in white, dashed.

    Images bring no pixels into a report; the canvas has the image's proportions.
    """
    scale = _LONG_SIDE / max(content.width, content.height, 1e-9)
    width, height = (max(side * scale, 1.0) for side in (content.width, content.height))
    parts = [f'<rect width="{width:.1f}" height="{height:.1f}" fill="{colour("raised")}"/>']
    if content.share is not None and content.share.size:
        parts.append(_heat(content.share, width, height))
    ordered = sorted(content.shapes, key=lambda shape: shape.reader < 0)  # the consensus on top
    parts += [_shape(shape, scale) for shape in ordered]
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}">{"".join(parts)}</svg>'
    )
    return slim(drawing)


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
        f'<text x="{x + 2:.1f}" y="{max(y - 4, 11):.1f}" font-size="11" '
        f'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" '
        f'fill="{colour("ink")}">{escape(words)}</text>'
    )


def _heat(share: Floats, width: float, height: float) -> str:
    """Share of readers a pixel: opacity of the accent, at most 64 cells a side, runs joined."""
    step = max(1, math.ceil(max(share.shape) / _HEAT_SIDE))
    coarse = np.round(_coarse(share, step) * 8) / 8
    rows, columns = coarse.shape
    cell_w, cell_h = width * step / share.shape[1], height * step / share.shape[0]
    parts = []
    for row in range(rows):
        edges = np.r_[0, np.flatnonzero(np.diff(coarse[row])) + 1, columns]
        for a, b in pairwise(edges):
            if coarse[row, a] > 0:
                parts.append(
                    f'<rect x="{a * cell_w:.1f}" y="{row * cell_h:.1f}" '
                    f'width="{(b - a) * cell_w:.1f}" height="{cell_h:.1f}" '
                    f'shape-rendering="crispEdges" fill="{colour("heat")}" '
                    f'fill-opacity="{coarse[row, a] * 0.8:.2f}"/>'
                )
    return "".join(parts)


def _coarse(share: Floats, step: int) -> Floats:
    rows, columns = (math.ceil(n / step) for n in share.shape)
    padded = np.zeros((rows * step, columns * step))
    padded[: share.shape[0], : share.shape[1]] = share
    return np.asarray(padded.reshape(rows, step, columns, step).mean(axis=(1, 3)))
