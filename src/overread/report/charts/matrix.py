"""Heat maps: agreement of reader pairs, and confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np

from overread.arrays import Floats
from overread.report.charts.drawing import inline, svg
from overread.report.theme import colour

_TEXT_UP_TO = 16
FULL_HEAT_FROM = 0.634  # opacity from which the other letters read better; see tokens.css


def pair_matrix(readers: Sequence[str], value: Floats, *, side: int = 0) -> str:
    """Draw one measure of each pair of readers.

    Args:
        readers: names.
        value: (readers, readers); nan cells and the diagonal stay empty.
        side: of a cell in pixels; 0 chooses.
    """
    off = value[~np.eye(len(readers), dtype=bool)]
    off = off[np.isfinite(off)]
    low, top = float(off.min(initial=1.0)), float(off.max(initial=0.0))
    # The scale starts below the lowest pair, so that differences show; never beyond 0 .. 1.
    floor = min(0.0, low) if low < 0.3 else max(0.0, low - (1 - low) * 0.5)
    span = max(top - floor, 1e-9)
    rows = [
        _cell(readers[i], readers[j], float(value[i, j]), (float(value[i, j]) - floor) / span)
        for i in range(len(readers))
        for j in range(len(readers))
        if i != j and np.isfinite(value[i, j])
    ]
    return _heat(readers, rows, side or _side(len(readers)), ("", ""))


def confusion_matrix(classes: Sequence[str], share: Floats, *, side: int = 0) -> str:
    """Draw what a reader says, given the truth.

    Args:
        classes: names.
        share: (classes, classes) [truth, said], rows sum to 1; nan rows stay empty.
        side: of a cell in pixels; 0 chooses.
    """
    rows = [
        _cell(classes[truth], classes[said], float(share[truth, said]), float(share[truth, said]))
        for truth in range(len(classes))
        for said in range(len(classes))
        if np.isfinite(share[truth, said])
    ]
    return _heat(classes, rows, side or _side(len(classes)), ("consensus", "reader says"))


def _cell(row: str, column: str, value: float, strength: float) -> dict[str, float | str]:
    share = min(max(strength, 0.0), 1.0) * 0.92 + 0.05
    return {"row": row, "column": column, "value": value, "share": round(share, 3)}


def _side(n: int) -> int:
    return max(14, min(60, 640 // max(n, 1)))


def _heat(
    names: Sequence[str], rows: list[dict[str, float | str]], side: int, titles: tuple[str, str]
) -> str:
    scale = alt.Scale(domain=list(names))
    down, across = (title or None for title in titles)
    base = alt.Chart(inline(rows)).encode(
        x=alt.X("column:N", scale=scale, sort=None, title=across).axis(
            orient="top", labelAngle=-45 if max(map(len, names)) * 8 > side else 0
        ),
        y=alt.Y("row:N", scale=scale, sort=None, title=down),
    )
    cells = base.mark_rect(fill=colour("heat"), cornerRadius=3, stroke=colour("panel"))
    layers = [cells.encode(fillOpacity=alt.FillOpacity("share:Q", scale=None))]
    if len(names) <= _TEXT_UP_TO and side >= 30:
        ink = alt.condition(
            f"datum.share >= {FULL_HEAT_FROM}",
            alt.value(colour("on-full-heat")),
            alt.value(colour("on-faint-heat")),
        )
        text = base.mark_text(fontSize=11 if side < 44 else 12)
        layers.append(text.encode(text=alt.Text("value:Q", format=".2f"), color=ink))
    return svg(alt.layer(*layers).properties(width=alt.Step(side), height=alt.Step(side)))
