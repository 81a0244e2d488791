"""The consensus of one case, to be laid over it at once.

Where the project has a model (:mod:`overread.app.study.project_model`) the case has its answer.
Until then, and for masks, the case's own reads speak: majority, or fused boxes, outlines, masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overread.app.analysis.case_values import mask_value, values
from overread.app.analysis.project_reads import Said, read_table
from overread.app.analysis.reach_consensus import Reached, reach_consensus
from overread.app.study.project_model import ProjectModel, QuestionModel
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError, MethodError
from overread.labels import Kind
from overread.protocol import Question
from overread.store import CaseRow, ReadRow, Store, get_case, reads_of_case
from overread.store.quality.adjudications import get_standard
from overread.store.quality.stale import left_out
from overread.store.work.asked_again import asked_of_case
from overread.words import percent

_METHOD = {
    Kind.NOMINAL: "majority",
    Kind.ORDINAL: "majority",
    Kind.MULTILABEL: "majority",
    Kind.BOX: "median_boxes",
}
"""Of one case; the others have one method that does without a whole project."""


@dataclass(frozen=True, slots=True)
class CaseConsensus:
    """Consensus of a case.

    Args:
        answer: question id -> value, in the shape of a reader's answer.
        posterior: question id -> what it rests on and how sure it is, in words.
        readers: reader id -> question id -> how good they are by the model, in words.
        difficulty: expected share of reads that differ from the consensus; None if unknown.
        from_model: the project's model speaks, for one question or more.
        reference: a senior decided: the answer is the reference standard of the case.
    """

    answer: dict[str, Any] = field(default_factory=dict[str, Any])
    posterior: dict[str, str] = field(default_factory=dict[str, str])
    readers: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    difficulty: float | None = None
    from_model: bool = False
    reference: bool = False


def case_consensus(store: Store, case: str, model: ProjectModel | None = None) -> CaseConsensus:
    """Reach the consensus of a case.

    Args:
        model: of its project; None where it has none (yet).
    Raises:
        NotFoundError: no such case.
    """
    row = get_case(store, case)
    protocol = protocol_of(store, row.project).protocol
    latest = {one.reader: one for one in reads_that_count(store, case)}
    standard = get_standard(store, case)
    answer: dict[str, Any] = {}
    posterior: dict[str, str] = {}
    readers: dict[str, dict[str, str]] = {}
    from_model = False
    for question in protocol.questions:
        of = model.questions.get(question.id) if model else None
        if standard is not None and question.id in standard.answer:
            answer[question.id] = standard.answer[question.id]
            posterior[question.id] = f"decided by a senior on {standard.since[:10]}"
        for reader, words in (of.readers if of else {}).items():
            if reader in latest:
                readers.setdefault(reader, {})[question.id] = words
        if standard is not None and (question.id in answer or standard.cannot_be_read):
            continue
        if of is not None and case in of.value:
            answer[question.id], posterior[question.id] = of.value[case], _by_model(of, case)
            from_model = True
            continue
        gone = left_out(store, row.project, question.id, [one.id for one in latest.values()])
        kept = [one for one in latest.values() if one.id not in gone]
        found = _by_itself(question, row, kept)
        if found is not None:
            answer[question.id], posterior[question.id] = found
    hard = model.difficulty(case) if model else None
    return CaseConsensus(answer, posterior, readers, hard, from_model, standard is not None)


def reads_that_count(store: Store, case: str) -> list[ReadRow]:
    """Each reader's read of a case: the one made when asked again takes the place of the first.

    Repeats, and what was set aside after an alarm, count in no consensus.
    """
    again = asked_of_case(store, case)
    latest: dict[str, ReadRow] = {}
    for one in reads_of_case(store, case):
        counts = not one.round or one.task in again
        before = latest.get(one.reader)
        if counts and not one.set_aside and (before is None or one.round >= before.round):
            latest[one.reader] = one
    return sorted(latest.values(), key=lambda one: one.event)


def _by_model(of: QuestionModel, case: str) -> str:
    """How sure the model is, in words."""
    said = f"by the model of {len(of.readers)} readers"
    sure = of.probability.get(case)
    return said if sure is None else f"{_share(sure)} sure, {said}"


def _share(sure: float) -> str:
    return "over 99 %" if sure > 0.995 else f"{100 * sure:.0f} %"


def _by_itself(question: Question, row: CaseRow, reads: list[ReadRow]) -> tuple[Any, str] | None:
    said = [
        Said(row.id, one.reader, None if one.cannot_be_read else one.answer[question.id])
        for one in reads
        if one.cannot_be_read or question.id in one.answer
    ]
    if not any(one.value is not None for one in said):
        return None
    try:
        table = read_table(question, said, {row.id: row.image})
        if table is None:
            return None
        reached = reach_consensus(
            table, method=_METHOD.get(question.kind), calibrate=_plain(question)
        )
    except (InputError, MethodError):
        return None  # too few reads for this method; the reads themselves are shown
    value, sure = _value(question, reached, row)
    count = sum(one.value is not None for one in said)
    return value, f"{sure}from {count} {'read' if count == 1 else 'reads'}"


def _plain(question: Question) -> bool | None:
    """Majorities are taken as they are: one case says nothing about calibration."""
    return False if _METHOD.get(question.kind) == "majority" else None


def _value(question: Question, reached: Reached, row: CaseRow) -> tuple[Any, str]:
    if question.kind is Kind.MASK:
        return mask_value(reached.result.value.mask[0], row.image), ""
    value = values(question, reached).get(row.id)
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        share = float(np.max(reached.result.posterior[0]))
        return value, f"{percent(share)} of the votes, "
    if question.kind is Kind.SCORE:
        return value, f"± {float(reached.result.value.sd[0]):.2g}, "
    return value, ""
