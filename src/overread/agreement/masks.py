"""Agreement of masks: overlap, distances of surfaces in mm, size; by class, pair and reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.agreement.breakdown import Breakdown
from overread.agreement.comparisons import Comparisons, comparisons
from overread.agreement.estimate import Estimate
from overread.agreement.mask_measures import measures_of
from overread.agreement.scopes import (
    Measure,
    Parts,
    Settings,
    break_down,
    class_figures,
    figures_by_reader,
)
from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.geometry.masks import bounding_slices, class_overlap, overlap_ratio
from overread.geometry.surfaces import SurfaceDistances, surface_distances
from overread.labels import MaskReads


def mask_agreement(
    reads: MaskReads,
    *,
    tolerance: float = 2.0,
    distances: bool = True,
    subgroup: Ints | None = None,
    subgroups: Sequence[str] = (),
    over_readers: bool = False,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Breakdown:
    """Measure how far readers agree on masks.

    A figure is the mean over cases and classes (the background is none), each pair of readers
    counting once a case. Two empty masks of a class agree: Dice, IoU and surface Dice 1. If one is
    empty these are 0; distances are taken only where neither is. The shares of both are figures of
    their own (``both_empty``, ``one_empty``), and ``dice_pooled`` does not depend on the rule.

    Args:
        reads: masks, 2-D or 3-D.
        tolerance: of the surface Dice, in mm (in pixels if the table has no spacing).
        distances: also measure the distances of surfaces, which takes most of the time.
        subgroup, subgroups, over_readers, level, draws, seed: as in
            :func:`overread.agreement.detection.detection_agreement`.
    Returns:
        The figures by scope. Against the rest, each reader is compared with each of the others;
        see :func:`majority_agreement` for the majority of the others.
    Raises:
        InputError: a tolerance below 0, or a spacing known for some cases only.
    Source:
        Maier-Hein, Reinke et al. 2024, Nature Methods 21:195-212.
    """
    settings = Settings(level, draws, seed, over_readers)
    unit = _unit(reads, tolerance)
    measures = measures_of(unit, tolerance, distances=distances)
    met = comparisons(reads.index, None if reads.unreadable is None else ~reads.unreadable)
    top, bottom = _class_parts(reads, met, measures, tolerance)
    study = break_down(
        reads.index,
        met,
        measures,
        _pooled(measures, top, bottom),
        settings,
        subgroup=subgroup,
        subgroups=subgroups,
    )
    between = met.first != met.second
    plain = [k for k, one in enumerate(measures) if not one.oriented]
    by_class = class_figures(
        reads.index,
        met.select(between),
        [measures[k] for k in plain],
        settings,
        top=top[between][:, :, plain],
        bottom=bottom[between][:, :, plain],
        names=reads.schema.names[1:],
    )
    return replace(study, by_class=by_class)


def majority_agreement(
    reads: MaskReads,
    *,
    tolerance: float = 2.0,
    distances: bool = True,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    """Compare each reader with the majority of the others, on cases with two others or more.

    A pixel's majority class is the one that most of the others give it; at a tie the class that
    comes first in the schema, so the background before all: with exactly two others the majority
    is what both mark. Repeats: each reader's first readable read votes.

    Args:
        reads, tolerance, distances, level, draws, seed: as in :func:`mask_agreement`.
    Returns:
        All measures for each reader, ``size_bias`` against the majority.
    """
    unit = _unit(reads, tolerance)
    measures = measures_of(unit, tolerance, distances=distances)
    readable = np.ones(reads.index.n_reads, np.bool_)
    if reads.unreadable is not None:
        readable = ~reads.unreadable
    kept = reads.select(readable)
    kept = kept.select(kept.index.repeat_of() == 0)
    index = kept.index
    rows = np.flatnonzero(index.reads_per_case()[index.case] >= 3)
    rows = rows[np.argsort(index.case[rows], kind="stable")]
    met = Comparisons(
        index.case[rows], index.reader[rows], index.reader[rows], rows, rows, np.ones(rows.size)
    )
    top, bottom = _class_parts(kept, met, measures, tolerance, majority=True)
    parts = _pooled(measures, top, bottom)
    scope = "{} against the majority of the others"
    return figures_by_reader(index, met, measures, parts, Settings(level, draws, seed), scope=scope)


def _unit(reads: MaskReads, tolerance: float) -> str:
    if not 0 <= tolerance < np.inf:
        raise InputError("tolerance", "be 0 or more", tolerance)
    if reads.spacing_mm is None:
        return "px"
    if np.isnan(reads.spacing_mm).any():
        raise InputError(
            "spacing_mm",
            "be known for all cases, or for none",
            "nan for some",
            remedy="Leave the spacing out to measure in pixels.",
        )
    return "mm"


def _pooled(measures: Sequence[Measure], top: Floats, bottom: Floats) -> Parts:
    """Parts over all classes; the oriented measure changes its sign with the readers' places."""
    sign = np.array([-1.0 if one.oriented else 1.0 for one in measures])
    top, bottom = top.sum(axis=1), bottom.sum(axis=1)
    return Parts(top, bottom, top * sign, bottom)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The part of one case that any of its reads marks; what lies outside is background."""

    masks: dict[int, NDArray[Any]]
    spacing: Floats | None


def _class_parts(
    reads: MaskReads,
    met: Comparisons,
    measures: Sequence[Measure],
    tolerance: float,
    *,
    majority: bool = False,
) -> tuple[Floats, Floats]:
    """(rows, classes but the background, measures) parts; surfaces only where asked."""
    n_classes = len(reads.schema.classes)
    top = np.zeros((met.case.size, n_classes - 1, len(measures)))
    bottom = np.ones_like(top)
    at = {one.key: k for k, one in enumerate(measures)}
    for rows, block in _blocks(reads, met):
        votes = _votes(block, n_classes) if majority else None
        for row in rows:
            one = block.masks[int(met.one[row])]
            two = block.masks[int(met.two[row])] if votes is None else _others(votes, one)
            _overlap_parts(top[row], bottom[row], at, class_overlap(one, two, n_classes))
            if "hd" in at:
                for code in range(1, n_classes):
                    found = surface_distances(one == code, two == code, spacing=block.spacing)
                    cells = top[row, code - 1], bottom[row, code - 1]
                    _surface_parts(*cells, at, found, tolerance)
    return top, bottom


def _votes(block: _Block, n_classes: int) -> NDArray[np.int32]:
    """(classes, *shape) reads that give each pixel each class."""
    masks = list(block.masks.values())
    return np.stack([sum((m == c).astype(np.int32) for m in masks) for c in range(n_classes)])


def _others(votes: NDArray[np.int32], own: NDArray[Any]) -> NDArray[np.intp]:
    """Majority of all but one read; at a tie the class that comes first."""
    mine = np.arange(len(votes)).reshape(-1, *([1] * own.ndim)) == own
    return np.asarray((votes - mine).argmax(axis=0))


def _overlap_parts(top: Floats, bottom: Floats, at: dict[str, int], overlap: Ints) -> None:
    """Fill the (classes, measures) parts that need counts of pixels alone."""
    first, second = overlap.sum(axis=1)[1:], overlap.sum(axis=0)[1:]
    common = np.diag(overlap)[1:]
    top[:, at["iou"]], top[:, at["dice"]] = overlap_ratio(common, first, second)
    top[:, at["dice_pooled"]], bottom[:, at["dice_pooled"]] = 2 * common, first + second
    top[:, at["both_empty"]] = (first == 0) & (second == 0)
    top[:, at["one_empty"]] = (first == 0) != (second == 0)
    both = (first > 0) & (second > 0)
    ratio = np.log(np.where(both, first, 1) / np.where(both, second, 1))
    top[:, at["size_difference"]], top[:, at["size_bias"]] = np.abs(ratio), ratio
    bottom[:, at["size_difference"]] = bottom[:, at["size_bias"]] = both


def _surface_parts(
    top: Floats,
    bottom: Floats,
    at: dict[str, int],
    found: SurfaceDistances,
    tolerance: float,
) -> None:
    """Fill the (measures,) parts of one class that need surfaces."""
    top[at["surface_dice"]] = found.surface_dice(tolerance)
    for key, value in (("hd", found.hd), ("hd95", found.hd95), ("assd", found.assd)):
        top[at[key]] = 0.0 if found.undefined else value
        bottom[at[key]] = 0.0 if found.undefined else 1.0


def _blocks(reads: MaskReads, met: Comparisons) -> Iterator[tuple[NDArray[np.intp], _Block]]:
    """Each compared case: rows of ``met``, and its masks cut to what any of its reads marks."""
    order = np.argsort(met.case, kind="stable")
    edges = np.flatnonzero(np.diff(met.case[order])) + 1
    for rows in np.split(order, edges) if order.size else ():
        case = int(met.case[rows[0]])
        used = np.unique(np.concatenate([met.one[rows], met.two[rows]])).tolist()
        masks = _slabs(reads, used, reads.shape[case])
        marked = np.any([mask != 0 for mask in masks], axis=0)
        block = bounding_slices(marked) or tuple(slice(0, 1) for _ in marked.shape)
        spacing = None if reads.spacing_mm is None else reads.spacing_mm[case]
        cut = {read: mask[block] for read, mask in zip(used, masks, strict=True)}
        yield rows, _Block(cut, spacing)


def _slabs(reads: MaskReads, rows: Sequence[int], shape: Ints) -> list[NDArray[Any]]:
    """Masks of reads of one case, unpacked only between the first and last marked slice (row)."""
    inner = int(np.prod(shape[1:], dtype=np.int64))
    runs = [slice(reads.first[row], reads.first[row + 1]) for row in rows]
    ends = [np.cumsum(reads.length[one], dtype=np.int64) for one in runs]
    low, high = int(shape[0]) * inner, 0
    for one, end in zip(runs, ends, strict=True):
        marked = np.flatnonzero(reads.value[one])
        if marked.size:
            low = min(low, int((end - reads.length[one])[marked[0]]))
            high = max(high, int(end[marked[-1]]))
    low, high = (0, inner) if high == 0 else (low // inner * inner, -(-high // inner) * inner)
    out = []
    for one, end in zip(runs, ends, strict=True):
        inside = np.clip(end, low, high) - np.clip(end - reads.length[one], low, high)
        flat = np.repeat(reads.value[one], inside)
        out.append(flat.reshape(-1, *shape[1:].tolist()))
    return out
