"""Observations of whole-case answers: classes, grades, sets of classes, scores."""

from __future__ import annotations

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.labels import ClassReads, Kind, MultiLabelReads, ScoreReads
from overread.monitoring.observations import Measured, Metric, first_reads, loo_median

_DISAGREE = Metric(
    "disagreement", "disagreement with the others", "{} more answers differ from the others'",
    "{} fewer answers differ from the others'", form="rate", harm="high", scale="share",
)  # fmt: skip
_WRONG = Metric(
    "gold_error", "wrong on gold cases", "{} more wrong answers on gold cases",
    "{} fewer wrong answers on gold cases", form="rate", harm="high", scale="share",
)  # fmt: skip
_GRADE = Metric("grade", "grade", "grades {} higher", "grades {} lower")
_GOLD_GRADE = Metric(
    "gold_grade", "grade on gold cases", "grades {} above gold", "grades {} below gold"
)
_SCORE = Metric("score", "score", "scores {} higher", "scores {} lower")
_DISTANCE = Metric(
    "distance", "distance of scores from the others'", "scores {} farther from the others'",
    "scores {} nearer to the others'", harm="high",
)  # fmt: skip
_GOLD_SCORE = Metric(
    "gold_score", "score on gold cases", "scores {} above gold", "scores {} below gold"
)
_GOLD_DISTANCE = Metric(
    "gold_distance", "distance of scores from gold", "scores {} farther from gold",
    "scores {} nearer to gold", harm="high",
)  # fmt: skip


def measure_classes(reads: ClassReads, gold: Ints | None, trusted: Bools) -> tuple[Measured, Bools]:
    """Measure classes and grades.

    Args:
        reads: nominal or ordinal.
        gold: (cases,) class codes, -1 where unknown; or None.
        trusted: (reads,) whether others are compared with the read.
    Returns:
        the figures, and (reads,) which reads count.
    """
    index, label = reads.index, reads.label.astype(np.int64)
    counted = first_reads(index, label >= 0)
    sure = counted & trusted
    rest = reads.select(sure).counts()[index.case].astype(float)
    rest[np.flatnonzero(sure), label[sure]] -= 1
    n_others = rest.sum(axis=1)
    same = np.where(counted, rest[np.arange(label.size), np.maximum(label, 0)], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = same / n_others
        doubt = np.where(n_others > 1, 1 - rest.max(axis=1) / n_others, np.nan)
    share[n_others == 0] = np.nan
    reference = np.where(n_others > 0, rest.argmax(axis=1), -1)
    known = _of_case(gold, index.case)
    reference = np.where(known >= 0, known, reference)
    columns: list[tuple[Metric, Floats]] = [(_DISAGREE, 1.0 - share)]
    said = np.where(counted, label, np.nan)
    middle = said * np.nan
    if reads.schema.kind is Kind.ORDINAL:
        middle, _ = loo_median(said, index.case, counted, trusted)
        columns.append((_GRADE, said - middle))
    elif reads.n_classes == 2:
        middle = np.where(n_others > 0, rest[:, 1] / np.maximum(n_others, 1), np.nan)
        columns.append((_more_of(reads.schema.names[1]), said - middle))
    else:
        usual = rest / np.where(n_others > 0, n_others, np.nan)[:, None]
        columns += [
            (_more_of(name, charted=False), (said == code) - usual[:, code])
            for code, name in enumerate(reads.schema.names)
        ]
    if gold is not None:
        right = np.where(known >= 0, (label != known).astype(float), np.nan)
        columns.append((_WRONG, np.where(counted, right, np.nan)))
        if reads.schema.kind is Kind.ORDINAL:
            columns.append((_GOLD_GRADE, np.where(known >= 0, said - known, np.nan)))
    none = np.full(label.size, np.nan)
    return _measured(columns, reference, none, doubt, said, reference.astype(float)), counted


def measure_sets(
    reads: MultiLabelReads, gold: Ints | None, trusted: Bools
) -> tuple[Measured, Bools]:
    """Measure sets of classes; see :func:`measure_classes`. ``gold`` is (cases, classes)."""
    index, present = reads.index, reads.present.astype(float)
    present[present < 0] = np.nan
    counted = first_reads(index, ~np.isnan(present).all(axis=1))
    sure = counted & trusted
    said, case = present[sure], index.case[sure]
    seen, marked = np.zeros((2, index.n_cases, present.shape[1]))
    np.add.at(seen, case, ~np.isnan(said))
    np.add.at(marked, case, np.nan_to_num(said))
    own = np.nan_to_num(present)
    n_others = seen[index.case] - (~np.isnan(present) & sure[:, None])
    rest = np.where(n_others > 0, marked[index.case] - own * sure[:, None], np.nan)
    share = rest / np.where(n_others > 0, n_others, np.nan)
    apart = np.abs(present - share)
    doubt = _row_mean(np.where(n_others > 1, 2 * share * (1 - share), np.nan))
    columns = [
        (_sets_apart(), _row_mean(apart)),
        (_more_findings(), _row_mean(present - share) * present.shape[1]),
        *(
            (_more_of(name, charted=False), present[:, code] - share[:, code])
            for code, name in enumerate(reads.schema.names)
        ),
    ]
    if gold is not None:
        truth = np.where(gold >= 0, gold, np.nan)[index.case]
        columns.append((_sets_wrong(), _row_mean(np.abs(present - truth))))
    some = np.nansum(np.round(share), axis=1)
    reference = np.where(counted, np.minimum(some, 3), -1).astype(np.int64)
    answer = np.where(counted, np.nansum(present, axis=1), np.nan)
    none = np.full(index.n_reads, np.nan)
    return _measured(columns, reference, none, doubt, answer, some), counted


def measure_scores(
    reads: ScoreReads, gold: Floats | None, trusted: Bools
) -> tuple[Measured, Bools]:
    """Measure scores; see :func:`measure_classes`. ``gold`` is (cases,), nan where unknown."""
    index = reads.index
    counted = first_reads(index, ~np.isnan(reads.value))
    value = np.where(counted, reads.value, np.nan)
    middle, doubt = loo_median(value, index.case, counted, trusted)
    columns = [(_SCORE, value - middle), (_DISTANCE, np.abs(value - middle))]
    reference = middle
    if gold is not None:
        known = gold[index.case]
        columns += [(_GOLD_SCORE, value - known), (_GOLD_DISTANCE, np.abs(value - known))]
        reference = np.where(np.isnan(known), middle, known)
    none = np.full(index.n_reads, -1)
    return _measured(columns, none, reference, doubt, value, reference), counted


def _measured(  # noqa: PLR0917 - the columns of one record
    columns: list[tuple[Metric, Floats]],
    reference_class: Ints,
    size: Floats,
    doubt: Floats,
    answer: Floats,
    reference: Floats,
) -> Measured:
    metrics = tuple(metric for metric, _ in columns)
    value = np.column_stack([np.asarray(one, dtype=float) for _, one in columns])
    return Measured(metrics, value, reference_class, size, doubt, answer, reference)


def _of_case(gold: Ints | None, case: Ints) -> Ints:
    return np.full(case.size, -1) if gold is None else np.asarray(gold)[case]


def _row_mean(value: Floats) -> Floats:
    """(n,) mean over what is known of each row; nan where nothing is."""
    known = ~np.isnan(value)
    count = known.sum(axis=1)
    total = np.where(known, value, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0))


def _more_of(name: str, *, charted: bool = True) -> Metric:
    return Metric(
        f"said:{name}", f'says "{name}"', f'"{name}" said {{}} more often',
        f'"{name}" said {{}} less often', scale="share", charted=charted,
    )  # fmt: skip


def _sets_apart() -> Metric:
    return Metric(
        "disagreement", "disagreement with the others", "{} more of the classes differ",
        "{} fewer of the classes differ", harm="high", scale="share",
    )  # fmt: skip


def _sets_wrong() -> Metric:
    return Metric(
        "gold_error", "wrong on gold cases", "{} more of the classes wrong on gold cases",
        "{} fewer of the classes wrong on gold cases", harm="high", scale="share",
    )  # fmt: skip


def _more_findings() -> Metric:
    return Metric(
        "findings", "findings a case", "{} more findings a case", "{} fewer findings a case"
    )
