"""How far each reader agrees with the others, with each other one, and with themselves.

One figure a question for each of the three, whatever the label kind: share of answers, or F1 of
boxes and outlines, or Dice of masks; for scores the bias in their own unit. Pairs of classes and
grades are told by kappa, pairs of scores by ICC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from overread.agreement import (
    Breakdown,
    Estimate,
    PairMatrix,
    against_rest,
    agreement,
    detection_agreement,
    intra_reader,
    mask_agreement,
    pair_matrix,
    score_agreement,
)
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MultiLabelReads,
    Reads,
    ScoreReads,
)

_MOST_IN_MATRIX = 60  # readers; a larger matrix is read by nobody


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval, nan where there is none. Args: n: cases it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class ReadersAgree:
    """Agreement reader by reader.

    Args:
        name, pair_name, within_name: of the figures with the others, of pairs, with themselves.
        share: the figures of readers are shares, 1 is best; else they are in a unit of their own,
            0 is best.
        against: reader -> with the others together: the majority of classes, the others' drawings.
        pairs: (reader, reader) -> of the two; each pair once.
        within: reader -> of a repeat with the first read.
    """

    name: str
    pair_name: str
    within_name: str = ""
    share: bool = True
    against: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    pairs: Mapping[tuple[str, str], Figure] = field(default_factory=dict[tuple[str, str], Figure])
    within: Mapping[str, Figure] = field(default_factory=dict[str, Figure])


_NAMES = {
    "percent": "agreement with the majority of the others",
    "f1": "F1 against the others",
    "dice": "Dice with the others",
    "bias": "difference from the mean of the others",
}
_WITHIN = {
    "percent": "same answer on a repeat",
    "f1": "F1 of a repeat",
    "dice": "Dice of a repeat",
    "within_sd": "scatter of repeats (SD)",
}


def study_of(reads: Reads, *, draws: int) -> Breakdown:
    """Measure agreement overall, against the rest and by pair.

    Args:
        reads: each reader's read of each case that counts.
        draws: of the bootstrap, where there is one.
    Raises:
        InputError, MethodError: the reads allow no figure.
    """
    if isinstance(reads, MultiLabelReads):
        return _of_classes(reads.as_questions(), draws)
    if isinstance(reads, ClassReads):
        return _of_classes(reads, draws)
    if isinstance(reads, ScoreReads):
        found = score_agreement(reads, draws=draws)
        overall = tuple(sorted(found.overall, key=lambda one: one.key != "icc_2_1"))
        return Breakdown(overall, (), found.against_rest, found.within, (), found.pairs)
    if isinstance(reads, (BoxReads, InstanceReads)):
        study = detection_agreement(reads, draws=draws)
        overall = tuple(sorted(study.overall, key=lambda one: one.key != "f1"))
        return replace(study, overall=overall)
    return mask_agreement(reads, draws=draws)


def _of_classes(reads: ClassReads, draws: int) -> Breakdown:
    ordinal = reads.schema.kind is Kind.ORDINAL
    key = "alpha_ordinal" if ordinal else "alpha_nominal"
    overall = agreement(reads, measures=(key,), draws=draws)
    rest = against_rest(reads, measures=("percent",), draws=draws)
    some = 1 < reads.index.n_readers <= _MOST_IN_MATRIX
    measure = "cohen_quadratic" if ordinal and reads.n_classes > 2 else "cohen"
    pairs = (pair_matrix(reads, measure=measure),) if some else ()
    return Breakdown(overall, (), rest, pairs=pairs)


def agree_of(study: Breakdown) -> ReadersAgree:
    """One figure a reader and a pair, of a study of :func:`study_of`."""
    key = next((one.key for one in study.against_rest if one.key in _NAMES), "percent")
    matrix = next((one for one in study.pairs if one.key != "bias"), None)
    chosen = {"f1", "dice"} & {one.key for one in study.pairs}
    if chosen:
        matrix = next(one for one in study.pairs if one.key in chosen)
    return ReadersAgree(
        _NAMES[key],
        matrix.name if matrix else "",
        share=key != "bias",
        against=_by_reader(study.against_rest, key, " against the rest"),
        pairs={} if matrix is None else _pairs(matrix),
    )


def within_of(reads: Reads, *, draws: int) -> tuple[str, dict[str, Figure]]:
    """What the figure with themselves is called, and reader -> figure.

    Args:
        reads: with the repeats of the cases that were read again.
        draws: of the bootstrap, where there is one.
    Raises:
        InputError, MethodError: the reads allow no figure.
    """
    if isinstance(reads, MultiLabelReads):
        found = intra_reader(reads.as_questions(), measures=("percent",), draws=draws)
    elif isinstance(reads, ClassReads):
        found = intra_reader(reads, measures=("percent",), draws=draws)
    else:
        found = study_of(reads, draws=draws).within
    key = next((one.key for one in found if one.key in _WITHIN), "percent")
    made = _by_reader(found, key, " with themselves")
    made |= _by_reader(found, key, " | ")
    # pooled over all readers is no reader's
    return _WITHIN[key], {name: one for name, one in made.items() if name in reads.index.readers}


def _by_reader(found: Iterable[Estimate], key: str, between: str) -> dict[str, Figure]:
    """Reader -> figure, of those whose scope is a reader's name and then ``between``."""
    return {
        one.scope.rpartition(between)[0]: Figure(one.value, one.low, one.high, one.n_cases)
        for one in found
        if one.key == key and between in one.scope and not one.undefined
    }


def _pairs(matrix: PairMatrix) -> dict[tuple[str, str], Figure]:
    made: dict[tuple[str, str], Figure] = {}
    for at, one in enumerate(matrix.readers):
        for to in range(at + 1, len(matrix.readers)):
            value = float(matrix.value[at, to])
            if not math.isnan(value):
                ends = float(matrix.low[at, to]), float(matrix.high[at, to])
                made[one, matrix.readers[to]] = Figure(value, *ends, int(matrix.n_cases[at, to]))
    return made
