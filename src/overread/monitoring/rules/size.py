"""Rule 2: size matters. Drawings out of their class's range, or too small for the texture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from overread.arrays import Bools, Floats
from overread.monitoring.rules.figures import DrawnFigures
from overread.monitoring.rules.hint import Hint, RuleContext, Severity
from overread.monitoring.rules.population import Population

LENGTHS = 4.0
"""Texture lengths along the side that a drawing of tissue should hold."""


def sizes(context: RuleContext) -> tuple[Hint, ...]:
    """List drawings much smaller or larger than their class, on a logarithmic scale."""
    drawn = context.drawn
    listed, z = size_rows(drawn, context.usual, context.false_alarm)
    order = np.flatnonzero(listed)
    hints = []
    for row in order[np.argsort(-np.abs(z[order]), kind="stable")].tolist():
        middle = context.usual[int(drawn.label[row])].log_area[0]
        area = float(drawn.area[row])
        times = float(np.exp(abs(np.log(area) - middle)))
        word = "smaller" if z[row] < 0 else "larger"
        words = f"{times:.1f} times {word} in area than is usual for its class."
        numbers = {"area": area, "z": float(z[row]), "times": times}
        hints.append(_hint(context, row, "size", words, **numbers))
    return tuple(hints)


def size_rows(
    drawn: DrawnFigures, usual: Mapping[int, Population], false_alarm: float
) -> tuple[Bools, Floats]:
    """(n,) which drawings are out of their class's range, and z scores of their log areas."""
    z = np.zeros(drawn.n)
    listed = np.zeros(drawn.n, dtype=np.bool_)
    for label, one in usual.items():
        rows = (drawn.label == label) & (drawn.area > 0)
        middle, below, above = one.log_area
        off = np.log(drawn.area[rows]) - middle
        z[rows] = off / np.where(off < 0, below, above)
        limit = float(stats.t.isf(false_alarm / 2, one.n - 1) * np.sqrt(1 + 1 / one.n))
        listed[rows] = np.abs(z[rows]) > limit
    return listed, z


def too_small_for_texture(context: RuleContext) -> tuple[Hint, ...]:
    """List drawings that do not hold the texture of their class.

    A class is tissue, rather than single things, where half of its drawings hold ``LENGTHS``
    texture lengths along the side; only then does a drawing that holds fewer miss something.
    """
    hints = []
    for row, usual in _rows(context):
        if not usual.lengths >= LENGTHS:
            continue
        side = float(np.sqrt(context.drawn.area[row]))
        lengths = side / usual.texture
        if lengths < LENGTHS:
            words = (
                f"its side holds {lengths:.1f} texture lengths of {usual.texture:.0f} px; at "
                f"least {LENGTHS:.0f} show how the class varies."
            )
            numbers = {"lengths": lengths, "texture_px": usual.texture, "side_px": side}
            hints.append(_hint(context, row, "texture-size", words, **numbers))
    return tuple(sorted(hints, key=lambda hint: hint.numbers["lengths"]))


def _rows(context: RuleContext) -> list[tuple[int, Population]]:
    drawn = context.drawn
    return [
        (row, usual)
        for row, label in enumerate(drawn.label.tolist())
        if (usual := context.usual.get(label)) is not None and drawn.area[row] > 0
    ]


def _hint(context: RuleContext, row: int, rule: str, words: str, **numbers: float) -> Hint:
    drawn = context.drawn
    return context.hint(
        rule,
        Severity.WARNING,
        words,
        int(drawn.read[row]),
        finding=int(drawn.finding[row]),
        label=context.reads.schema.names[int(drawn.label[row])],
        **numbers,
    )
