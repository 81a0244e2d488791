"""Forest plot: one row a reader, a dot and its interval, in the reader's own colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from overread.report.charts.drawing import inline, svg
from overread.report.theme import colour, reader_colour, reader_mark

_SHAPES = ("circle", "square", "diamond", "triangle-up")


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One reader's figure. Args: reader: index; value, low, high: nan where unknown."""

    reader: int
    name: str
    value: float
    low: float = math.nan
    high: float = math.nan


def forest(
    rows: Sequence[ForestRow],
    *,
    axis: str,
    domain: tuple[float, float] | None = None,
    reference: float = math.nan,
    width: int = 360,
    log: bool = False,
    step: int = 28,
) -> str:
    """Draw the figures of readers.

    Args:
        rows: top to bottom; names differ.
        axis: title of the axis.
        domain: ends of the axis, by default what the intervals need.
        reference: a dashed line: the median reader, or where there is no bias.
        log: logarithmic axis, for ratios.
        step: height of a row in pixels.
    """
    rows = [row for row in rows if math.isfinite(row.value)]
    ends = list(domain or forest_domain(rows, log=log))
    scale = alt.Scale(domain=ends, nice=False, type="log" if log else "linear")
    x = alt.X("value:Q", title=axis, scale=scale)
    y = alt.Y("name:N", sort=None, title=None).axis(grid=False)
    base = alt.Chart(inline([_record(row, ends) for row in rows])).encode(y=y)
    interval = base.mark_rule(strokeWidth=3, strokeCap="round", opacity=0.55).encode(
        x=alt.X("low:Q", title=axis, scale=scale).axis(tickCount=5),
        x2="high:Q",
        stroke=alt.Stroke("colour:N", scale=None),
    )
    dot = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=x,
        fill=alt.Fill("colour:N", scale=None),
        shape=alt.Shape("shape:N", scale=None),
    )
    layers = [interval, dot]
    if math.isfinite(reference):
        line = alt.Chart(inline([{"value": reference}]))
        layers.insert(0, line.mark_rule(stroke=colour("faint"), strokeDash=[3, 3]).encode(x=x))
    return svg(alt.layer(*layers).properties(width=width, height=alt.Step(step)))


def _record(row: ForestRow, ends: list[float]) -> dict[str, object]:
    known = math.isfinite(row.low) and math.isfinite(row.high)
    return {
        "name": row.name,
        "value": row.value,
        "low": max(row.low, ends[0]) if known else row.value,
        "high": min(row.high, ends[1]) if known else row.value,
        "colour": reader_colour(row.reader),
        "shape": _SHAPES[reader_mark(row.reader)],
    }


def forest_domain(rows: Sequence[ForestRow], *, log: bool = False) -> tuple[float, float]:
    """Ends of an axis that shows every interval: from 0 unless all is far above it."""
    ends = [v for row in rows for v in (row.value, row.low, row.high) if math.isfinite(v)]
    if not ends:
        return (0.1, 10.0) if log else (0.0, 1.0)
    low, high = min(ends), max(ends)
    if log:
        return low / 1.1, high * 1.1
    if low >= 0 and high <= 1:
        return (0.0 if low < 0.3 else math.floor(low * 10 - 0.5) / 10, 1.0)
    pad = (high - low or 1.0) * 0.08
    return low - pad, high + pad
