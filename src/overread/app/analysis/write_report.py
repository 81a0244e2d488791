"""Fill a report: agreement, consensus and the cases behind them, for every label kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from overread import __version__
from overread.agreement.breakdown import Breakdown
from overread.app.analysis import report_parts as parts
from overread.app.analysis.compare_methods import Comparison, compare
from overread.app.analysis.measure_agreement import AgreementStudy, measure_agreement
from overread.app.analysis.methods import method_called
from overread.app.analysis.reach_consensus import Reached, gold_of, reach_consensus
from overread.app.analysis.report_findings import finding_cases, findings_of
from overread.errors import InputError
from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MaskReads,
    MultiLabelReads,
    Reads,
    ScoreReads,
)
from overread.report import (
    Agreement,
    Calibration,
    Cases,
    Content,
    Head,
    PairMatrix,
    require,
    write_html,
    write_pdf,
)

Progress = Callable[[int, int], None]
_MOST_COMPARED = 200_000  # reads; a comparison fits every method six times


@dataclass(frozen=True, slots=True, eq=False)
class ReportRequest:
    """What a report is to be about.

    Args:
        title: of the report. source: name of the file read. date: as printed.
        method: consensus method; the default of the kind if None.
        truth: table of right answers, for the calibration; the consensus does not see it.
        gold: table of known answers, which the consensus uses.
        subgroup: (cases,) names. exchangeable: reader names say nothing (LIDC).
        level, draws, seed: of the intervals. notes: sentences to be printed.
    """

    title: str
    source: str
    date: str
    method: str | None = None
    truth: Any = None
    gold: Any = None
    subgroup: Sequence[str] | None = None
    exchangeable: bool = False
    level: float = 0.95
    draws: int = 2000
    seed: int = 0
    notes: tuple[str, ...] = ()


def write_report(
    reads: Reads,
    request: ReportRequest,
    path: Path,
    *,
    pdf: Path | None = None,
    progress: Progress | None = None,
) -> Content:
    """Measure, reach a consensus, and write the page (and the PDF).

    Returns:
        What the report shows.
    Raises:
        InputError, MissingExtraError: as the parts raise them.
    """
    require(pdf=pdf is not None)
    content = fill_report(reads, request, progress=progress)
    if pdf is not None:
        write_pdf(content, pdf)
    write_html(content, path)
    return content


def fill_report(
    reads: Reads, request: ReportRequest, *, progress: Progress | None = None
) -> Content:
    """Everything that a report on these reads shows; see :class:`ReportRequest`."""
    _refuse_answers(reads, request)
    steps = _Steps(progress, 4)
    study = measure_agreement(
        reads, subgroup=request.subgroup, level=request.level, draws=request.draws,
        seed=request.seed,
    )  # fmt: skip
    steps.done()
    reached = reach_consensus(
        one_reader(reads) if request.exchangeable else reads,
        method=request.method,
        gold=request.gold,
        level=request.level,
        keep_history=True if _small_classes(reads, request.method) else None,
        exchangeable=_tied(reads, request),
    )
    steps.done()
    comparison = _comparison(reads, request)
    steps.done()
    content = _content(reads, request, study, reached, comparison)
    steps.done()
    return content


def _refuse_answers(reads: Reads, request: ReportRequest) -> None:
    """Answers that do not fit are refused before the long work."""
    if request.truth is not None and not isinstance(reads, ClassReads):
        raise InputError("truth", "be given for classes and grades alone", reads.schema.kind)
    for answers in (request.truth, request.gold):
        if answers is not None:
            gold_of(reads, answers)


class _Steps:
    """Counts the steps done for a progress bar."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def done(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def _small_classes(reads: Reads, method: str | None) -> bool:
    keeps = method in ("dawid_skene", None) and reads.schema.kind is Kind.NOMINAL
    return keeps and isinstance(reads, ClassReads) and reads.index.n_reads <= _MOST_COMPARED


def _tied(reads: Reads, request: ReportRequest) -> bool | None:
    """Whether to tie the parameters of all readers, where the method has a setting for it."""
    takes = method_called(request.method, reads.schema.kind).takes
    return True if request.exchangeable and "exchangeable" in takes else None


def one_reader(reads: Reads) -> Reads:
    """Class and grade reads by slots without identity, as the reads of one reader.

    Slots would be given a reliability of their own, which means nothing; the answers of one reader
    to one case are independent given the truth, as those of exchangeable readers are.
    """
    if not isinstance(reads, ClassReads):
        return reads
    nobody = np.zeros(reads.index.n_reads, dtype=np.int8)
    return replace(reads, index=replace(reads.index, reader=nobody, readers=("any reader",)))


def _comparison(reads: Reads, request: ReportRequest) -> Comparison | None:
    if not isinstance(reads, ClassReads) or reads.index.n_reads > _MOST_COMPARED:
        return None
    if request.exchangeable or reads.index.n_readers < 2:
        return None
    return compare(reads, truth=request.truth, seed=request.seed)


def _content(
    reads: Reads,
    request: ReportRequest,
    study: AgreementStudy,
    reached: Reached,
    comparison: Comparison | None,
) -> Content:
    return Content(
        head=_head(reads, request, reached),
        readers=reads.index.readers,
        classes=reads.schema.names,
        agreement=_agreement(study.figures),
        consensus=None if reached.by_class else reached.result,
        comparison=parts.comparison_of(comparison),
        cases=_cases(reads, reached),
        calibration=_calibration(reads, request, reached),
        findings=(
            findings_of(reads, reached.result)
            if isinstance(reads, (BoxReads, InstanceReads))
            else None
        ),
        scores=parts.scores_of(study) if isinstance(reads, ScoreReads) else None,
        reads_per_reader=np.bincount(reads.index.reader, minlength=reads.index.n_readers),
        notes=request.notes + parts.multi_label_notes(reached),
    )


def _head(reads: Reads, request: ReportRequest, reached: Reached) -> Head:
    index = reads.index
    readers_of = np.unique(index.case.astype(np.int64) * index.n_readers + index.reader)
    per_case = np.bincount(readers_of // index.n_readers, minlength=index.n_cases)
    return Head(
        title=request.title,
        kind=reads.schema.kind,
        date=request.date,
        n_cases=index.n_cases,
        n_reads=index.n_reads,
        n_repeats=int((index.repeat_of() > 0).sum()),
        n_unreadable=_unreadable(reads),
        n_single=int((per_case == 1).sum()),
        source=request.source,
        provenance=reached.result.provenance,
        version=__version__,
        settings={"seed": request.seed, "level": request.level, "bootstrap draws": request.draws},
        anonymous=request.exchangeable,
    )


def _unreadable(reads: Reads) -> int:
    if isinstance(reads, ClassReads):
        return int((reads.label < 0).sum())
    if isinstance(reads, MultiLabelReads):
        return int((reads.present < 0).all(axis=1).sum())
    if isinstance(reads, ScoreReads):
        return int(np.isnan(reads.value).sum())
    return 0 if reads.unreadable is None else int(reads.unreadable.sum())


def _agreement(figures: Breakdown) -> Agreement:
    return Agreement(
        overall=figures.overall,
        per_class=figures.by_class,
        pairs=tuple(PairMatrix(m.name, m.value, m.n_cases) for m in figures.pairs),
        against_rest=figures.against_rest,
        subgroups=figures.by_subgroup,
        intra=figures.within,
    )


def _cases(reads: Reads, reached: Reached) -> Cases:
    if isinstance(reads, ClassReads):
        return parts.class_cases(reads, reached.result)
    if isinstance(reads, MultiLabelReads):
        return parts.label_set_cases(reads, reached.parts)
    if isinstance(reads, ScoreReads):
        return parts.score_cases(reads, reached.result)
    if isinstance(reads, MaskReads):
        return parts.mask_cases(reads, reached.result)
    return finding_cases(reads, reached.result)


def _calibration(reads: Reads, request: ReportRequest, reached: Reached) -> Calibration | None:
    if not isinstance(reads, ClassReads):
        return None
    words = str(reached.result.settings.get("calibration", ""))
    source = request.truth if request.truth is not None else request.gold
    if source is None:
        return Calibration(words=words)
    against = "truth" if request.truth is not None else "gold"
    result = reached.result
    if against == "gold":  # scored as if the gold had not been seen
        result = reach_consensus(reads, method=request.method).result
    return parts.calibration_of(result, gold_of(reads, source), against, words)
