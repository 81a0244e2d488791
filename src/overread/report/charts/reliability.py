"""Reliability curve: what the consensus says against how often it is right."""

from __future__ import annotations

import altair as alt

from overread.report.charts.drawing import inline, svg
from overread.report.content import Curve
from overread.report.theme import colour

_INKS = ("accent", "faint", "muted")


def reliability_curve(curves: tuple[Curve, ...]) -> str:
    """Draw up to three curves against the diagonal; the first stands out, with its intervals."""
    diagonal = alt.Chart(inline([{"said": 0, "right": 0}, {"said": 1, "right": 1}]))
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("said:Q", scale=scale, title="the consensus says").axis(format=".0%", tickCount=5)
    y = alt.Y("right:Q", scale=scale, title="is right").axis(format=".0%", tickCount=5)
    layers = [diagonal.mark_line(stroke=colour("faint"), strokeDash=[3, 3]).encode(x=x, y=y)]
    for curve, ink in reversed(list(zip(curves, _INKS, strict=False))):
        layers += _curve(curve, ink, x, y, first=curve is curves[0])
    return svg(alt.layer(*layers).properties(width=300, height=300))


def _curve(curve: Curve, ink: str, x: alt.X, y: alt.Y, *, first: bool) -> list[alt.Chart]:
    rows = [
        {"said": float(s), "right": float(r), "low": float(a), "high": float(b)}
        for s, r, a, b, n in zip(
            curve.said, curve.right, curve.low, curve.high, curve.count, strict=True
        )
        if n
    ]
    base = alt.Chart(inline(rows))
    line = base.mark_line(stroke=colour(ink), strokeWidth=2).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=55, opacity=1, fill=colour(ink)).encode(x=x, y=y)
    if not first:
        return [line, dots]
    bars = base.mark_rule(stroke=colour(ink), opacity=0.5, strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q"), y2="high:Q"
    )
    return [bars, line, dots]
