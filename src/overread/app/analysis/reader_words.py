"""How good a reader is by the model, in a few words for a page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from overread.app.analysis.reach_consensus import Reached
from overread.labels import Kind
from overread.protocol import Question
from overread.words import percent

_Row = Mapping[str, tuple[float, float, float]]


def reader_words(question: Question, reached: Reached) -> dict[str, str]:
    """Id of a reader -> words, for those with reads."""
    rows: dict[str, list[_Row]] = {}
    for part in reached.parts.values():
        its = part.reliability
        for at, reader in enumerate(its.readers):
            columns = zip(its.value[at], its.low[at], its.high[at], strict=True)
            row = dict(zip(its.measures, (tuple(map(float, one)) for one in columns), strict=True))
            if its.reads[at]:
                rows.setdefault(reader, []).append(row)  # type: ignore[arg-type]
    return {reader: _words(question, found) for reader, found in rows.items()}


def _words(question: Question, rows: list[_Row]) -> str:
    row = rows[0]
    if question.kind is Kind.MULTILABEL:
        worst = min(rows, key=lambda one: one["accuracy"][0])["accuracy"]
        mean = float(np.mean([one["accuracy"][0] for one in rows]))
        return f"right in {percent(mean)} of the classes, in {percent(worst[0])} of their hardest"
    if question.kind is Kind.SCORE:
        bias, sd = row["bias"][0], row["sd"][0]
        side = "above" if bias > 0 else "below"
        return f"{abs(bias):.2g} {side} the others, scatters by {sd:.2g}"
    if question.kind in {Kind.BOX, Kind.INSTANCE}:
        found, false = row["sensitivity"], row["false_alarms"][0]
        return f"finds {_percent(found)}, {false:.2g} false marks a case"
    if question.kind is Kind.MASK:
        name = next(iter(row))
        return f"{name.replace('_', ' ')} {_percent(row[name])}"
    said = f"right in {_percent(row['accuracy'])}"
    lean = row.get("bias")
    if lean is not None and (lean[1] > 0 or lean[2] < 0):
        said += ", reads higher than the others" if lean[0] > 0 else ", reads lower than the others"
    return said


def _percent(one: tuple[float, float, float]) -> str:
    value, low, high = one
    if np.isfinite(low) and np.isfinite(high):
        return f"{percent(value)} ({percent(low)} to {percent(high)})"
    return percent(value)
