"""The consensus of one case from its own reads, to be laid over it at once.

A model of readers needs the whole project and takes seconds to minutes: that is the export's. One
case alone has its majority (classes), and its fused boxes, outlines and masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from overread.app.project_protocol import protocol_of
from overread.app.project_reads import FRAME, Said, read_table
from overread.app.reach_consensus import Reached, reach_consensus
from overread.errors import InputError, MethodError
from overread.labels import Kind
from overread.protocol import Question
from overread.store import Store, get_case, reads_of_case

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
    """

    answer: dict[str, Any]
    posterior: dict[str, str]


def case_consensus(store: Store, case: str) -> CaseConsensus:
    """Reach the consensus of a case from its reads.

    Raises:
        NotFoundError: no such case.
    """
    row = get_case(store, case)
    protocol = protocol_of(store, row.project).protocol
    latest = {one.reader: one for one in reads_of_case(store, case) if one.round == 0}
    answer: dict[str, Any] = {}
    posterior: dict[str, str] = {}
    for question in protocol.questions:
        said = [
            Said(case, one.reader, None if one.cannot_be_read else one.answer[question.id])
            for one in latest.values()
            if one.cannot_be_read or question.id in one.answer
        ]
        if not any(one.value is not None for one in said):
            continue
        try:
            table = read_table(question, said, {case: row.image})
            if table is None:
                continue
            reached = reach_consensus(
                table, method=_METHOD.get(question.kind), calibrate=_plain(question)
            )
        except (InputError, MethodError):
            continue  # too few reads for this method; the reads themselves are shown
        answer[question.id], sure = _value(question, reached, row.image)
        count = sum(one.value is not None for one in said)
        posterior[question.id] = f"{sure}from {count} {'read' if count == 1 else 'reads'}"
    return CaseConsensus(answer, posterior)


def _plain(question: Question) -> bool | None:
    """Majorities are taken as they are: one case says nothing about calibration."""
    return False if _METHOD.get(question.kind) == "majority" else None


def _value(question: Question, reached: Reached, image: Mapping[str, Any]) -> tuple[Any, str]:
    value = reached.result.value
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        code = int(value.code[0])
        share = float(reached.result.posterior[0, code])
        return value.classes[code], f"{share:.0%} of the votes, "
    if question.kind is Kind.MULTILABEL:
        return [name for name, one in reached.parts.items() if one.value.code[0] == 1], ""
    if question.kind is Kind.SCORE:
        return float(value.mean[0]), f"± {float(value.sd[0]):.2g}, "
    if question.kind is Kind.MASK:
        return _mask(value.mask[0], image), ""
    return _findings(question, reached), ""


def _findings(question: Question, reached: Reached) -> list[dict[str, Any]]:
    value = reached.result.value
    made: list[dict[str, Any]] = []
    for at in np.flatnonzero(value.existence >= 0.5).tolist():
        name = str(reached.result.cases[value.case[at]])
        frame = int(name.rsplit(FRAME, 1)[1]) if FRAME in name else 0
        base = {"id": f"c{at}", "class": value.classes[value.code[at]], "frame": frame}
        if question.kind is Kind.BOX:
            made.append(
                base | dict(zip(("x1", "y1", "x2", "y2"), value.box[at].tolist(), strict=True))
            )
        else:
            made.append(base | {"points": value.outline[at].tolist()})
    return made


def _mask(mask: Any, image: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not mask.size:
        return []
    made: list[dict[str, Any]] = []
    for frame in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
        flat = mask[frame].ravel()
        edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
        runs = [[int(flat[start]), stop - start] for start, stop in pairwise(edges)]
        size = {"rows": image["rows"], "columns": image["columns"]}
        made.append({"frame": frame, **size, "runs": runs})
    return made
