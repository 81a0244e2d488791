"""A reader's dry run: a gold case, their answer, then the right one beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from overread.app.quality.gold_figures import verdict
from overread.app.quality.gold_marks import marks_of
from overread.app.quality.gold_words import atlas_entries, mark_lines
from overread.app.quality.onboarding import (
    GO_ON,
    PROFILE,
    WAIT,
    Standing,
    runs_before,
    standing,
)
from overread.app.quality.requalify import gold_for, pending, restricted
from overread.app.study.case_pictures import Shown, shown_of
from overread.app.study.project_protocol import protocol_of
from overread.app.study.submit_read import Work
from overread.errors import InputError
from overread.protocol import Qualification, check_answer
from overread.store import (
    Store,
    Trial,
    TrialRead,
    begin_run,
    dispute_gold,
    get_gold,
    get_trial,
    list_runs,
    next_trial,
    submit_trial,
)


@dataclass(frozen=True, slots=True)
class TrialTask:
    """A case of a dry run, as the reading page needs it."""

    id: str
    project: str
    run: int
    number: int
    cases: int
    protocol_version: int
    case: Shown


@dataclass(frozen=True, slots=True)
class Line:
    """What a reader is told of one question."""

    prompt: str
    words: str
    right: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The right answer beside the reader's. Args: atlas: ids of the entries that explain it."""

    trial: str
    right: dict[str, Any]
    lines: tuple[Line, ...]
    atlas: tuple[str, ...]
    standing: Standing


def next_case(
    store: Store, project: str, reader: str, *, begin: bool
) -> tuple[TrialTask | None, Standing]:
    """The next case of the dry run, and where the reader stands.

    Args:
        begin: begin a run where none is open and the reader may.
    Returns:
        No case where there is nothing to do in a dry run; the standing says why.
    Raises:
        NotFoundError: not a project that they read.
        ConflictError: a run cannot be begun; the rule says why.
    """
    now = protocol_of(store, project)
    asked = now.protocol.qualification
    again = pending(store, project, reader)
    among = gold_for(store, project, again)
    trial = next_trial(store, project, reader, among=among)  # also says whether they read here
    may = begin and asked is not None and standing(store, project, reader).action != PROFILE
    if trial is None and asked is not None and may:
        runs = list_runs(store, project, reader=reader)
        begin_run(
            store,
            project,
            reader,
            cases=asked.least_cases,
            most_runs=asked.most_runs + runs_before(runs, again),
            protocol_version=now.version,
            among=among,
        )
        trial = next_trial(store, project, reader, among=among)
    stands = standing(store, project, reader)
    if trial is None and stands.action == GO_ON:  # its gold was retired in the middle of the run
        words = "The cases of your run were taken away. The study lead is told, and adds some."
        stands = replace(stands, title="No cases for a dry run", words=words, action=WAIT)
    return None if trial is None else _task(trial, now.version), stands


def _task(trial: Trial, version: int) -> TrialTask:
    return TrialTask(
        trial.id,
        trial.project,
        trial.run,
        trial.number,
        trial.cases,
        version,
        shown_of(trial.case),
    )


def answer(
    store: Store, trial: str, reader: str, *, read_id: str, work: Work, protocol_version: int | None
) -> Result:
    """Keep an answer, and show the right one.

    Raises:
        InputError: the answer breaks the protocol.
        NotFoundError: not a trial of theirs.
        ConflictError: answered before, with something else.
    """
    held = get_trial(store, trial, reader)
    now = protocol_of(store, held.project, protocol_version)
    image = held.case.image
    unreadable = work.flags.get("cannot_be_read", False)
    size = {key: image[key] for key in ("rows", "columns", "frames")}
    check_answer(now.protocol, work.answer, **size, complete=not unreadable)
    gold = get_gold(store, held.gold)
    said = None if unreadable else work.answer
    scored = restricted(now.protocol, pending(store, held.project, reader))
    marks = marks_of(scored, gold.answer, said, image)
    asked = now.protocol.qualification or Qualification()
    submit_trial(
        store,
        TrialRead(
            read_id=read_id,
            trial=trial,
            reader=reader,
            answer=work.answer,
            protocol_version=now.version,
            cannot_be_read=unreadable,
            comment=work.comment,
            seconds=work.seconds,
        ),
        marks=marks,
        judge=lambda all_: verdict(scored, all_),
        most_exposures=asked.most_exposures,
    )
    right = {key: value for key, value in gold.answer.items() if key in marks}
    return Result(
        trial,
        right,
        tuple(Line(*one) for one in mark_lines(scored, right, said, marks)),
        tuple(atlas_entries(now.protocol, right, said, gold.atlas)),
        standing(store, held.project, reader),
    )


def dispute(store: Store, trial: str, reader: str, words: str) -> None:
    """Say that the right answer is not right; a senior decides, blind.

    Raises:
        InputError: no words.
        NotFoundError, ConflictError: as of the store.
    """
    if not words.strip():
        raise InputError("dispute", "say why", "nothing")
    dispute_gold(store, trial, reader, words.strip())
