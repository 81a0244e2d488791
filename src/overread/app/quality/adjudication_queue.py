"""What waits for a senior: disagreements of production and disputed gold, the weightiest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from overread.app.analysis.disputes import Dispute, disputes
from overread.app.quality import gold_disputes
from overread.app.study.project_model import ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import said_of_project
from overread.app.study.ranked_cases import LEAST_ENTROPY
from overread.protocol import headed
from overread.store import Store, get_cases, project_progress
from overread.store import adjudications as kept
from overread.store.asked_again import ADJUDICATION, waiting_again
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
    golds = gold_disputes.waiting(store, project, user)
    waiting = [one for one in waiting if one.case not in golds]
    waiting += [
        Waiting(case, "", of.words, of.share, of.weight, answered=False, sent=True)
        for case, of in golds.items()
        if case not in held
    ]
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
    return Waiting(case, "", why_words(found), entropy, weight, answered)


def why_words(found: Mapping[str, tuple[str, Dispute]]) -> tuple[str, ...]:
    """What readers differ on, a sentence a question."""
    return tuple(f"{headed(prompt)} {one.words}" for prompt, one in found.values())


def _entropy(case: str, question: str, one: Dispute, model: ProjectModel | None) -> float:
    of = model.questions.get(question) if model else None
    known = of.entropy.get(case) if of else None
    return one.share if known is None else max(known, LEAST_ENTROPY)
