"""What an iterative method did, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from overread.report.charts.drawing import inline, svg
from overread.report.theme import colour

_DRAWN = 60


def history_chart(values: Sequence[float], *, axis: str) -> str:
    """Draw one figure by iteration (1, 2, ...); long runs show their first 60 steps."""
    rows = [{"step": i + 1, "value": float(v)} for i, v in enumerate(values[:_DRAWN])]
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("step:Q", title="iteration").axis(
            grid=False, tickMinStep=1, tickCount=8, format="d"
        ),
        y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=False)).axis(
            tickCount=4, format="~s" if max(map(abs, values[:_DRAWN])) >= 1e5 else "~f"
        ),
    )
    line = base.mark_line(stroke=colour("muted"), strokeWidth=2)
    dots = base.mark_point(filled=True, size=30, opacity=1, fill=colour("ink"))
    return svg(alt.layer(line, dots).properties(width=340, height=180))
