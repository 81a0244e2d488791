"""Learning curves: a figure by the number of labels, one line a strategy, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from overread.report.charts.drawing import inline, svg
from overread.report.theme import reader_colour

_SHAPES = ("circle", "square", "diamond", "triangle-up")


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy.

    Args:
        name: as the legend says. colour: index into the readers' colours and marks.
        labels: numbers of labels, ascending, above 0. mean, low, high: of the figure at each; low
            and high nan where there is no interval.
    """

    name: str
    colour: int
    labels: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def learning_curves(
    lines: Sequence[Line], *, axis: str, percent: bool = True, level: float | None = None
) -> str:
    """Draw the lines on a logarithmic axis of labels.

    Args:
        axis: what is drawn. percent: as shares.
        level: a horizontal line, what all labels give say.
    Returns:
        SVG; the axis spans the means and their surroundings, and an interval beyond it is cut.
    """
    x = alt.X("labels:Q", scale=alt.Scale(type="log", nice=False), title="labels").axis(
        grid=False, tickCount=5, format="~s"
    )
    y = alt.Y("mean:Q", scale=_scale(lines, level), title=axis).axis(
        tickCount=5, format="~%" if percent else "~f"
    )
    layers: list[alt.Chart] = []
    if level is not None:
        ends = [{"labels": at, "mean": level} for line in lines for at in line.labels]
        faint = alt.Chart(inline(ends)).mark_line(stroke="var(--faint)", strokeDash=[4, 4])
        layers.append(faint.encode(x=x, y=y))
    for line in lines:
        layers += _line(line, x, y, axis)
    return svg(alt.layer(*layers).properties(width=430, height=260))


def _scale(lines: Sequence[Line], level: float | None) -> alt.Scale:
    """From the least to the greatest mean, and half of that span beyond on both sides."""
    means = [m for line in lines for m in line.mean if math.isfinite(m)]
    means += [] if level is None else [level]
    low, high = min(means, default=0.0), max(means, default=1.0)
    pad = max(0.5 * (high - low), 0.01)
    return alt.Scale(domain=[max(low - pad, 0.0) if low >= 0 else low - pad, high + pad], nice=True)


def _line(line: Line, x: alt.X, y: alt.Y, axis: str) -> list[alt.Chart]:
    rows = [
        {"labels": float(n), "mean": float(m)}
        for n, m in zip(line.labels, line.mean, strict=True)
        if math.isfinite(m)
    ]
    spread = [
        {"labels": float(n), "low": float(a), "high": float(b)}
        for n, a, b in zip(line.labels, line.low, line.high, strict=True)
        if math.isfinite(a) and math.isfinite(b)
    ]
    ink = reader_colour(line.colour)
    drawn: list[alt.Chart] = []
    if spread:
        bars = alt.Chart(inline(spread)).mark_rule(
            stroke=ink, opacity=0.35, strokeWidth=5, clip=True
        )
        drawn.append(bars.encode(x=x, y=alt.Y("low:Q", title=axis), y2="high:Q"))
    base = alt.Chart(inline(rows)).encode(x=x, y=y)
    shape = _SHAPES[line.colour % len(_SHAPES)]
    dots = base.mark_point(filled=True, size=48, opacity=1, fill=ink, shape=shape)
    return [*drawn, base.mark_line(stroke=ink, strokeWidth=2), dots]
