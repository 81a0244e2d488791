"""What the truth most likely is, by which method, and how reliable each reader is."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from overread.arrays import Floats
from overread.consensus.result import Consensus
from overread.report.blocks import Block, Cell, Chart, Charts, Column, Heading, Note, Section, Table
from overread.report.charts.bars import bars
from overread.report.charts.history import history_chart
from overread.report.charts.interval_bar import interval_bar, share_bar
from overread.report.content import Comparison, Content, MethodScore
from overread.report.sections.confusion import confusion_blocks
from overread.report.sections.reliability import reliability_blocks
from overread.report.sections.summary import method_words
from overread.report.words import count, number
from overread.words import percent

_CLASSES_DRAWN = 40
_SURELY_WRONG = 0.01  # p of the goodness of fit below which the model is called rejected


def consensus_section(content: Content) -> Section:
    """Warnings, comparison of methods, reliability, confusion, prevalence, history."""
    result = content.consensus
    lead = "What the truth most likely is, and on whose word."
    if result is None and content.comparison is None:
        note = Note(
            "No consensus in this report",
            "Run overread consensus on the same table with --method dawid_skene, or leave the "
            "method to the comparison of methods.",
            "empty",
        )
        return Section("consensus", "Consensus", lead, (note,))
    blocks: list[Block] = []
    if result is not None:
        blocks += [Note("Read with care", text) for text in result.warnings]
        blocks += _fit(result)
    if content.comparison is not None:
        blocks += comparison_blocks(content.comparison, used=result.method if result else "")
    if result is not None:
        blocks += reliability_blocks(content, result)
        blocks += confusion_blocks(content, result)
        blocks += _prevalence(content, result)
        blocks += _history(result)
        lead = (
            f"What the truth most likely is, by {method_words(result.method)}, and on whose word."
        )
    return Section("consensus", "Consensus", lead, tuple(blocks))


def comparison_blocks(comparison: Comparison, *, used: str = "") -> list[Block]:
    """The table of methods, the recommended one first in words."""
    blocks: list[Block] = [Heading("Methods side by side", "methods-compared")]
    scores = comparison.scores
    columns = [Column("Method", "name"), Column("Held-out reads", "bar")]
    measures = [
        (title, name)
        for title, name in (("Accuracy", "accuracy"), ("NLL", "nll"), ("ECE", "ece"))
        if any(math.isfinite(getattr(score, name)) for score in scores)
    ]
    columns += [Column(title, "number") for title, _ in measures]
    columns.append(Column("Is this good?"))
    domain = _held_out_domain(scores)
    rows = [
        (
            Cell(method_words(score.method), "used in this report" if score.method == used else ""),
            _held_out(score, domain),
            *(Cell(number(getattr(score, name))) for _, name in measures),
            _verdict(score, comparison, domain[1]),
        )
        for score in scores
    ]
    caption = "Log likelihood of reads that the method has not seen, in nats a read; more is better"
    blocks.append(Table(caption, tuple(columns), tuple(rows)))
    if comparison.reason:
        blocks.append(
            Note(f"Recommended: {method_words(comparison.recommended)}", comparison.reason, "good")
        )
    return blocks


def _held_out_domain(scores: tuple[MethodScore, ...]) -> tuple[float, float]:
    known = [s.held_out for s in scores if math.isfinite(s.held_out)]
    if not known:
        return (0.0, 1.0)
    pad = (max(known) - min(known)) * 0.15 or 0.05
    return (min(known) - pad, max(known) + pad)


def _held_out(score: MethodScore, domain: tuple[float, float]) -> Cell:
    if math.isnan(score.held_out):
        return Cell("not known", tone="quiet")
    half = 1.96 * score.held_out_se
    bar = interval_bar(score.held_out, score.held_out - half, score.held_out + half, domain=domain)
    return Cell(number(score.held_out), svg=bar)


def _verdict(score: MethodScore, comparison: Comparison, _top: float) -> Cell:
    known = [s.held_out for s in comparison.scores if math.isfinite(s.held_out)]
    if score.note or not known or math.isnan(score.held_out):
        return Cell(score.note, tone="quiet")
    gap = max(known) - score.held_out
    se = 0.0 if math.isnan(score.held_out_se) else score.held_out_se
    if gap == 0:
        return Cell("predicts unseen reads best")
    return Cell("as good as the best, within its error" if gap <= 2 * se else "predicts worse")


def _fit(result: Consensus[Any]) -> list[Block]:
    if result.fit is None:
        return []
    rejected = result.fit.p < _SURELY_WRONG
    title = "The model does not fit" if rejected else "The model fits"
    figures = (
        f"G² {number(result.fit.g2)} on {count(result.fit.df, 'degree')} of freedom, "
        f"p {number(result.fit.p)}."
    )
    return [Note(title, f"{result.fit.words} ({figures})", "warning" if rejected else "good")]


def _prevalence(content: Content, result: Consensus[Any]) -> list[Block]:
    share = result.prevalence
    if share is None or not len(share) or len(share) != len(content.classes):
        return []
    names = content.classes
    title = "How frequent each class is"
    if len(names) > _CLASSES_DRAWN:
        return [Heading("Prevalence", "prevalence"), _prevalence_table(names, share)]
    alt = "Estimated share of each class: " + ", ".join(
        f"{name} {percent(float(p))}" for name, p in zip(names[:5], share[:5], strict=True)
    )
    caption = f"Estimated by the method, not counted from votes. {_imbalance(names, share)}"
    svg = bars(names, [float(p) for p in share], axis="share of cases")
    return [Heading("Prevalence", "prevalence"), Chart(title, svg, alt, caption)]


def _imbalance(names: tuple[str, ...], share: Floats) -> str:
    rare = int(np.argmin(share))
    if share[rare] >= 0.05:
        return "No class is rare."
    return (
        f"{names[rare]} is rare ({percent(float(share[rare]))}): judge it by its own agreement "
        "and recall, overall figures hide it."
    )


def _prevalence_table(names: tuple[str, ...], share: Floats) -> Table:
    order = np.argsort(-share, kind="stable")
    rows = tuple(
        (Cell(names[i]), Cell(percent(float(share[i])), svg=share_bar(float(share[i]), width=160)))
        for i in order
    )
    columns = (Column("Class", "name"), Column("Share of cases", "bar"))
    return Table("How frequent each class is", columns, rows, 12)


def _history(result: Consensus[Any]) -> list[Block]:
    steps = [step for step in result.history if math.isfinite(step.objective)]
    if len(steps) < 2:
        return []
    charts = [
        Chart(
            "Objective by iteration",
            history_chart([s.objective for s in steps], axis="log posterior (nats)"),
            f"Line: the objective rises from {number(steps[0].objective)} to "
            f"{number(steps[-1].objective)} in {len(steps)} iterations.",
            "It never falls; where it is flat, consensus and readers agree with each other.",
            wide=False,
        )
    ]
    codes = [s.code for s in steps if s.code is not None]
    if len(codes) > 1:
        changed = [int(np.sum(a != b)) for a, b in pairwise(codes)]
        total = int(np.sum(codes[0] != codes[-1]))
        charts.append(
            Chart(
                "Cases that changed their class",
                history_chart(changed, axis="cases"),
                f"Line: cases that change their class at each of {len(changed)} steps.",
                f"{count(total, 'case')} end with another class than they began with.",
                wide=False,
            )
        )
    return [Heading("Step by step", "history"), Charts(tuple(charts))]
