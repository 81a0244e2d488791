"""The truth beside the reads, and a consensus against it: one door for all label kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from overread.app.analysis.reach_consensus import gold_of
from overread.arrays import Floats, Ints
from overread.consensus import score, score_findings, score_masks
from overread.consensus.finding_score import FINDING_MEASURES, FindingScore
from overread.consensus.mask_score import MASK_MEASURES, MaskScore
from overread.consensus.result import Consensus
from overread.consensus.scoring import MEASURES, Score, SetScore, score_sets
from overread.errors import MethodError
from overread.labels import BoxReads, ClassReads, InstanceReads, MaskReads, Reads


@dataclass(frozen=True, slots=True, eq=False)
class NumberScore:
    """A consensus of scores against the truth.

    Args:
        bias: mean error; mae: mean absolute error; rmse: root mean square error; covered: share
            of truths within the 95 % interval; n_cases: cases with both.
    """

    bias: float
    mae: float
    rmse: float
    covered: float
    n_cases: int


AnyScore: TypeAlias = Score | SetScore | NumberScore | FindingScore | MaskScore

_FIGURES: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        Score: MEASURES,
        SetScore: MEASURES,
        NumberScore: ("bias", "mae", "rmse", "covered"),
        FindingScore: FINDING_MEASURES,
        MaskScore: MASK_MEASURES,
    }
)


def figures_of(scored: AnyScore) -> dict[str, float]:
    """The figures to show, in their order; of masks of several classes also each class's Dice."""
    figures = {name: float(getattr(scored, name)) for name in _FIGURES[type(scored)]}
    if isinstance(scored, MaskScore) and len(scored.dice_by_class) > 1:
        figures |= {f"dice {name}": value for name, value in scored.dice_by_class.items()}
    return figures


def truth_of(reads: Reads, truth: Any) -> Any:
    """The truth in the form that :func:`against` takes.

    Args:
        truth: in the forms of :func:`overread.app.analysis.reach_consensus.gold_of`.
    Raises:
        InputError: the truth does not fit the reads.
    """
    return gold_of(reads, truth)


def against(reads: Reads, result: Consensus[Any], truth: Any, *, seed: int = 0) -> AnyScore:
    """Score a consensus of these reads against :func:`truth_of` them.

    Sets of classes have one consensus a class: see :func:`sets_against`.

    Raises:
        MethodError: no case has both truth and consensus.
    """
    if isinstance(reads, ClassReads):
        return score(result, truth, seed=seed)
    if isinstance(reads, (BoxReads, InstanceReads)):
        return score_findings(result, truth, seed=seed)
    if isinstance(reads, MaskReads):
        return score_masks(result, reads, truth, seed=seed)
    return _number_score(result, truth)


def sets_against(parts: Mapping[str, Consensus[Any]], truth: Ints, *, seed: int = 0) -> SetScore:
    """Score the consensus of each class of a multi-label table against :func:`truth_of` it.

    Raises:
        MethodError: no case has both truth and consensus.
    """
    return score_sets(parts, truth, seed=seed)


def _number_score(result: Consensus[Any], right: Floats) -> NumberScore:
    known = ~np.isnan(right) & ~np.isnan(result.value.mean)
    if not known.any():
        raise MethodError("no case has both a truth and a consensus, so there is nothing to score")
    error = result.value.mean[known] - right[known]
    return NumberScore(
        bias=float(error.mean()),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        covered=float((np.abs(error) <= 1.959964 * result.value.sd[known]).mean()),
        n_cases=int(known.sum()),
    )
