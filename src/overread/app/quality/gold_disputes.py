"""Disputed gold among what waits for seniors: weighed without knowing which answer is the gold.

Nobody decides who answered the case themselves. What is decided marks anew whoever was scored on
it; certificates stay, with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overread.app.analysis.disputes import dispute
from overread.app.analysis.mask_frames import packed
from overread.app.quality.gold_figures import verdict
from overread.app.quality.gold_marks import marks_of
from overread.app.study.project_protocol import protocol_of
from overread.labels import Kind
from overread.protocol import Protocol, headed
from overread.store import Store, get_case
from overread.store.errors import NotFoundError
from overread.store.quality.adjudications import AdjudicationRow
from overread.store.quality.gold_disputes import (
    Ruled,
    Shown,
    decide_dispute,
    dispute_answers,
    disputed_answers,
    disputes_for,
    open_dispute,
    settle_as_wrong,
)


@dataclass(frozen=True, slots=True)
class Disputed:
    """What is disputed in a gold case. Args: share, weight, words: as of a case of production."""

    dispute: str
    share: float
    weight: float
    words: tuple[str, ...]


def waiting(store: Store, project: str, user: str) -> dict[str, Disputed]:
    """Case -> its open dispute, where this senior may decide; few, as disputes are."""
    found = disputes_for(store, project, user)
    if not found:
        return {}
    protocol = protocol_of(store, project).protocol
    return {
        case: _disputed(protocol, key, disputed_answers(store, key)) for case, key in found.items()
    }


def _disputed(protocol: Protocol, key: str, answers: list[Shown]) -> Disputed:
    share, weight, words = 0.0, 1.0, []
    asked = set(answers[0].answer)  # what the gold answers
    for question in protocol.questions:
        if question.id not in asked:
            continue
        values = [
            None if one.cannot_be_read else _packed(question.kind, one.answer[question.id])
            for one in answers
            if one.cannot_be_read or question.id in one.answer
        ]
        this = dispute(question, values)
        if this.share > 0:
            share, weight = max(share, this.share), max(weight, this.weight)
            words.append(f"{headed(question.prompt)} {this.words}")
    return Disputed(key, share or 1.0, weight, tuple(words))


def _packed(kind: Kind, value: Any) -> Any:
    return packed(value) if kind is Kind.MASK else value


def open_case(store: Store, project: str, case: str, user: str) -> AdjudicationRow:
    """Let a senior weigh a disputed case.

    Raises:
        NotFoundError: it has no dispute that they may decide.
        ConflictError: another senior has it in hand.
    """
    found = disputes_for(store, project, user).get(case)
    if found is None:
        raise NotFoundError("dispute about case", case)
    return open_dispute(store, found, user)


def answers(store: Store, row: AdjudicationRow) -> list[Shown]:
    """The answers in the order drawn for the senior."""
    return dispute_answers(store, row)


def why(store: Store, row: AdjudicationRow) -> tuple[str, ...]:
    """What they differ on, in words."""
    protocol = protocol_of(store, row.project).protocol
    return _disputed(protocol, row.dispute or "", disputed_answers(store, row.dispute or "")).words


def decide(
    store: Store,
    row: AdjudicationRow,
    answer: Mapping[str, Any],
    *,
    cannot_be_read: bool,
    picked: str,
    words: str,
    seconds: float,
) -> Ruled:
    """Keep a senior's decision; errors as of the store."""
    now = protocol_of(store, row.project)
    return decide_dispute(
        store,
        row.id,
        row.senior,
        answer=answer,
        cannot_be_read=cannot_be_read,
        words=words,
        picked=picked,
        seconds=seconds,
        protocol_version=now.version,
        remark=_remark(store, now.protocol, row.case),
        judge=lambda all_: verdict(now.protocol, all_),
    )


def settle_wrong(store: Store, project: str, dispute_: str, words: str, *, by: str) -> Ruled:
    """Let the lead say that a gold was wrong: it counts for nobody any more."""
    protocol = protocol_of(store, project).protocol
    return settle_as_wrong(
        store,
        dispute_,
        words,
        by,
        remark=lambda _right, _said, _case: {},
        judge=lambda all_: verdict(protocol, all_),
    )


def _remark(store: Store, protocol: Protocol, case: str) -> Any:
    image = get_case(store, case).image

    def remark(
        right: Mapping[str, Any], said: Mapping[str, Any] | None, _case: str
    ) -> Mapping[str, Any]:
        return marks_of(protocol, right, said, image)

    return remark
