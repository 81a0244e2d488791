"""Rule 1: keep classes clean. Drawings that hold much of their surroundings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from overread.arrays import Bools, Floats
from overread.monitoring.rules.figures import DrawnFigures
from overread.monitoring.rules.hint import Hint, RuleContext, Severity
from overread.monitoring.rules.population import Population, looseness
from overread.monitoring.rules.profile import MIDDLE
from overread.words import percent

_CLEAR = 0.5  # contrast from which a drawing is judged without others of its class
_WITHIN = 1.5  # times stronger is the edge within than any on the contour
_WIDER = 0.2  # of the object's reach: what is loose without others of its class


def loose_contours(context: RuleContext) -> tuple[Hint, ...]:
    """List drawings that lie loosely around what they show.

    Where the class has its own measure (20 drawings), a drawing is listed that the class exceeds
    with probability ``false_alarm``, and whose pixels speak for it. Else both figures, share and
    offset, must by themselves mean a contour that is a fifth too wide, and the strongest edge must
    lie inside of it.
    """
    listed, score = loose_rows(context.drawn, context.usual, context.false_alarm)
    order = np.flatnonzero(listed)
    order = order[np.argsort(-np.nan_to_num(score[order]), kind="stable")]
    return tuple(_hint(context, int(row), float(score[row])) for row in order)


def loose_rows(
    drawn: DrawnFigures, usual: Mapping[int, Population], false_alarm: float
) -> tuple[Bools, Floats]:
    """(n,) which drawings are loose, and their scores in standard deviations (nan: unknown)."""
    score = np.full(drawn.n, np.nan)
    listed = np.zeros(drawn.n, dtype=np.bool_)
    for label in np.unique(drawn.label).tolist():
        rows = drawn.label == label
        if label not in usual:
            listed |= rows & _alone(drawn)
            continue
        level = looseness(drawn, rows, usual[label])
        score[rows] = level.score
        listed[rows] = (level.score > usual[label].limit(false_alarm)) & (level.seen > 0)
    return listed, score


def wider(drawn: DrawnFigures) -> tuple[Floats, Floats]:
    """(n,) how much too wide a drawing is by its share and by its offset, 0.3 is 30 %."""
    share = np.clip(drawn.share, 0, 0.99)
    by_share = np.sqrt((1 - drawn.expected) / (1 - share)) - 1
    inner = np.maximum(drawn.radius - drawn.offset, 0.1 * drawn.radius)
    return by_share, drawn.offset / inner


def _alone(drawn: DrawnFigures) -> Bools:
    by_share, by_offset = wider(drawn)
    clear = (drawn.contrast > _CLEAR) & (drawn.offset >= 2)
    return np.asarray(
        clear & (by_share > _WIDER) & (by_offset > _WIDER) & (_edge_within(drawn) > _WITHIN)
    )


def _edge_within(drawn: DrawnFigures) -> Floats:
    """(n,) how much stronger the strongest edge inside is than that on the contour."""
    edges = np.nan_to_num(np.exp(drawn.profile[:, MIDDLE.size :]))
    within = edges[:, (MIDDLE > -0.75) & (MIDDLE < -0.12)].max(axis=1, initial=0)
    on = edges[:, np.abs(MIDDLE) < 0.12].max(axis=1, initial=0)
    return np.asarray(within / np.maximum(on, 1e-9))


def _hint(context: RuleContext, row: int, score: float) -> Hint:
    drawn, read = context.drawn, int(context.drawn.read[row])
    share, offset = float(drawn.share[row]), float(drawn.offset[row])
    numbers = {"share": share, "offset_px": offset, "contrast": float(drawn.contrast[row])}
    words = f"about {percent(share)} of the inside looks like the surroundings"
    if drawn.expected[row] > 0:
        words += f" (a tight box round a disc: {percent(drawn.expected[row])})"
    if offset > 0:
        words += f"; the contour lies {offset:.1f} px"
        spacing = context.spacing_mm.get(int(context.reads.index.case[read]))
        if spacing is not None:
            numbers["offset_mm"] = offset * float(np.sqrt(spacing[0] * spacing[1]))
            words += f" ({numbers['offset_mm']:.2g} mm)"
        words += " outside the edge"
    if not np.isnan(score):
        numbers["score"] = score
    label = context.reads.schema.names[int(drawn.label[row])]
    return context.hint(
        "loose-contour",
        Severity.WARNING,
        words + ".",
        read,
        finding=int(drawn.finding[row]),
        label=label,
        **{name: value for name, value in numbers.items() if not np.isnan(value)},
    )
