"""Adjudication: who decides, what waits, the reads without their names, and what is decided.

What leaves this module for a senior holds no name, no id of a reader, read or task, and no time
of a read: reads are A, B, C in an order drawn for each adjudication.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.analysis.disputes import disputes
from overread.app.quality import gold_disputes
from overread.app.quality.adjudication_queue import why_words
from overread.app.study.anonymous_reads import (
    LETTERS,
    Anonymous,
    anonymous,
    anonymous_answer,
    telling_names,
)
from overread.app.study.case_consensus import reads_that_count
from overread.app.study.case_pictures import Shown, shown_of
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import said_of_reads
from overread.errors import InputError
from overread.protocol import check_answer
from overread.store import (
    ReadRow,
    Store,
    get_case,
    get_project,
    role_in,
)
from overread.store.errors import NotFoundError
from overread.store.quality import adjudications as kept
from overread.store.work.asked_again import Again


@dataclass(frozen=True, slots=True)
class Opened:
    """A case under adjudication.

    Args:
        asked: questions that the readers were sent in earlier rounds.
        returnable: it can be sent back; what is no read of a reader here cannot.
    """

    id: str
    case: Shown
    protocol_version: int
    reads: tuple[Anonymous, ...]
    why: tuple[str, ...]
    asked: tuple[str, ...]
    returnable: bool = True


def require_senior(store: Store, project: str, user: str, *, role: str) -> None:
    """Let in who adjudicates: seniors of the project, its leads, admins.

    Raises:
        NotFoundError: no such project, or not theirs to decide in: the two look alike.
    """
    get_project(store, project)
    leads = leads_here(store, project, user, role=role)
    if not (leads or user in kept.list_seniors(store, project)):
        raise NotFoundError("project", project)


def leads_here(store: Store, project: str, user: str, *, role: str) -> bool:
    """Whether the lead's pages of a project are there for somebody."""
    leads = role == "lead" and role_in(store, project, user) in {"lead", "both"}
    return role == "admin" or leads


def set_seniors(store: Store, project: str, seniors: Collection[str], *, by: str) -> None:
    """Say who adjudicates: anybody with an account, reading here or not.

    Raises:
        NotFoundError: somebody without one.
    """
    before = set(kept.list_seniors(store, project))
    for one in sorted(before ^ set(seniors)):
        kept.set_senior(store, project, one, by, senior=one in seniors)


def seniors_of(store: Store, project: str) -> frozenset[str]:
    """Ids of those who adjudicate."""
    return frozenset(kept.list_seniors(store, project))


def open_case(store: Store, case: str, user: str) -> Opened:
    """Let a senior look at a case.

    Raises:
        NotFoundError: no such case.
        ConflictError: they read it, another has it in hand, or it has its standard.
        InputError: fewer than two readers read it.
    """
    project = get_case(store, case).project
    if case in gold_disputes.waiting(store, project, user):
        return opened(store, gold_disputes.open_case(store, project, case, user).id, user)
    reads = [one.id for one in reads_that_count(store, case)]
    return opened(store, kept.open_adjudication(store, case, user, reads).id, user)


def opened(store: Store, adjudication: str, user: str) -> Opened:
    """What a senior sees of a case that they opened.

    Raises:
        NotFoundError: not an adjudication of theirs.
    """
    row = kept.get_adjudication(store, adjudication, user)
    if row.dispute is not None:
        return _opened_dispute(store, row)
    reads = _shown(store, row)
    version = protocol_of(store, row.project)
    names = telling_names(store, row.project)
    found = {
        question.id: (question.prompt, one)
        for question in version.protocol.questions
        for one in disputes(question, said_of_reads(question, reads)).values()
    }
    asked = [
        one.words
        for one in kept.adjudications_of_case(store, row.case)
        if one.state == kept.SENT_BACK
    ]
    return Opened(
        row.id,
        shown_of(get_case(store, row.case)),
        version.version,
        tuple(anonymous(at, one, names) for at, one in enumerate(reads)),
        why_words(found),
        tuple(asked),
    )


def _opened_dispute(store: Store, row: kept.AdjudicationRow) -> Opened:
    found = gold_disputes.answers(store, row)
    return Opened(
        row.id,
        shown_of(get_case(store, row.case)),
        protocol_of(store, row.project).version,
        tuple(anonymous_answer(at, one.answer, one.cannot_be_read) for at, one in enumerate(found)),
        gold_disputes.why(store, row),
        (),
        returnable=False,
    )


def _shown(store: Store, row: kept.AdjudicationRow) -> list[ReadRow]:
    there = {one.id: one for one in reads_that_count(store, row.case)}
    return [there[one] for one in row.shown if one in there]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a senior says.

    Args:
        pick: letter of the read that is right as it is; "" for an answer of their own.
        answer, cannot_be_read: their own answer, where they pick none.
        words: the reason.
    """

    words: str
    pick: str = ""
    answer: Mapping[str, Any] | None = None
    cannot_be_read: bool = False
    seconds: float = 0.0


def decide(store: Store, adjudication: str, user: str, said: Decision) -> None:
    """Make what a senior decided the reference standard of the case.

    Raises:
        NotFoundError: not an adjudication of theirs.
        ConflictError: it is no longer open.
        InputError: no reason, no such read, or an answer that the protocol does not allow.
    """
    row = kept.get_adjudication(store, adjudication, user)
    answer, cannot, picked = said.answer, said.cannot_be_read, ""
    if said.pick:
        picked = _picked(row, said.pick)
        answer, cannot = _answer_of(store, row, picked, said.pick)
    elif answer is None:
        raise InputError("decision", "pick a read or give an answer", "neither")
    version = protocol_of(store, row.project)
    image = get_case(store, row.case).image
    size = {name: image[name] for name in ("rows", "columns", "frames")}
    whole = not cannot and row.dispute is None  # a right answer may leave questions out
    check_answer(version.protocol, answer, **size, complete=whole)
    if row.dispute is not None:
        gold_disputes.decide(
            store, row, answer, cannot_be_read=cannot, picked=picked, words=said.words.strip(),
            seconds=said.seconds,
        )  # fmt: skip
        return
    kept.decide(
        store,
        adjudication,
        user,
        answer=answer,
        cannot_be_read=cannot,
        picked=picked,
        words=said.words.strip(),
        seconds=said.seconds,
        protocol_version=version.version,
    )


def _picked(row: kept.AdjudicationRow, letter: str) -> str:
    letters = LETTERS[: len(row.shown)]
    if letter not in letters:
        raise InputError("pick", f"be one of {', '.join(letters)}", letter[:10])
    return row.shown[letters.index(letter)]


def _answer_of(
    store: Store, row: kept.AdjudicationRow, picked: str, letter: str
) -> tuple[Mapping[str, Any], bool]:
    if row.dispute is not None:
        found = {one.key: one for one in gold_disputes.answers(store, row)}
        if picked in found:
            return found[picked].answer, found[picked].cannot_be_read
    for read in reads_that_count(store, row.case):
        if read.id == picked:
            return read.answer, read.cannot_be_read
    raise InputError("pick", "be a read that still counts", letter, remedy="Load anew.")


def send_back(
    store: Store, adjudication: str, user: str, *, words: str, seconds: float = 0.0
) -> int:
    """Ask the readers of a case again; each begins with what they said, and sees no other's.

    Returns:
        How many are asked.
    Raises:
        NotFoundError, ConflictError: as of :func:`decide`.
        InputError: no question, or none of the readers reads here any more.
    """
    row = kept.get_adjudication(store, adjudication, user)
    if row.dispute is not None:
        rule = "be decided: nobody here can be asked again"
        raise InputError("case", rule, "a question to its readers")
    here = set(who_reads(store, row.project))
    again = [
        Again(row.case, one.reader, one.answer) for one in _shown(store, row) if one.reader in here
    ]
    return kept.send_back(
        store, adjudication, user, words=words.strip(), again=again, seconds=seconds
    )


def withdraw(store: Store, case: str, *, words: str, by: str) -> None:
    """Take the reference standard of a case back.

    Raises:
        NotFoundError: it has none.
    """
    kept.withdraw_standard(store, case, words.strip(), by)


def standard_of(store: Store, case: str) -> kept.StandardRow | None:
    """The reference standard of a case; None where nobody decided."""
    return kept.get_standard(store, case)


def senior_projects(store: Store, user: str) -> list[tuple[str, str]]:
    """Projects in which somebody is marked as a senior: id and name."""
    rows = [get_project(store, one) for one in kept.projects_of_senior(store, user)]
    return [(one.id, one.name) for one in rows if not one.archived]


def project_of_case(store: Store, case: str) -> str:
    """The project of a case.

    Raises:
        NotFoundError: there is no such case.
    """
    return get_case(store, case).project
