"""Adjudication: who decides, what waits, the reads without their names, and what is decided.

What leaves this module for a senior holds no name, no id of a reader, read or task, and no time
of a read: reads are A, B, C in an order drawn for each adjudication.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from overread.app.analysis.disputes import Dispute, disputes
from overread.app.study.anonymous_reads import LETTERS, Anonymous, anonymous, telling_names
from overread.app.study.case_consensus import reads_that_count
from overread.app.study.case_pictures import Shown, shown_of
from overread.app.study.project_model import ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import said_of_project, said_of_reads
from overread.app.study.ranked_cases import LEAST_ENTROPY
from overread.errors import InputError
from overread.protocol import check_answer
from overread.store import (
    ReadRow,
    Store,
    get_case,
    get_cases,
    get_project,
    project_progress,
    role_in,
)
from overread.store import adjudications as kept
from overread.store.asked_again import ADJUDICATION, Again, waiting_again
from overread.store.errors import NotFoundError
from overread.store.wishes import wished_cases

_AT_ONCE = 2_000
"""Reads up to which disputes are looked for while a page waits; above, the model brings them."""
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for a decision.

    Args:
        name: for people; no identifier.
        why: what readers differ on, question by question, in words.
        entropy: of the consensus, in nats; the plain share where there is no model (yet).
        weight: clinical weight of the weightiest class at stake.
        answered: the readers were asked, and have read it again.
        sent: a lead sent it here: it comes before the others.
    """

    case: str
    name: str
    why: tuple[str, ...]
    entropy: float
    weight: float
    answered: bool
    sent: bool = False

    @property
    def score(self) -> float:
        """What the queue is ordered by."""
        return self.entropy * self.weight


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a senior.

    Args:
        waiting: the weightiest first, at most 200 of them.
        count: how many there are.
        own: disputed cases that they read themselves: another senior decides.
        sent_back: cases whose readers are asked and have not all answered.
        decided: cases with a reference standard.
        ready: False while the disagreements of a large project are being worked out.
    """

    waiting: tuple[Waiting, ...]
    count: int
    own: int
    sent_back: int
    decided: int
    ready: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """A case under adjudication.

    Args:
        asked: questions that the readers were sent in earlier rounds.
    """

    id: str
    case: Shown
    protocol_version: int
    reads: tuple[Anonymous, ...]
    why: tuple[str, ...]
    asked: tuple[str, ...]


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


def queue(store: Store, project: str, user: str, model: ProjectModel | None) -> Queue:
    """What waits for a senior, by entropy times clinical weight.

    To a senior who also reads here nothing is told of a case that they may still be given.

    Args:
        model: of the project; where there is none (yet), the plain share of disagreement.
    """
    found = _disputes(store, project, model)
    standards = kept.standards_of_project(store, project)
    asked = waiting_again(store, project, ADJUDICATION)
    back = {one.case for one in kept.list_adjudications(store, project, kept.SENT_BACK)}
    held = {
        one.case
        for one in kept.list_adjudications(store, project, kept.OPEN)
        if one.senior != user and one.opened > kept.held_since(store)
    }
    mine = kept.cases_with(store, project, user)
    if user in who_reads(store, project):
        held |= kept.cases_with_free_slots(store, project)
    open_ = {case: of for case, of in (found or {}).items() if case not in standards}
    there = [case for case in open_ if case not in asked and case not in held and case not in mine]
    waiting = [_waiting(case, open_[case], model, answered=case in back) for case in there]
    sent = wished_cases(store, project)
    waiting = [replace(one, sent=True) if one.case in sent else one for one in waiting]
    first = sorted(waiting, key=lambda one: (not one.sent, -one.score, one.case))[:_SHOWN]
    rows = get_cases(store, [one.case for one in first])
    return Queue(
        tuple(replace(one, name=rows[one.case].name) for one in first),
        len(waiting),
        sum(case in mine for case in open_),
        len(asked),
        len(standards),
        found is not None,
    )


_Found = dict[str, dict[str, tuple[str, Dispute]]]


def _disputes(store: Store, project: str, model: ProjectModel | None) -> _Found | None:
    """Case -> question -> its prompt and dispute; None where it is not known yet."""
    made: _Found = {}
    at_once = project_progress(store, project).reads <= _AT_ONCE
    if not at_once and model is None:
        return None
    for question in protocol_of(store, project).protocol.questions:
        of = model.questions.get(question.id) if model else None
        if at_once:
            found: Mapping[str, Dispute] = disputes(
                question, said_of_project(store, project, question)
            )
        else:
            found = of.disputes if of else {}
        for case, one in found.items():
            made.setdefault(case, {})[question.id] = (question.prompt, one)
    return made


def _waiting(
    case: str,
    found: Mapping[str, tuple[str, Dispute]],
    model: ProjectModel | None,
    *,
    answered: bool,
) -> Waiting:
    scored = [
        (_entropy(case, question, one, model), one.weight) for question, (_, one) in found.items()
    ]
    entropy, weight = max(scored, key=lambda one: one[0] * one[1])
    return Waiting(case, "", _why(found), entropy, weight, answered)


def _why(found: Mapping[str, tuple[str, Dispute]]) -> tuple[str, ...]:
    return tuple(f"{prompt}: {one.words}" for prompt, one in found.values())


def _entropy(case: str, question: str, one: Dispute, model: ProjectModel | None) -> float:
    of = model.questions.get(question) if model else None
    known = of.entropy.get(case) if of else None
    return one.share if known is None else max(known, LEAST_ENTROPY)


def open_case(store: Store, case: str, user: str) -> Opened:
    """Let a senior look at a case.

    Raises:
        NotFoundError: no such case.
        ConflictError: they read it, another has it in hand, or it has its standard.
        InputError: fewer than two readers read it.
    """
    get_case(store, case)
    reads = [one.id for one in reads_that_count(store, case)]
    return opened(store, kept.open_adjudication(store, case, user, reads).id, user)


def opened(store: Store, adjudication: str, user: str) -> Opened:
    """What a senior sees of a case that they opened.

    Raises:
        NotFoundError: not an adjudication of theirs.
    """
    row = kept.get_adjudication(store, adjudication, user)
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
        _why(found),
        tuple(asked),
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
        letters = LETTERS[: len(row.shown)]
        if said.pick not in letters:
            raise InputError("pick", f"be one of {', '.join(letters)}", said.pick[:10])
        picked = row.shown[letters.index(said.pick)]
        read = next((one for one in reads_that_count(store, row.case) if one.id == picked), None)
        if read is None:
            raise InputError("pick", "be a read that still counts", said.pick, remedy="Load anew.")
        answer, cannot = read.answer, read.cannot_be_read
    elif answer is None:
        raise InputError("decision", "pick a read or give an answer", "neither")
    version = protocol_of(store, row.project)
    image = get_case(store, row.case).image
    size = {name: image[name] for name in ("rows", "columns", "frames")}
    check_answer(version.protocol, answer, **size, complete=not cannot)
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
