"""Pre-labels brought in: by any model, an earlier project, or a program; all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.protocol import check_answer
from overread.store import CaseRow, Store, list_cases
from overread.store.learning.pre_labels import Proposal, add_pre_labels


@dataclass(frozen=True, slots=True)
class Named:
    """A proposal for a case by its name or id. Args: confidence: 0 to 1, None for none."""

    case: str
    answer: Mapping[str, Any]
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What was brought. Args: cases: that have a pre-label now; strange: not of the project."""

    cases: int
    strange: int


def bring_pre_labels(
    store: Store, project: str, named: Sequence[Named], *, model: str, version: str, by: str
) -> Kept:
    """Bring proposals to the cases of a project; those of other cases are counted, not kept.

    A case is found by its id, its name, or its name without the ending of a file.

    Args:
        model, version: that proposes them.
        by: the user's id.
    Raises:
        InputError: an answer that does not fit the protocol, a case twice, none of the project.
    """
    protocol = protocol_of(store, project).protocol
    found = cases_called(store, project, {one.case for one in named})
    rows: dict[str, Named] = {}
    for one in named:
        case = found.get(one.case)
        if case is None:
            continue
        if case.id in rows:
            raise InputError("pre-labels", "name each case once", "a case twice")
        size = {key: int(case.image[key]) for key in ("rows", "columns", "frames")}
        try:
            check_answer(protocol, one.answer, **size, complete=False)
        except InputError as error:
            where = f"a pre-label: {error.name}"
            raise InputError(where, error.rule, error.got, remedy=error.remedy) from error
        rows[case.id] = one
    if not rows:
        rule = "name cases of the project, by name or id"
        raise InputError("pre-labels", rule, "none of them")
    proposals = [
        Proposal(case, question, value, one.confidence)
        for case, one in rows.items()
        for question, value in one.answer.items()
    ]
    if not proposals:
        raise InputError("pre-labels", "answer a question", "no answer")
    add_pre_labels(store, project, proposals, model=model, version=version, by=by)
    return Kept(len(rows), len({one.case for one in named} - found.keys()))


def cases_called(store: Store, project: str, wanted: set[str]) -> dict[str, CaseRow]:
    """Cases by what they were called; those that are none are left out.

    Raises:
        InputError: a name that two cases have.
    """
    stems = {_stem(one): one for one in wanted}
    exact: dict[str, CaseRow] = {}
    loose: dict[str, list[CaseRow]] = {}
    after = 0
    while page := list_cases(store, project, after=after, limit=500):
        for one in page:
            for key in {one.case.id, one.case.name} & wanted:
                if key in exact:
                    raise InputError("case", "have a name of its own", "two", remedy="Use its id.")
                exact[key] = one.case
            if _stem(one.case.name) in stems:
                loose.setdefault(stems[_stem(one.case.name)], []).append(one.case)
        after = page[-1].case.number
    return {key: of[0] for key, of in loose.items() if len(of) == 1} | exact


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".nii", ".gz", ".bmp", ".gif"}
