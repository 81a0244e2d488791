"""Do stated probabilities mean what they say?"""

from __future__ import annotations

import math

import numpy as np

from overread.report.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Figure,
    Figures,
    Note,
    Section,
    Table,
    Text,
)
from overread.report.charts.bars import histogram, stems
from overread.report.charts.reliability import reliability_curve
from overread.report.content import Calibration, Content, Curve
from overread.report.words import count, number
from overread.words import percent


def calibration_section(content: Content) -> Section | None:
    """Reliability curve against truth or gold; without these, how the temperature was found."""
    part, result = content.calibration, content.consensus
    if result is None or (part is None and result.posterior.shape[1] < 2):
        return None
    part = part or Calibration()
    blocks: list[Block] = []
    if part.curves:
        blocks += _against_truth(part)
        lead = f"Checked on {count(part.n, 'case')} with {part.against or 'truth'}."
    else:
        blocks.append(_without_truth())
        lead = "What says 0.9 should be right 9 times in 10."
    words = part.words or _temperature_words(result.temperature)
    blocks.append(Text(words))
    if not part.curves and content.findings is None and result.probability.size:
        blocks.append(_stated(result.probability))
    return Section("calibration", "Calibration", lead, tuple(blocks))


def _against_truth(part: Calibration) -> list[Block]:
    first = part.curves[0]
    figures = Figures(
        (
            Figure(
                percent(part.accuracy), "of the consensus is right", f"of {count(part.n, 'case')}"
            ),
            Figure(number(first.ece), "calibration error", _ece_words(first)),
            Figure(number(first.nll), "nats lost a case", "less is better"),
        )
    )
    curve = Chart(
        "What it says, and how often it is right",
        reliability_curve(part.curves),
        f"Reliability curve over {int((first.count > 0).sum())} bins; calibration error "
        f"{number(first.ece)}.",
        "On the dashed line, 0.9 is right 9 times in 10; below it, the consensus is too sure. "
        f"{_ink_words(part)}",
        wide=False,
    )
    charts = [curve, _counts(first)]
    return [figures, Charts(tuple(charts)), _table(part)]


def _ink_words(part: Calibration) -> str:
    inks = ("The coloured line", "the grey line", "the lighter line")
    pairs = zip(inks, part.curves, strict=False)
    return "; ".join(f"{ink} is {curve.name}" for ink, curve in pairs) + "."


def _counts(curve: Curve) -> Chart:
    return Chart(
        "Cases in each bin",
        stems(curve.said, curve.count, axis="the consensus says", count="cases"),
        f"Histogram of stated probabilities in {len(curve.count)} bins.",
        "Bins with few cases say little.",
        wide=False,
    )


def _table(part: Calibration) -> Table:
    rows = tuple(
        (
            Cell(curve.name),
            Cell(number(curve.ece)),
            Cell(number(curve.nll)),
            Cell(_ece_words(curve)),
        )
        for curve in part.curves
    )
    columns = (
        Column("Probabilities", "name"),
        Column("ECE", "number"),
        Column("NLL", "number"),
        Column("Is this good?"),
    )
    return Table("Calibration error (ECE) and mean negative log likelihood (NLL)", columns, rows)


def _ece_words(curve: Curve) -> str:
    if math.isnan(curve.ece):
        return ""
    known = curve.count > 0
    gap = float(np.average(curve.said[known] - curve.right[known], weights=curve.count[known]))
    side = "too sure" if gap > 0 else "too careful"
    if curve.ece <= 0.02:
        return "well calibrated"
    return f"{'somewhat' if curve.ece <= 0.06 else 'clearly'} {side}"


def _without_truth() -> Note:
    return Note(
        "No gold answers to check against",
        "Give gold answers for 100 or more cases (a table with columns case, label) to see how "
        "often a stated 0.9 is right.",
        "empty",
    )


def _temperature_words(tau: float) -> str:
    if tau >= 1:
        return (
            "Probabilities are as the method states them: a temperature was not needed, or not "
            "asked for."
        )
    before, after = 0.99**tau, 0.01**tau
    return (
        f"Each read was left out in turn and predicted from the others; the temperature that "
        f"predicts best is {number(tau)}. Probabilities are raised to it, so that a stated 0.99 "
        f"becomes {number(before / (before + after))} between two classes. Labels stay the same."
    )


def _stated(probability: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Charts:
    svg = histogram(
        probability, axis="probability of the consensus", domain=(0.0, 1.0), bins=25, width=560
    )
    sure = percent(float((probability >= 0.95).mean()))
    return Charts(
        (
            Chart(
                "How sure the consensus is",
                svg,
                "Histogram of the probability of the consensus of each case.",
                f"{sure} of the cases are at 0.95 or above.",
            ),
        )
    )
