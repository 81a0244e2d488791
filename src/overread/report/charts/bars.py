"""Bars: shares of classes, counts, histograms."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from overread.arrays import Floats, Ints
from overread.report.charts.drawing import inline, svg
from overread.report.theme import colour


def bars(names: Sequence[str], values: Sequence[float], *, axis: str, form: str = ".0%") -> str:
    """Draw one horizontal bar a name, with its number.

    Args:
        names: distinct.
        values: (names,), 0 or more.
        axis: title of the axis.
        form: number format of d3.
    """
    rows = [{"name": n, "value": float(v)} for n, v in zip(names, values, strict=True)]
    top = max([*values, 1e-9]) * 1.12
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("value:Q", scale=alt.Scale(domain=[0, top]), title=axis, stack=None).axis(
            format=form, tickCount=4
        ),
        y=alt.Y("name:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.45)),
    )
    drawn = base.mark_bar(color=colour("muted"), cornerRadius=2)
    text = base.mark_text(align="left", dx=6).encode(text=alt.Text("value:Q", format=form))
    return svg(alt.layer(drawn, text).properties(width=560, height=alt.Step(26)))


def histogram(
    values: Floats,
    *,
    axis: str,
    domain: tuple[float, float],
    bins: int = 20,
    count: str = "cases",
    width: int = 300,
) -> str:
    """Draw how many values fall in each of equal bins.

    Args:
        values: any shape; nan is left out, what lies beyond the domain falls in the end bins.
        axis, count: titles of the two axes.
        domain: of the horizontal axis.
    """
    known = np.clip(values[np.isfinite(values)], *domain)
    counts, edges = np.histogram(known, bins=bins, range=domain)
    gap = (edges[-1] - edges[0]) / width  # one pixel
    rows = [
        {"from": float(a + gap / 2), "to": float(b - gap / 2), "count": int(n)}
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    x_scale = alt.Scale(domain=[float(edges[0]), float(edges[-1])], nice=False)
    chart = (
        alt.Chart(inline(rows))
        .mark_bar(color=colour("muted"), cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("from:Q", scale=x_scale, title=axis).axis(grid=False, tickCount=5),
            x2="to:Q",
            y=alt.Y("count:Q", title=count, scale=alt.Scale(zero=True), stack=None).axis(
                tickCount=4, tickMinStep=1, format="~s"
            ),
            y2=alt.datum(0),
        )
    )
    return svg(chart.properties(width=width, height=170))


def stems(x: Floats, counts: Ints, *, axis: str, count: str) -> str:
    """Draw one bar a bin of a reliability curve. Args: x: (bins,) in 0 .. 1; counts: (bins,)."""
    rows = [
        {"x": float(a), "count": int(n)} for a, n in zip(x, counts, strict=True) if np.isfinite(a)
    ]
    chart = (
        alt.Chart(inline(rows))
        .mark_bar(color=colour("muted"), size=12, cornerRadius=2)
        .encode(
            x=alt.X("x:Q", title=axis, scale=alt.Scale(domain=[0, 1])).axis(
                grid=False, format=".0%", tickCount=5
            ),
            y=alt.Y("count:Q", title=count, stack=None).axis(
                tickCount=4, tickMinStep=1, format="~s"
            ),
        )
    )
    return svg(chart.properties(width=300, height=300))
