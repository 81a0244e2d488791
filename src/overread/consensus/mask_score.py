"""How good a consensus of masks is, where the truth is known: overlap, borders, honesty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from overread.arrays import Bools, Floats, grouped
from overread.consensus.case_bootstrap import ratio_bounds, ratios
from overread.consensus.finding_score import CLIP
from overread.consensus.mask_cases import Gold, check_gold
from overread.consensus.result import Consensus, MaskConsensus
from overread.errors import MethodError
from overread.geometry.masks import class_overlap, overlap_ratio
from overread.geometry.surfaces import surface_distances
from overread.labels import MaskReads

MASK_MEASURES = ("dice", "hd95", "assd", "nll")


@dataclass(frozen=True, slots=True, eq=False)
class MaskScore:
    """A consensus of masks against the truth. Intervals are by bootstrap over cases.

    Args:
        dice: mean over cases and classes (the background is none); two empty masks of a class
            are 1, one empty mask is 0.
        dice_by_class: class -> mean over cases.
        hd95, assd: mean over cases and classes of which neither mask is empty; nan if none.
        nll: mean over cases of the mean -log p(true class), in nats, over the pixels that a
            reader or the truth marks, so that the background shown plays no part. p counts as at
            least :data:`overread.consensus.finding_score.CLIP`. nan where nothing is marked.
        low, high: measure -> end of the interval; ``dice CLASS`` is a measure too.
        level: nominal coverage of the intervals.
        unit: of the distances, "mm" or "px".
        n_cases: cases with truth and consensus.
    """

    dice: float
    dice_by_class: dict[str, float]
    hd95: float
    assd: float
    nll: float
    low: dict[str, float]
    high: dict[str, float]
    level: float
    unit: str
    n_cases: int


def score_masks(
    consensus: Consensus[MaskConsensus],
    reads: MaskReads,
    truth: Gold,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> MaskScore:
    """Score a consensus of masks against true masks.

    Args:
        consensus: the result. reads: that it rests on.
        truth: (cases,) arrays of class codes, None where the truth is not known.
        draws, level, seed: of the bootstrap; 0 draws for no intervals.
    Raises:
        InputError: a true mask of another size than its case, or with a code that is no class.
        MethodError: no case has both truth and consensus.
    """
    check_gold(reads, truth)
    value = consensus.value
    cases = [i for i, mask in enumerate(truth) if mask is not None and value.mask[i].size]
    if not cases:
        raise MethodError("no case has both a truth and a consensus, so there is nothing to score")
    rows = [_figures(value, reads, truth, case, marked) for case, marked in _marks(reads, cases)]
    n_classes = len(value.classes)
    dice = np.array([row[0] for row in rows])
    edges = np.array([row[1] for row in rows])
    loss = np.array([row[2] for row in rows])
    known = ~np.isnan(edges)
    top = np.column_stack(
        [dice.sum(axis=1), np.where(known, edges, 0).sum(axis=1), np.nan_to_num(loss), dice]
    )
    several = np.full(len(rows), n_classes - 1.0)
    bottom = np.column_stack(
        [several, known.sum(axis=1), ~np.isnan(loss), np.ones_like(dice)]
    ).astype(np.float64)
    names = (*MASK_MEASURES, *(f"dice {name}" for name in value.classes[1:]))
    low, high = ratio_bounds(names, top, bottom, draws=draws, level=level, seed=seed)
    mean_dice, hd95, assd, nll = ratios(top, bottom)[: len(MASK_MEASURES)].tolist()
    return MaskScore(
        dice=mean_dice,
        hd95=hd95,
        assd=assd,
        nll=nll,
        dice_by_class=dict(zip(value.classes[1:], dice.mean(axis=0).tolist(), strict=True)),
        low=low,
        high=high,
        level=level,
        unit="px" if reads.spacing_mm is None else "mm",
        n_cases=len(cases),
    )


def _marks(reads: MaskReads, cases: list[int]) -> Iterator[tuple[int, Bools]]:
    """Each case with the pixels that any of its readers marks."""
    order, start = grouped(reads.index.case, reads.index.n_cases)
    for case in cases:
        marked = np.zeros(tuple(reads.shape[case].tolist()), dtype=np.bool_)
        for row in order[start[case] : start[case + 1]].tolist():
            mask = reads.mask(row)
            if mask.size:
                marked |= mask != 0
        yield case, marked


def _figures(
    value: MaskConsensus, reads: MaskReads, truth: Gold, case: int, marked: Bools
) -> tuple[Floats, Floats, float]:
    """Of one case: (classes but the background,) Dice; (..., 2) HD95 and ASSD; log loss."""
    true, mask, n_classes = np.asarray(truth[case]), value.mask[case], len(value.classes)
    overlap = class_overlap(true.astype(np.int64), mask.astype(np.int64), n_classes)
    _, dice = overlap_ratio(np.diag(overlap)[1:], overlap.sum(axis=1)[1:], overlap.sum(axis=0)[1:])
    edges = np.full((n_classes - 1, 2), np.nan)
    spacing = None if reads.spacing_mm is None else reads.spacing_mm[case]
    for code in range(1, n_classes):
        found = surface_distances(mask == code, true == code, spacing=spacing)
        if not found.undefined:
            edges[code - 1] = found.hd95, found.assd
    inside = marked | (true != 0)
    if not inside.any():
        return dice, edges, float("nan")
    chance = np.take_along_axis(value.probability[case][:, inside], true[inside][None], 0)
    return dice, edges, float(-np.log(np.clip(chance, CLIP, 1.0)).mean())
