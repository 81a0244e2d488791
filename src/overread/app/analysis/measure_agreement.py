"""Measure how far readers agree, whatever the label kind: one shape for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overread.agreement.bland_altman import BlandAltman
from overread.agreement.breakdown import Breakdown
from overread.agreement.classes import agreement, by_subgroup, per_class
from overread.agreement.detection import detection_agreement
from overread.agreement.estimate import Estimate
from overread.agreement.intra import intra_reader
from overread.agreement.masks import mask_agreement
from overread.agreement.matrix import against_rest, pair_matrix
from overread.agreement.scores import score_agreement
from overread.arrays import Ints, encode
from overread.errors import InputError
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MultiLabelReads,
    Reads,
    ScoreReads,
)

Progress = Callable[[int, int], None]

_MOST_IN_MATRIX = 60  # readers; a larger matrix is read by nobody


@dataclass(frozen=True, slots=True, eq=False)
class AgreementStudy:
    """Everything known about agreement. Args: figures; bland_altman: scores only."""

    figures: Breakdown
    bland_altman: tuple[BlandAltman, ...] = ()


def measure_agreement(
    reads: Reads,
    *,
    measures: Sequence[str] | None = None,
    subgroup: Sequence[str] | None = None,
    over_readers: bool = False,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> AgreementStudy:
    """Measure agreement overall, by class, pair, reader and subgroup, and within readers.

    Args:
        reads: any label kind.
        measures: keys of measures of classes and grades; a fitting set by default. Other kinds
            have one fixed set each.
        subgroup: (cases,) name of each case's subgroup.
        over_readers: the readers are a sample of those to come.
        level, draws, seed: of the intervals.
        progress: called with parts done and parts in all.
    """
    settings: dict[str, Any] = {
        "level": level, "draws": draws, "seed": seed, "over_readers": over_readers,
    }  # fmt: skip
    if isinstance(reads, ClassReads):
        return AgreementStudy(_of_classes(reads, measures, subgroup, settings, progress))
    if measures is not None and not isinstance(reads, MultiLabelReads):
        raise InputError("measures", "be given for classes and grades alone", ", ".join(measures))
    if isinstance(reads, MultiLabelReads):
        return AgreementStudy(_of_label_sets(reads, measures, subgroup, settings, progress))
    code, names = _coded(subgroup)
    if isinstance(reads, ScoreReads):
        del settings["over_readers"]
        found = score_agreement(reads, subgroup=code, subgroups=names, **settings)
        return AgreementStudy(
            Breakdown(
                found.overall, (), found.against_rest, found.within, found.by_subgroup, found.pairs
            ),
            found.bland_altman,
        )
    if isinstance(reads, (BoxReads, InstanceReads)):
        study = detection_agreement(reads, subgroup=code, subgroups=names, **settings)
    else:
        study = mask_agreement(reads, subgroup=code, subgroups=names, **settings)
    return AgreementStudy(study)


def _of_classes(
    reads: ClassReads,
    measures: Sequence[str] | None,
    subgroup: Sequence[str] | None,
    settings: dict[str, Any],
    progress: Progress | None,
) -> Breakdown:
    between = {key: value for key, value in settings.items() if key != "over_readers"}
    ordinal = reads.schema.kind is Kind.ORDINAL and reads.n_classes > 2
    parts: dict[str, Callable[[], Any]] = {
        "overall": lambda: agreement(reads, measures=measures, **settings),
        "by_class": lambda: per_class(reads, **settings) if reads.n_classes > 2 else (),
        "against_rest": lambda: against_rest(reads, **between),
        "within": lambda: intra_reader(reads, **between) if _has_repeats(reads) else (),
        "by_subgroup": lambda: (
            by_subgroup(reads, subgroup, measures=measures, **settings)
            if subgroup is not None
            else ()
        ),
        "pairs": lambda: (
            (pair_matrix(reads, measure="cohen_quadratic" if ordinal else "cohen",
                         level=settings["level"], seed=settings["seed"]),)
            if 1 < reads.index.n_readers <= _MOST_IN_MATRIX
            else ()
        ),
    }  # fmt: skip
    made: dict[str, Any] = {}
    for done, (name, make) in enumerate(parts.items(), start=1):
        made[name] = make()
        if progress is not None:
            progress(done, len(parts))
    return Breakdown(**made)


def _of_label_sets(
    reads: MultiLabelReads,
    measures: Sequence[str] | None,
    subgroup: Sequence[str] | None,
    settings: dict[str, Any],
    progress: Progress | None,
) -> Breakdown:
    keys = tuple(measures or ("percent", "fleiss", "alpha_nominal", "ac1"))
    names = reads.schema.names
    by_class: list[Estimate] = []
    for code, name in enumerate(names):
        figures = agreement(reads.of_class(code), measures=keys, **settings)
        by_class += [replace(one, scope=f"class {name}") for one in figures]
        if progress is not None:
            progress(code + 1, len(names) + 1)
    questions = reads.as_questions()
    overall = agreement(questions, measures=keys, **settings)
    rest = against_rest(
        questions, **{key: value for key, value in settings.items() if key != "over_readers"}
    )
    groups: tuple[Estimate, ...] = ()
    if subgroup is not None:
        of_question = [name for name in subgroup for _ in names]
        groups = by_subgroup(questions, of_question, measures=keys, **settings)
    return Breakdown(overall, tuple(by_class), rest, by_subgroup=groups)


def _coded(subgroup: Sequence[str] | None) -> tuple[Ints | None, tuple[str, ...]]:
    """(cases,) subgroup of each case, and their scopes."""
    if subgroup is None:
        return None, ()
    code, names = encode(subgroup)
    return code, tuple(f"subgroup {name}" for name in names)


def _has_repeats(reads: ClassReads) -> bool:
    return bool(reads.index.n_reads and np.any(reads.index.repeat_of() > 0))
