"""What waits for a senior: disagreements of production and disputed gold, the weightiest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from overread.app.analysis.disputes import Dispute, disputes
from overread.app.quality import gold_disputes
from overread.app.study.project_model import ProjectModel, QuestionModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import said_of_project
from overread.app.study.ranked_cases import LEAST_ENTROPY, Ranking
from overread.protocol import headed
from overread.store import Store, get_cases, project_progress
from overread.store.quality import adjudications as kept
from overread.store.quality.wishes import wished_cases
from overread.store.work.asked_again import ADJUDICATION, waiting_again

_AT_ONCE = 2_000
"""Reads up to which disputes are looked for while a page waits; above, the model brings them."""
_SHOWN = 200

_Found = dict[str, dict[str, tuple[str, Dispute]]]


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


def queue(store: Store, project: str, user: str, model: ProjectModel | None) -> Queue:
    """What waits for a senior, by entropy times clinical weight.

    To a senior who also reads here nothing is told of a case that they may still be given.

    Args:
        model: of the project; where there is none (yet), the plain share of disagreement.
    """
    at_once = project_progress(store, project).reads <= _AT_ONCE
    asked = waiting_again(store, project, ADJUDICATION)
    held = {
        one.case
        for one in kept.list_adjudications(store, project, kept.OPEN)
        if one.senior != user and one.opened > kept.held_since(store)
    }
    if user in who_reads(store, project):
        held |= kept.cases_with_free_slots(store, project)
    golds = gold_disputes.waiting(store, project, user)
    shut = _Shut(
        frozenset(kept.standards_of_project(store, project)),
        frozenset(kept.cases_with(store, project, user)),
        frozenset({*asked, *held, *golds}),
        frozenset(wished_cases(store, project)),
    )
    if not at_once and model is not None and model.ranked is not None:
        found = _first_of_ranking(model.ranked, model, shut, _prompts(store, project))
    else:
        found = _among(_disputes(store, project, model, at_once=at_once), model, shut)
    back = {one.case for one in kept.list_adjudications(store, project, kept.SENT_BACK)}
    waiting = [
        replace(one, answered=one.case in back, sent=one.case in shut.sent) for one in found.waiting
    ] + [
        Waiting(case, "", of.words, of.share, of.weight, answered=False, sent=True)
        for case, of in golds.items()
        if case not in held
    ]
    first = sorted(waiting, key=lambda one: (not one.sent, -one.score, one.case))[:_SHOWN]
    rows = get_cases(store, [one.case for one in first])
    return Queue(
        tuple(replace(one, name=rows[one.case].name) for one in first),
        found.count + len(waiting) - len(found.waiting),
        found.own,
        len(asked),
        len(shut.decided),
        at_once or model is not None,
    )


@dataclass(frozen=True, slots=True)
class _Shut:
    """Cases that are not taken from the disputed ones. Args: sent: here first, by a lead."""

    decided: frozenset[str]
    mine: frozenset[str]
    others: frozenset[str]
    sent: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Disputed:
    """Cases that wait: all of them, or the first of ``count``. Args: own: read by the senior."""

    waiting: list[Waiting]
    count: int
    own: int


def _among(found: _Found, model: ProjectModel | None, shut: _Shut) -> _Disputed:
    """Of a small project: each disputed case is looked at."""
    open_ = {case: of for case, of in found.items() if case not in shut.decided}
    there = [case for case in open_ if case not in shut.others and case not in shut.mine]
    waiting = [_waiting(case, open_[case], model) for case in there]
    return _Disputed(waiting, len(waiting), sum(case in shut.mine for case in open_))


def _first_of_ranking(
    ranking: Ranking, model: ProjectModel, shut: _Shut, prompts: Mapping[str, str]
) -> _Disputed:
    """Of a large one: the first of the model's order, and those that a lead sent."""
    order = ranking.in_order(np.arange(len(ranking)))
    open_ = ~np.isin(order, ranking.places(shut.decided))
    mine = np.isin(order, ranking.places(shut.mine))
    there = order[open_ & ~mine & ~np.isin(order, ranking.places(shut.others))]
    sent = there[np.isin(there, ranking.places(shut.sent))]
    names = [ranking.cases[at] for at in dict.fromkeys([*sent.tolist(), *there[:_SHOWN].tolist()])]
    disputed = {
        name: {key: (prompts[key], of.disputes[name]) for key, of in _holding(model, name, prompts)}
        for name in names
    }
    waiting = [_waiting(name, of, model) for name, of in disputed.items() if of]
    return _Disputed(waiting, int(there.size), int((open_ & mine).sum()))


def _holding(
    model: ProjectModel, case: str, prompts: Mapping[str, str]
) -> list[tuple[str, QuestionModel]]:
    """The questions in which a case is disputed."""
    every = model.questions.items()
    return [(key, of) for key, of in every if key in prompts and case in of.disputes]


def _prompts(store: Store, project: str) -> dict[str, str]:
    return {one.id: one.prompt for one in protocol_of(store, project).protocol.questions}


def _disputes(store: Store, project: str, model: ProjectModel | None, *, at_once: bool) -> _Found:
    """Case -> question -> its prompt and dispute; nothing where it is not known yet."""
    made: _Found = {}
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
) -> Waiting:
    scored = [
        (_entropy(case, question, one, model), one.weight) for question, (_, one) in found.items()
    ]
    entropy, weight = max(scored, key=lambda one: one[0] * one[1])
    return Waiting(case, "", why_words(found), entropy, weight, answered=False)


def why_words(found: Mapping[str, tuple[str, Dispute]]) -> tuple[str, ...]:
    """What readers differ on, a sentence a question."""
    return tuple(f"{headed(prompt)} {one.words}" for prompt, one in found.values())


def _entropy(case: str, question: str, one: Dispute, model: ProjectModel | None) -> float:
    of = model.questions.get(question) if model else None
    known = of.entropy.get(case) if of else None
    return one.share if known is None else max(known, LEAST_ENTROPY)
