"""Parts of a report that are the same for several label kinds: cases, calibration, comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from overread.app.analysis.compare_methods import Comparison, Entry
from overread.app.analysis.measure_agreement import AgreementStudy
from overread.app.analysis.reach_consensus import Reached
from overread.arrays import Bools, Floats, Ints, grouped
from overread.consensus import next_reads, score
from overread.consensus.result import Consensus
from overread.consensus.scoring import Score
from overread.errors import MethodError
from overread.labels import ClassReads, MaskReads, MultiLabelReads, ReadIndex, ScoreReads
from overread.report import (
    BlandAltman,
    Calibration,
    Cases,
    CaseView,
    Curve,
    MethodScore,
    NextRead,
    Panel,
    Scores,
    Vote,
)
from overread.report import Comparison as ComparisonTable
from overread.words import percent

SHOWN = 24
"""Disputed cases that a report shows."""

_NEXT = 20
_PLOTS = 6
_PANEL_SIDE = 96  # pixels of a drawn mask
_SLICES = 3  # of a volume, side by side


def class_cases(reads: ClassReads, result: Consensus[Any]) -> Cases:
    """Disputed cases and next reads of classes or grades."""
    counts = reads.counts()
    disputed = (counts > 0).sum(axis=1) > 1
    order = most_disputed(disputed, result.entropy)
    rows = rows_of_cases(reads.index, order)
    names = reads.schema.names
    views = []
    for case, its in zip(order.tolist(), rows, strict=True):
        votes = tuple(
            Vote(int(reads.index.reader[r]), _said(names, int(reads.label[r])), int(reads.label[r]))
            for r in its
        )
        code = int(result.value.code[case])
        top = np.sort(counts[case])[::-1]
        views.append(
            CaseView(
                name=reads.index.cases[case],
                consensus=names[code] if code >= 0 else "none",
                probability=float(result.posterior[case, max(code, 0)]),
                entropy=float(result.entropy[case]),
                votes=votes,
                note="a tie" if top.size > 1 and top[0] == top[1] else "",
            )
        )
    return Cases(tuple(views), int(disputed.sum()), *_next(reads, result), result.entropy)


def label_set_cases(reads: MultiLabelReads, parts: Mapping[str, Consensus[Any]]) -> Cases:
    """Disputed cases of a multi-label table, by the summed entropy of the classes."""
    entropy = np.sum([part.entropy for part in parts.values()], axis=0)
    start = [reads.of_class(code).counts() for code in range(len(parts))]
    differ = np.array([(counts > 0).all(axis=1) for counts in start])
    disputed = np.asarray(differ.any(axis=0), dtype=np.bool_)
    order = most_disputed(disputed, entropy)
    names = reads.schema.names
    views = []
    for case, its in zip(order.tolist(), rows_of_cases(reads.index, order), strict=True):
        votes = []
        for r in its:
            there = [names[k] for k in np.flatnonzero(reads.present[r] == 1)]
            votes.append(Vote(int(reads.index.reader[r]), _set_words(reads, r, there), len(there)))
        found = [name for name, part in parts.items() if part.value.code[case] == 1]
        contested = ", ".join(np.array(names)[differ[:, case]].tolist())
        views.append(
            CaseView(
                name=reads.index.cases[case],
                consensus=", ".join(found) or "no finding",
                entropy=float(entropy[case]),
                votes=tuple(votes),
                note=f"differ on {contested}",
            )
        )
    return Cases(tuple(views), int(disputed.sum()), entropy=entropy)


def score_cases(reads: ScoreReads, result: Consensus[Any]) -> Cases:
    """Cases whose scores lie furthest apart for their number of reads."""
    rank = np.where(result.reads > 1, result.difficulty, -1.0)
    disputed = rank > 0.95
    order = np.argsort(-rank, kind="stable")[:SHOWN]
    order = order[rank[order] >= 0]
    views = []
    for case, its in zip(order.tolist(), rows_of_cases(reads.index, order), strict=True):
        said = tuple(Vote(int(reads.index.reader[r]), _number(float(reads.value[r]))) for r in its)
        mean, sd = float(result.value.mean[case]), float(result.value.sd[case])
        views.append(CaseView(reads.index.cases[case], f"{mean:.4g} ± {sd:.2g}", votes=said))
    # the entropy of a number has no zero that means "certain", so it is not drawn
    return Cases(tuple(views), int(disputed.sum()))


def mask_cases(reads: MaskReads, result: Consensus[Any]) -> Cases:
    """Cases whose masks overlap least, drawn as the share of readers who marked each pixel."""
    disputed = (result.reads > 1) & (result.difficulty > 0)
    order = most_disputed(disputed, result.difficulty)
    views = []
    for case, its in zip(order.tolist(), rows_of_cases(reads.index, order), strict=True):
        drawn = {r: reads.mask(r) for r in its}
        masks = [mask for mask in drawn.values() if mask.size]
        unit = "voxels" if reads.shape.shape[1] == 3 else "pixels"
        sizes = ", ".join(f"{int((mask > 0).sum()):,}" for mask in masks)
        views.append(
            CaseView(
                name=reads.index.cases[case],
                consensus=f"{int((result.value.mask[case] > 0).sum()):,} {unit} marked",
                entropy=float(result.entropy[case]),
                votes=tuple(Vote(int(reads.index.reader[r]), _marked(drawn[r])) for r in its),
                note=f"readers marked {sizes} {unit}",
                panel=_share_panel(masks),
            )
        )
    return Cases(tuple(views), int(disputed.sum()), entropy=result.entropy)


def _marked(mask: NDArray[Any]) -> str:
    if not mask.size:
        return "cannot be read"
    return "marked" if mask.any() else "no finding"


def _share_panel(masks: list[NDArray[Any]]) -> Panel | None:
    """The share of readers who marked each pixel; of a volume the slices they differ on most."""
    if not masks:
        return None
    share = np.mean([mask > 0 for mask in masks], axis=0)
    slices: tuple[int, ...] = ()
    of_slices = len(share) if share.ndim == 3 else 0
    if share.ndim == 3:
        apart = (share * (1 - share)).sum(axis=(1, 2))
        most = np.argsort(-apart, kind="stable")[: max(1, min(_SLICES, int((apart > 0).sum())))]
        shown = np.sort(most)
        share, slices = share[shown], tuple((shown + 1).tolist())
    where = np.argwhere(share > 0)[:, -2:]
    if where.size:  # the marked part and its surroundings
        low = np.maximum(where.min(axis=0) - 4, 0)
        high = where.max(axis=0) + 5
        share = share[..., low[0] : high[0], low[1] : high[1]]
    rows, columns = share.shape[-2:]
    step = max(1, int(np.ceil(max(rows, columns) / _PANEL_SIDE)))
    small = share[..., ::step, ::step]
    return Panel(float(columns), float(rows), (), small, slices, of_slices)


def calibration_of(
    result: Consensus[Any], truth: Ints, against: str, words: str
) -> Calibration | None:
    """Reliability curve of a consensus of classes against known answers."""
    try:
        scored = score(result, truth)
    except MethodError:
        return None
    curve = scored.curve
    right = np.round(curve.accuracy * curve.cases)
    # Jeffreys intervals of the share that is right
    low, high = (
        np.asarray(betaincinv(right + 0.5, curve.cases - right + 0.5, q), dtype=np.float64)
        for q in (0.025, 0.975)
    )
    drawn = Curve(
        "consensus",
        curve.confidence,
        curve.accuracy,
        low,
        high,
        curve.cases,
        scored.ece,
        scored.nll,
    )
    return Calibration(against, (drawn,), scored.n_cases, scored.accuracy, words)


def comparison_of(found: Comparison | None) -> ComparisonTable | None:
    """Methods side by side, as the report draws them."""
    if found is None:
        return None
    advice = found.recommendation
    reason = "" if advice is None else " ".join((advice.reason, *advice.cautions))
    rows = tuple(_method_row(entry) for entry in found.entries)
    return ComparisonTable(rows, "" if advice is None else advice.method, reason)


def _method_row(entry: Entry) -> MethodScore:
    held, scored = entry.held_out, entry.score
    of_truth = (
        {"accuracy": scored.accuracy, "nll": scored.nll, "ece": scored.ece}
        if isinstance(scored, Score)
        else {}
    )
    of_held = {} if held is None else {"held_out": held.held_out, "held_out_se": held.behind_se}
    return MethodScore(entry.method, seconds=entry.seconds, note=entry.note, **of_truth, **of_held)


def scores_of(study: AgreementStudy) -> Scores:
    """Intraclass correlations and the pairs with the most common cases."""
    icc = tuple(one for one in study.figures.overall if one.key.startswith("icc"))
    most = sorted(study.bland_altman, key=lambda one: -one.difference.size)[:_PLOTS]
    plots = tuple(
        BlandAltman(
            f"{one.first} and {one.second}", one.mean, one.difference, one.bias.value,
            one.lower.value, one.upper.value,
        )
        for one in most
        if not one.bias.undefined
    )  # fmt: skip
    return Scores(icc, plots)


def multi_label_notes(reached: Reached) -> tuple[str, ...]:
    """A line a class, since one report cannot draw fourteen consensus results."""
    if not reached.by_class:
        return ()
    lines = []
    for name, part in reached.parts.items():
        present = int((part.value.code == 1).sum())
        sure = float(np.mean(part.probability > 0.95))
        lines.append(
            f"{name}: present in {present:,} of {len(part.cases):,} cases by {part.method}; "
            f"{percent(sure)} of the cases are more than 95 % sure."
        )
    return tuple(lines)


def most_disputed(disputed: Bools, entropy: Floats) -> NDArray[np.intp]:
    """Codes of the cases to show, most disputed first."""
    cases = np.flatnonzero(disputed)
    return cases[np.argsort(-entropy[cases], kind="stable")][:SHOWN]


def rows_of_cases(index: ReadIndex, cases: NDArray[np.intp]) -> list[list[int]]:
    """Rows of the reads of each of these cases, in row order."""
    order, start = grouped(index.case, index.n_cases)
    return [sorted(order[start[case] : start[case + 1]].tolist()) for case in cases]


def _next(reads: ClassReads, result: Consensus[Any]) -> tuple[tuple[NextRead, ...], int]:
    if result.reliability.confusion is None:
        return (), 0
    found = next_reads(result)
    worth = int((found.gain > 0.05).sum())
    rows = tuple(
        NextRead(
            case=reads.index.cases[case],
            gain=float(gain),
            reason=f"{int(result.reads[case])} reads; {percent(change)} chance to change the "
            "consensus",
        )
        for case, gain, change in zip(
            found.case[:_NEXT].tolist(), found.gain[:_NEXT], found.change[:_NEXT], strict=True
        )
    )
    return rows, worth


def _said(names: tuple[str, ...], code: int) -> str:
    return names[code] if code >= 0 else "cannot be read"


def _set_words(reads: MultiLabelReads, row: int, there: list[str]) -> str:
    if (reads.present[row] < 0).all():
        return "cannot be read"
    return ", ".join(there) or "no finding"


def _number(value: float) -> str:
    return "cannot be read" if np.isnan(value) else f"{value:.4g}"
