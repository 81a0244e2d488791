"""Bland-Altman plot: difference against mean, with the limits of agreement."""

from __future__ import annotations

import altair as alt
import numpy as np

from overread.report.charts.drawing import inline, svg
from overread.report.content import BlandAltman
from overread.report.theme import colour

_DRAWN = 600  # more dots show no more, and swell the page


def bland_altman_plot(plot: BlandAltman, *, unit: str = "") -> str:
    """Draw up to 600 evenly chosen cases; bias and limits come from all of them."""
    known = np.flatnonzero(np.isfinite(plot.mean) & np.isfinite(plot.difference))
    if known.size > _DRAWN:
        known = known[np.linspace(0, known.size - 1, _DRAWN).astype(int)]
    rows = [{"mean": float(plot.mean[i]), "gap": float(plot.difference[i])} for i in known]
    words = f" ({unit})" if unit else ""
    x = alt.X("mean:Q", title=f"mean{words}", scale=alt.Scale(zero=False)).axis(tickCount=5)
    y = alt.Y("gap:Q", title=f"difference{words}").axis(tickCount=5)
    dots = alt.Chart(inline(rows)).mark_point(
        filled=True, size=26, opacity=0.55, fill=colour("muted")
    )
    lines = alt.Chart(inline([{"gap": plot.lower}, {"gap": plot.upper}]))
    bias = alt.Chart(inline([{"gap": plot.bias}]))
    return svg(
        alt.layer(
            dots.encode(x=x, y=y),
            lines.mark_rule(stroke=colour("faint"), strokeDash=[4, 3]).encode(y="gap:Q"),
            bias.mark_rule(stroke=colour("accent"), strokeWidth=1.5).encode(y="gap:Q"),
        ).properties(width=300, height=200)
    )
