"""A consensus of masks in the one result shape: entropy, difficulty, reliability by reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, stdtrit

from overread.arrays import Floats, digest
from overread.consensus.mask_cases import CaseMasks, Gold
from overread.consensus.result import Consensus, Iteration, MaskConsensus, Reliability, Setting
from overread.geometry.masks import class_overlap
from overread.labels import MaskReads

MEASURES = ("sensitivity", "precision", "dice", "volume_bias")
"""Columns of the reliability, of all that is not background, against the consensus: share of the
consensus marked; share of what is marked that is consensus; Dice; size relative to the consensus
less 1. Means over cases; the intervals are Student's, over cases."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseAnswer:
    """What a method says of one case.

    Args:
        masks: the case's reads.
        code: (*box) consensus class.
        probability: (classes, *box).
        far: (classes,) probability outside of the box, where every reader says background.
    """

    masks: CaseMasks
    code: NDArray[Any]
    probability: NDArray[np.float32]
    far: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Figures:
    """Of one case; ``quality`` (reads, measures), ``pixels`` (reads, truth, said) near marks."""

    entropy: float
    difficulty: float
    quality: Floats
    pixels: Floats


def mask_consensus(
    reads: MaskReads,
    answers: Sequence[CaseAnswer],
    *,
    method: str,
    settings: Mapping[str, Setting],
    level: float,
    gold: Gold | None,
    warnings: tuple[str, ...] = (),
    confusion: Floats | None = None,
    more: tuple[tuple[str, ...], Floats, Floats, Floats] | None = None,
    history: tuple[Iteration, ...] = (),
    temperature: float = 1.0,
) -> Consensus[MaskConsensus]:
    """Build the complete result.

    Args:
        confusion: (readers, classes, classes) of the model; by default that of the reads against
            the consensus, within the pixels that any reader marks.
        more: further measures: names, and (readers, measures) value, low and high end.
    """
    n_cases, n_classes = reads.index.n_cases, len(reads.schema.classes)
    mask = [np.empty(0, dtype=np.int16)] * n_cases
    probability = [np.empty(0, dtype=np.float32)] * n_cases
    entropy, difficulty = np.full(n_cases, np.nan), np.full(n_cases, np.nan)
    n_reads = np.zeros(n_cases, dtype=np.int64)
    figures = []
    for answer in answers:
        answer = _certain(answer)  # noqa: PLW2901 (gold has the last word)
        case = answer.masks.case
        mask[case], probability[case] = _whole(answer)
        figures.append(_figures(answer, n_classes))
        entropy[case], difficulty[case] = figures[-1].entropy, figures[-1].difficulty
        n_reads[case] = answer.masks.rows.size
    reliability = _reliability(reads, answers, figures, level=level, confusion=confusion, more=more)
    settings = dict(settings) | {"level": level}
    return Consensus(
        kind=reads.schema.kind,
        method=method,
        settings=settings,
        cases=reads.index.cases,
        value=MaskConsensus(tuple(mask), tuple(probability), reads.schema.names),
        posterior=np.empty((n_cases, 0)),
        entropy=entropy,
        difficulty=difficulty,
        reliability=reliability,
        reads=n_reads,
        read_rows=np.sort(np.concatenate([one.masks.rows for one in answers])),
        history=history,
        warnings=warnings,
        temperature=temperature,
        provenance=_provenance(reads, gold, method, settings),
    )


def _certain(answer: CaseAnswer) -> CaseAnswer:
    gold = answer.masks.gold
    if gold is None:
        return answer
    n_classes = len(answer.probability)
    one = (gold == np.arange(n_classes).reshape(-1, *([1] * gold.ndim))).astype(np.float32)
    return CaseAnswer(answer.masks, gold, one, np.eye(n_classes)[0])


def _whole(answer: CaseAnswer) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """From the box to the image."""
    shape = answer.masks.shape
    code = np.zeros(shape, dtype=np.int16)
    probability = np.empty((len(answer.far), *shape), dtype=np.float32)
    image, box = answer.masks.inside()
    code[image] = answer.code[box]
    for k, far in enumerate(answer.far):
        probability[k] = far
        probability[k][image] = answer.probability[k][box]
    return code, probability


def _figures(answer: CaseAnswer, n_classes: int) -> _Figures:
    masks, share = answer.masks.masks, answer.masks.share
    marked = (masks != 0).any(axis=0)
    inside = answer.probability[:, marked].astype(np.float64)
    pixels = np.zeros((len(masks), n_classes, n_classes))
    quality = np.empty((len(masks), len(MEASURES)))
    missed = 0.0
    for read, mask in enumerate(masks):
        pixels[read] = class_overlap(answer.code[marked], mask[marked], n_classes)
        quality[read] = _quality(class_overlap(answer.code != 0, mask != 0, 2))
        missed += share[read] * float((1 - np.take_along_axis(inside, mask[marked][None], 0)).sum())
    n = inside.shape[1]
    spread = float(entr(inside).sum()) / n if n else 0.0
    return _Figures(spread, missed / (n * share.sum()) if n else 0.0, quality, pixels)


def _quality(overlap: NDArray[Any]) -> Floats:
    """:data:`MEASURES` from [truth, said]; nan where there is nothing to compare with."""
    common, truth, said = overlap[1, 1], overlap[1].sum(), overlap[:, 1].sum()
    return np.array(
        [
            common / truth if truth else np.nan,
            common / said if said else np.nan,
            2 * common / (truth + said) if truth + said else 1.0,
            said / truth - 1 if truth else np.nan,
        ]
    )


def _reliability(
    reads: MaskReads,
    answers: Sequence[CaseAnswer],
    figures: Sequence[_Figures],
    *,
    level: float,
    confusion: Floats | None,
    more: tuple[tuple[str, ...], Floats, Floats, Floats] | None,
) -> Reliability:
    n_readers, n_classes = reads.index.n_readers, len(reads.schema.classes)
    reader = np.concatenate([one.masks.reader for one in answers])
    share = np.concatenate([one.masks.share for one in answers])
    quality = np.concatenate([one.quality for one in figures])
    columns = [by_reader(reader, share, column, n_readers, level) for column in quality.T]
    value, low, high = (np.column_stack([c[i] for c in columns]) for i in range(3))
    # Shares and Dice lie in 0 .. 1; a volume bias is -1 at least.
    low = np.maximum(low, [0.0, 0.0, 0.0, -1.0])
    high = np.minimum(high, [1.0, 1.0, 1.0, np.inf])
    names: tuple[str, ...] = MEASURES
    if more is not None:
        names = (*MEASURES, *more[0])
        parts = zip((value, low, high), more[1:], strict=True)
        value, low, high = (np.column_stack(pair) for pair in parts)
    if confusion is None:
        counts = np.zeros((n_readers, n_classes, n_classes))
        pixels = np.concatenate([one.pixels for one in figures])
        np.add.at(counts, reader, share[:, None, None] * pixels)
        total = counts.sum(axis=2, keepdims=True)
        even = np.full_like(counts, 1.0 / n_classes)
        confusion = np.divide(counts, total, out=even, where=total > 0)
    n_reads = np.bincount(reader, minlength=n_readers)
    return Reliability(
        reads.index.readers, names, value, low, high, level, n_reads, np.asarray(confusion)
    )


def by_reader(
    reader: NDArray[Any], share: Floats, value: Floats, n_readers: int, level: float
) -> tuple[Floats, Floats, Floats]:
    """(readers,) mean over cases and its Student interval; nan values are left out.

    The interval is nan where one case alone is known.
    """
    known = ~np.isnan(value)
    who, w, x = reader[known], share[known], value[known]
    n = np.bincount(who, w, minlength=n_readers)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(who, w * x, minlength=n_readers) / n
        spread = np.bincount(who, w * (x - mean[who]) ** 2, minlength=n_readers)
        half = np.sqrt(spread / np.where(n > 1, (n - 1) * n, np.nan))
        half *= stdtrit(np.maximum(n - 1, 1e-9), (1 + level) / 2)
    return mean, mean - half, mean + half


def _provenance(
    reads: MaskReads, gold: Gold | None, method: str, settings: Mapping[str, Setting]
) -> str:
    index = reads.index
    columns = (index.case, index.reader, index.cases, reads.shape, reads.value, reads.length)
    spacing = np.empty(0) if reads.spacing_mm is None else reads.spacing_mm
    unreadable = np.empty(0) if reads.unreadable is None else reads.unreadable
    known = [np.empty(0) if one is None else np.asarray(one) for one in gold or ()]
    return digest(
        *columns,
        reads.first,
        spacing,
        unreadable,
        index.readers,
        reads.schema.names,
        *known,
        method,
        sorted(settings.items()),
    )
