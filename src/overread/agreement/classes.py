"""Agreement of classes and grades: overall, per class, per subgroup, within a reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overread.agreement.coefficients import Linearised
from overread.agreement.estimate import Estimate
from overread.agreement.intervals import How, disputed, interval_of
from overread.agreement.measures import (
    MEASURES,
    NOMINAL_DEFAULT,
    ORDINAL_DEFAULT,
    Measure,
    measure_of,
)
from overread.agreement.pairs import MOST_READERS
from overread.agreement.resampling import Progress
from overread.agreement.votes import Votes, votes_of
from overread.agreement.words import few_warning, meaning, prevalence_warning
from overread.arrays import Floats, Ints, encode
from overread.errors import InputError
from overread.labels import ClassReads, Kind

_MOST_MEAN_PAIRWISE = 60  # readers; above, the mean Cohen kappa is left out of the default set


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How figures and intervals are made; see :func:`agreement`."""

    level: float = 0.95
    interval: How = "auto"
    draws: int = 2000
    over_readers: bool = False
    seed: int = 0


def agreement(
    reads: ClassReads,
    *,
    measures: Sequence[str] | None = None,
    level: float = 0.95,
    interval: How = "auto",
    draws: int = 2000,
    over_readers: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Estimate, ...]:
    """How far readers agree on classes or grades, over all cases.

    Reads may be missing and may repeat: a reader's repeats of a case are averaged and count as
    one voice (see :func:`overread.agreement.intra.intra_reader` for agreement with oneself).
    "Cannot be read" is left out.

    Args:
        reads: class reads.
        measures: keys of :data:`overread.agreement.measures.MEASURES`; a set that fits the label
            kind by default.
        level: nominal coverage of the intervals.
        interval: "auto" or one method; see :func:`overread.agreement.intervals.interval_of`.
        draws: bootstrap draws, also the most used to calibrate.
        over_readers: the readers are a sample of those to come, not the team itself.
        seed: of the draws.
        progress: called with (figures done, figures in all).
    Returns:
        One estimate a measure, in the order asked.
    Raises:
        InputError: an unknown measure, or settings out of range.
    Example:
        >>> from overread.labels import class_reads
        >>> case = [i for i in range(50)] * 2
        >>> said = ["yes"] * 25 + ["no"] * 25 + ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10
        >>> said += ["no"] * 15
        >>> reads = class_reads(case, ["A"] * 50 + ["B"] * 50, said)
        >>> [kappa] = agreement(reads, measures=["cohen"], interval="analytic")
        >>> round(kappa.value, 6), round(kappa.low, 6), round(kappa.high, 6)
        (0.4, 0.151092, 0.648908)
    """
    settings = Settings(
        level=level, interval=interval, draws=draws, over_readers=over_readers, seed=seed
    )
    chosen = chosen_measures(reads, measures)
    votes = votes_of(reads)
    return estimates(votes, chosen, settings, reads, scope="overall", progress=progress)


def per_class(
    reads: ClassReads, *, measures: Sequence[str] | None = None, **settings: Any
) -> tuple[Estimate, ...]:
    """Agreement on each class against all others ("effusion or not").

    Args:
        reads, measures: as for :func:`agreement`; by default percent, Fleiss, AC1.
        settings: ``level``, ``interval``, ``draws``, ``over_readers``, ``seed``.
    Returns:
        For each class of the schema, one estimate a measure; scope "class NAME".
    """
    chosen = [measure_of(key) for key in measures or ("percent", "fleiss", "ac1")]
    votes = votes_of(reads)
    found: list[Estimate] = []
    for code, name in enumerate(reads.schema.names):
        found += estimates(
            votes.binary(code), chosen, Settings(**settings), reads, scope=f"class {name}",
            binary=True,
        )  # fmt: skip
    return tuple(found)


def by_subgroup(
    reads: ClassReads,
    subgroup: Any,
    *,
    measures: Sequence[str] | None = None,
    **settings: Any,
) -> tuple[Estimate, ...]:
    """Agreement within each subgroup of cases (site, device, age band).

    Args:
        subgroup: (cases,) the subgroup of each case, in the order of ``reads.index.cases``.
        reads, measures, settings: as for :func:`agreement`.
    Returns:
        For each subgroup, one estimate a measure; scope "subgroup NAME".
    Raises:
        InputError: not one subgroup a case.
    """
    code, names = encode(subgroup)
    if code.shape != (reads.index.n_cases,):
        raise InputError("subgroup", f"have one entry a case ({reads.index.n_cases})", code.size)
    chosen = chosen_measures(reads, measures)
    votes = votes_of(reads)
    found: list[Estimate] = []
    for one, name in enumerate(names):
        part = votes.of_cases(code == one)
        found += estimates(part, chosen, Settings(**settings), reads, scope=f"subgroup {name}")
    return tuple(found)


def chosen_measures(reads: ClassReads, keys: Sequence[str] | None) -> list[Measure]:
    """The measures asked for, or a set that fits the label kind and the number of readers."""
    if keys is None:
        ordinal = reads.schema.kind is Kind.ORDINAL and len(reads.schema.classes) > 2
        keys = ORDINAL_DEFAULT if ordinal else NOMINAL_DEFAULT
        if reads.index.n_readers > _MOST_MEAN_PAIRWISE:
            keys = [key for key in keys if not key.startswith("cohen")]
    return [measure_of(key) for key in keys]


def estimates(
    votes: Votes,
    measures: Sequence[Measure],
    settings: Settings,
    reads: ClassReads,
    *,
    scope: str,
    binary: bool = False,
    cases: Ints | None = None,
    progress: Progress | None = None,
) -> tuple[Estimate, ...]:
    """One estimate a measure over these voices.

    Args:
        binary: the classes are no longer those of the schema.
        cases: (votes.n_cases,) code in ``reads`` of each case, where the voices number them anew.
    """
    values = None if binary else class_values(reads)
    group = reads.index.group
    if group is not None and cases is not None:
        group = group[cases]
    facts = _facts(votes)
    found = []
    for done, measure in enumerate(measures):
        found.append(
            _estimate(
                votes, measure, settings, values=values, group=group, facts=facts, scope=scope
            )
        )
        if progress is not None:
            progress(done + 1, len(measures))
    return tuple(found)


def class_values(reads: ClassReads) -> Floats:
    """(classes,) the numbers that class names are, or 1, 2, ... when any is not a number."""
    try:
        numbers = np.array([float(name) for name in reads.schema.names])
    except ValueError:
        numbers = np.arange(1.0, reads.n_classes + 1)
    return numbers if np.isfinite(numbers).all() else np.arange(1.0, reads.n_classes + 1)


@dataclass(frozen=True, slots=True)
class _Facts:
    n_cases: int
    n_paired: int
    n_readers: int
    n_reads: int
    n_unreadable: int
    n_disputed: int
    minority: float
    top_share: float
    percent: float
    ac1: float


def _facts(votes: Votes) -> _Facts:
    said = np.bincount(votes.label, votes.weight, minlength=votes.n_classes)
    total = said.sum()
    percent, ac1 = (MEASURES[key].of(votes) for key in ("percent", "ac1"))
    return _Facts(
        n_cases=int(percent.rated.sum()),
        n_paired=int(percent.paired.sum()),
        n_readers=int(np.unique(votes.reader).size),
        n_reads=votes.n_reads,
        n_unreadable=votes.n_unreadable,
        n_disputed=disputed(votes),
        minority=float(total - said.max(initial=0)),
        top_share=float(said.max(initial=0) / total) if total else math.nan,
        percent=percent.value,
        ac1=ac1.value,
    )


def _estimate(
    votes: Votes,
    measure: Measure,
    settings: Settings,
    *,
    values: Floats | None,
    group: Ints | None,
    facts: _Facts,
    scope: str,
) -> Estimate:
    base = Estimate(
        measure.name, measure.key, 0.0, level=settings.level, scope=scope,
        n_cases=facts.n_cases, n_readers=facts.n_readers, n_reads=facts.n_reads,
    )  # fmt: skip
    reason = _no_figure(facts, votes)
    if measure.pairwise and votes.n_readers > MOST_READERS and not reason:
        reason = f"more than {MOST_READERS} readers make too many pairs; take Conger's kappa"
    if reason:
        return replace(base, value=math.nan, undefined=reason)
    point = measure.of(votes, values)
    span = interval_of(
        votes, measure, point, level=settings.level, how=settings.interval,
        draws=settings.draws, over_readers=settings.over_readers, seed=settings.seed,
        values=values, group=group,
    )  # fmt: skip
    return replace(
        base,
        value=point.value,
        low=span.low,
        high=span.high,
        interval=span.how,
        undefined=_undefined(point),
        words=meaning(measure, point.value, span.low, span.high, settings.level) + _left_out(facts),
        warning=_warning(measure, point, facts),
    )


def _no_figure(facts: _Facts, votes: Votes) -> str:
    if not facts.n_cases:
        return "no case has an answer: load reads, or check that not all say 'cannot be read'"
    if facts.n_readers < 2:
        return "only one reader: have a second reader read some of the cases"
    if not facts.n_paired:
        return "no case was read by two readers: plan an overlap between readers"
    if votes.n_classes < 2:
        return (
            "the schema has one class only, so readers cannot disagree: name the other classes "
            "in the schema if there are any"
        )
    return ""


def _undefined(point: Linearised) -> str:
    if not math.isnan(point.value):
        return ""
    return (
        "all answers are of one class, so chance alone would agree always and nothing can be "
        "corrected for it; the interval is what such a sample still allows; see AC1 or percent, "
        "and add cases of the other classes"
    )


def _warning(measure: Measure, point: Linearised, facts: _Facts) -> str:
    parts = (
        prevalence_warning(measure, point.value, facts.percent, facts.ac1, facts.top_share),
        few_warning(facts.n_disputed, facts.minority, facts.n_paired),
    )
    return " ".join(part for part in parts if part)


def _left_out(facts: _Facts) -> str:
    if not facts.n_unreadable:
        return ""
    return f' {facts.n_unreadable} answers "cannot be read" are left out.'
