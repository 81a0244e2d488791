"""How good a consensus of findings is, where the truth is known: found, drawn, and honest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.consensus.case_bootstrap import figure_bounds, ratios
from overread.consensus.given_findings import check_one_a_case
from overread.consensus.result import Consensus, FindingConsensus
from overread.errors import InputError, MethodError
from overread.geometry.boxes import aligned_iou
from overread.geometry.clusters import candidate_pairs
from overread.geometry.pairing import match_edges
from overread.geometry.polygons import aligned_polygon_iou, polygons
from overread.labels import BoxReads, InstanceReads

CLIP = 1e-6
"""A probability of what is true counts as at least this in the negative log likelihood."""

FINDING_MEASURES = ("f1", "precision", "recall", "iou", "nll", "auc")


@dataclass(frozen=True, slots=True, eq=False)
class FindingScore:
    """A consensus of boxes or outlines against the truth. Intervals are by bootstrap over cases.

    Args:
        f1, precision, recall: of the findings more probable than not, matched one to one to true
            ones of the same class; nan where there is nothing to count.
        iou: mean IoU of the matched, of boxes or of outlines.
        nll: mean -log p(there, or not) over all candidate findings of the method, in nats; one is
            there when it matches a true one, of whatever class. p counts as at least :data:`CLIP`.
        auc: chance that a finding that is there has a higher existence than one that is not; nan
            where all are of one kind.
        low, high: measure -> end of the interval.
        level: nominal coverage of the intervals.
        at_least: least IoU of a match.
        n_cases: cases with truth and consensus. n_true: true findings in them.
    """

    f1: float
    precision: float
    recall: float
    iou: float
    nll: float
    auc: float
    low: dict[str, float]
    high: dict[str, float]
    level: float
    at_least: float
    n_cases: int
    n_true: int


def score_findings(
    consensus: Consensus[FindingConsensus],
    truth: BoxReads | InstanceReads,
    *,
    at_least: float = 0.5,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> FindingScore:
    """Score a consensus of boxes against true boxes, or of outlines against true outlines.

    Args:
        consensus: the result.
        truth: one read a case, over the same cases and classes as the consensus; cases without a
            read, or with one that cannot be read, are left out.
        at_least: IoU from which a finding is a true one; of the outlines where there are any.
        draws, level, seed: of the bootstrap; 0 draws for no intervals.
    Raises:
        InputError: other cases or classes, boxes against outlines, two truths of a case,
            ``at_least`` out of range.
        MethodError: no case has both truth and consensus.
    """
    _check(consensus, truth, at_least)
    used = np.zeros(consensus.cases.size, dtype=np.bool_)
    readable = slice(None) if truth.unreadable is None else ~truth.unreadable
    used[truth.index.case[readable]] = True
    used &= consensus.reads > 0
    if not used.any():
        raise MethodError("no case has both a truth and a consensus, so there is nothing to score")
    value = consensus.value
    of_true = truth.index.case[truth.read].astype(np.int64)
    found = np.flatnonzero(used[value.case])
    real = np.flatnonzero(used[of_true])
    pairs = _Pairs(value, found, truth, of_true, real, at_least)
    there = value.existence[found] > 0.5
    hit, iou = pairs.matched(there, same_class=True)
    right = np.zeros(found.size, dtype=np.bool_)
    right[pairs.matched(np.ones(found.size, np.bool_), same_class=False)[0]] = True
    chance = np.where(right, value.existence[found], 1 - value.existence[found])
    case, n = value.case[found], used.size
    hits, seen = np.bincount(case[hit], minlength=n), np.bincount(case[there], minlength=n)
    true = np.bincount(of_true[real], minlength=n)
    loss = np.bincount(case, -np.log(np.clip(chance, CLIP, 1.0)), n)
    fit = np.bincount(case[hit], iou, n)
    top = np.column_stack([2 * hits, hits, hits, fit, loss])[used].astype(np.float64)
    all_of = np.column_stack([seen + true, seen, true, hits, np.bincount(case, minlength=n)])
    bottom = all_of[used].astype(np.float64)
    ranked = _Ranked(value.existence[found], right, (np.cumsum(used) - 1)[case])

    def figures(times: Floats) -> Floats:
        return np.append(ratios(times[:, None] * top, times[:, None] * bottom), ranked.auc(times))

    once = np.ones(len(top))
    low, high = figure_bounds(
        FINDING_MEASURES, figures, len(top), draws=draws, level=level, seed=seed
    )
    f1, precision, recall, mean_iou, nll, auc = figures(once).tolist()
    return FindingScore(
        f1, precision, recall, mean_iou, nll, auc, low, high, level, at_least,
        int(used.sum()), int(true.sum()),
    )  # fmt: skip


class _Pairs:
    """Findings and true ones of one case that overlap enough."""

    __slots__ = ("_finding", "_iou", "_same", "_true")

    def __init__(  # noqa: PLR0917 (all of them columns)
        self,
        value: FindingConsensus,
        found: Ints,
        truth: BoxReads | InstanceReads,
        of_true: Ints,
        real: Ints,
        at_least: float,
    ) -> None:
        case = np.r_[value.case[found], of_true[real]].astype(np.int64)
        side = np.r_[np.zeros(found.size, np.int64), np.ones(real.size, np.int64)]
        around = (truth.box if isinstance(truth, BoxReads) else truth.boxes())[real]
        box = np.concatenate([value.box[found].reshape(-1, 4), around.reshape(-1, 4)])
        one, two = candidate_pairs(case, side, box, reach=0.0)  # the findings come first
        finding, true = one, two - found.size
        iou = _overlap(value, found[finding], truth, real[true])
        near = iou >= at_least
        self._finding, self._true, self._iou = finding[near], true[near], iou[near]
        self._same = (value.code[found[finding]] == truth.label[real[true]])[near]

    def matched(self, of: Bools, *, same_class: bool) -> tuple[Ints, Floats]:
        """(matches,) findings, none twice, and the IoU of each. Args: of: findings that count."""
        open_pair = of[self._finding] & (self._same | (not same_class))
        finding, true, iou = self._finding[open_pair], self._true[open_pair], self._iou[open_pair]
        kept = match_edges(finding, true, iou)
        return finding[kept], iou[kept]


def _overlap(
    value: FindingConsensus, finding: Ints, truth: BoxReads | InstanceReads, true: Ints
) -> Floats:
    """(pairs,) IoU of boxes, or of outlines where the findings have them."""
    if isinstance(truth, BoxReads):
        return aligned_iou(value.box[finding], truth.box[true])
    outline = value.outline or ()
    used, place = np.unique(finding, return_inverse=True)
    rings = [outline[one] for one in used.tolist()]
    first = np.cumsum([0, *(len(ring) for ring in rings)])
    found = polygons(np.concatenate(rings) if rings else np.empty((0, 2)), first)
    return aligned_polygon_iou(found[place], polygons(truth.point, truth.first)[true])


class _Ranked:
    """Findings in the order of their existence, for the chance that a true one ranks higher."""

    __slots__ = ("_case", "_place", "_right", "_steps")

    def __init__(self, existence: Floats, right: Bools, case: Ints) -> None:
        values, place = np.unique(existence, return_inverse=True)
        self._place, self._steps = place, values.size
        self._right, self._case = right, case

    def auc(self, times: Floats) -> float:
        """The chance, each case counted so often; nan where all findings are of one kind."""
        weight = times[self._case]
        right = np.bincount(self._place, weight * self._right, self._steps)
        wrong = np.bincount(self._place, weight * ~self._right, self._steps)
        pairs = right.sum() * wrong.sum()
        if not pairs:
            return float("nan")
        below = np.cumsum(wrong) - wrong / 2  # equal ones count half
        return float((right * below).sum() / pairs)


def _check(
    consensus: Consensus[FindingConsensus], truth: BoxReads | InstanceReads, at_least: float
) -> None:
    if not 0 < at_least <= 1:
        raise InputError("at_least", "be above 0 and at most 1", at_least)
    outlined = consensus.value.outline is not None
    if outlined != isinstance(truth, InstanceReads):
        kinds = ("outlines", "boxes") if outlined else ("boxes", "outlines")
        raise InputError("truth", f"be {kinds[0]}, as the consensus is", kinds[1])
    check_one_a_case(truth, consensus.cases.size, consensus.value.classes, name="truth")
