"""Disputes about gold answers, decided by a senior who does not know which answer is the gold.

A decision settles every open dispute of the gold case, keeps the answer or puts another in its
place, marks anew whoever was scored on it, and tells all of it in the log, in one transaction. A
certificate stays, with a note; who had failed by the wrong answer alone is qualified.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import canonical_json, digest, plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.quality.adjudications import (
    OPEN,
    AdjudicationRow,
    adjudication_row,
    get_adjudication,
    held_since,
)
from overread.store.quality.dry_runs import Judge
from overread.store.quality.qualification import KEPT, WRONG

GOLD, TRIAL = "gold", "trial"
"""What is shown: "gold:<id>" or "trial:<id>"."""
_MOST_SHOWN = 6

Remark = Callable[[Mapping[str, Any], Mapping[str, Any] | None, str], Mapping[str, Any]]
"""Marks of an answer (None: cannot be read) beside a right one, on a case (its id)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer that a senior weighs; ``key`` says to the store what it is, and to nobody else."""

    key: str
    answer: dict[str, Any]
    cannot_be_read: bool


@dataclass(frozen=True, slots=True)
class Ruled:
    """What came of a decision.

    Attributes:
        state: "kept" or "wrong".
        gold: id of the gold case that took the old one's place; None where none did.
        remarked: readers who were marked anew.
        qualified: of these, those who have a certificate by it.
    """

    state: str
    gold: str | None
    remarked: tuple[str, ...]
    qualified: tuple[str, ...]


def disputes_for(store: Store, project: str, senior: str) -> dict[str, str]:
    """Case -> the open dispute about its gold, where this senior answered nothing about it."""
    disputes = t.disputes.c
    query = (
        sa.select(disputes.case_id, sa.func.min(disputes.id))
        .join(t.gold, t.gold.c.id == disputes.gold)
        .where(disputes.project == project, disputes.state == "open", t.gold.c.state == "active")
        .where(*(~one for one in _answered(disputes.case_id, senior)))
        .group_by(disputes.case_id)
    )
    with store.reading() as connection:
        return {str(case): str(dispute) for case, dispute in connection.execute(query)}


def _answered(case: sa.ColumnElement[Any], senior: str) -> tuple[sa.Exists, ...]:
    tasks = t.tasks.c
    return (
        sa.exists().where(t.trials.c.case_id == case, t.trials.c.reader == senior),
        sa.exists().where(t.reads.c.case_id == case, t.reads.c.reader == senior),
        sa.exists().where(
            tasks.case_id == case, (tasks.reader == senior) | (tasks.planned_for == senior)
        ),
    )


def open_dispute(store: Store, dispute: str, senior: str) -> AdjudicationRow:
    """Let a senior weigh the answers of a disputed gold case.

    Raises:
        NotFoundError: no such dispute that is open.
        ConflictError: they answered the case, or another senior has it in hand.
    """
    with store.writing() as connection:
        row = _open(connection, dispute)
        had = _answered(sa.literal(row.case_id), senior)
        if any(connection.scalar(sa.select(one)) for one in had):
            rule = "was read by you, or is yours to read: another senior decides"
            raise ConflictError("case", rule)
        rows = t.adjudications.c
        query = sa.select(t.adjudications).where(rows.case_id == row.case_id).order_by(rows.number)
        before = connection.execute(query).all()
        keys = [one.key for one in _answers(connection, row)]
        happened: list[Happened] = []
        for one in (each for each in before if each.state == OPEN):
            same = one.dispute == dispute and set(json.loads(one.shown)) == set(keys)
            if one.senior == senior and same:
                return adjudication_row(one)
            if one.senior != senior and one.opened > held_since(store):
                raise ConflictError("case", "is in another senior's hand")
            happened.append(("adjudication_left", row.project, {"id": one.id}))
        key = store.new_id()
        body = {
            "id": key, "case_id": row.case_id, "number": len(before) + 1, "senior": senior,
            "shown": sorted(keys, key=lambda each: digest(f"{key} {each}")), "task": None,
            "dispute": dispute,
        }  # fmt: skip
        happened.append(("adjudication_opened", row.project, body))
        record(connection, store.now(), senior, happened)
    return get_adjudication(store, key, senior)


def dispute_answers(store: Store, adjudication: AdjudicationRow) -> list[Shown]:
    """The answers of a dispute that a senior opened, in the order drawn for them."""
    with store.reading() as connection:
        disputes = t.disputes.c
        row = connection.execute(
            sa.select(t.disputes).where(disputes.id == adjudication.dispute)
        ).one()
        there = {one.key: one for one in _answers(connection, row)}
    return [there[one] for one in adjudication.shown if one in there]


def disputed_answers(store: Store, dispute: str) -> list[Shown]:
    """The answers of a dispute, the gold first: not for a senior's eyes in this order.

    Raises:
        NotFoundError: there is none of the id.
    """
    with store.reading() as connection:
        query = sa.select(t.disputes).where(t.disputes.c.id == dispute)
        row = connection.execute(query).first()
        if row is None:
            raise NotFoundError("dispute", dispute)
        return _answers(connection, row)


def _open(connection: sa.Connection, dispute: str) -> sa.Row[Any]:
    query = sa.select(t.disputes).where(t.disputes.c.id == dispute, t.disputes.c.state == "open")
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("dispute", dispute)
    return row


def _answers(connection: sa.Connection, dispute: sa.Row[Any]) -> list[Shown]:
    """The gold, the answer of who disputes it, and others' answers in dry runs."""
    gold = connection.execute(sa.select(t.gold).where(t.gold.c.id == dispute.gold)).one()
    trials = t.trials.c
    query = sa.select(trials.id, trials.answer, trials.cannot_be_read).where(
        trials.gold == dispute.gold, trials.submitted.is_not(None)
    )
    found = connection.execute(query.order_by(trials.id != dispute.trial, trials.submitted)).all()
    return [
        Shown(f"{GOLD}:{gold.id}", json.loads(gold.answer), False),
        *(
            Shown(f"{TRIAL}:{one.id}", json.loads(one.answer), bool(one.cannot_be_read))
            for one in found[: _MOST_SHOWN - 1]
        ),
    ]


def decide_dispute(
    store: Store,
    adjudication: str,
    senior: str,
    *,
    answer: Mapping[str, Any],
    cannot_be_read: bool,
    words: str,
    picked: str,
    seconds: float,
    protocol_version: int,
    remark: Remark,
    judge: Judge,
) -> Ruled:
    """Keep what a senior decided about a disputed gold answer.

    Args:
        answer: that is right; of the questions that the gold answers, the others are left out.
        cannot_be_read: the case is no gold for anybody.
        picked: key of the answer that was taken as it is; "" for one of their own.
        remark, judge: marks of an answer beside a right one; the verdict on a run.
    Raises:
        InputError: no reason.
        NotFoundError: not an adjudication of theirs.
        ConflictError: it is no longer open, or the gold was retired meanwhile.
    """
    plain_text("reason", words, longest=4_000)
    with store.writing() as connection:
        row = _in_hand(connection, adjudication, senior)
        dispute = connection.execute(
            sa.select(t.disputes).where(t.disputes.c.id == row.dispute)
        ).one()
        if dispute.state != "open":
            raise ConflictError("dispute", "was settled meanwhile")
        gold = _active(connection, dispute.gold)
        before = json.loads(gold.answer)
        right = {name: answer[name] for name in before if name in answer}
        kept = not cannot_be_read and canonical_json("a", right) == canonical_json("a", before)
        body = {"id": adjudication, "words": words, "picked": picked, "seconds": float(seconds)}
        body |= {"answer": dict(answer), "cannot_be_read": cannot_be_read}
        happened: list[Happened] = [("dispute_adjudicated", row.project, body)]
        new = None if kept or cannot_be_read or not right else right
        ruled = _settling(
            connection, store, gold, words=words, kept=kept, new=new, source=adjudication,
            protocol_version=protocol_version, remark=remark, judge=judge,
        )  # fmt: skip
        record(connection, store.now(), senior, [*happened, *ruled[0]])
    return ruled[1]


def settle_as_wrong(
    store: Store, dispute: str, words: str, by: str, *, remark: Remark, judge: Judge
) -> Ruled:
    """Let a lead settle a dispute: the gold was wrong, retires, and counts for nobody.

    Raises:
        InputError: no words.
        NotFoundError: no such dispute that is open.
        ConflictError: the gold was retired meanwhile.
    """
    plain_text("decision", words, longest=4_000)
    with store.writing() as connection:
        row = _open(connection, dispute)
        gold = _active(connection, row.gold)
        happened, ruled = _settling(
            connection, store, gold, words=words, kept=False, new=None, source="",
            protocol_version=gold.protocol_version, remark=remark, judge=judge,
        )  # fmt: skip
        record(connection, store.now(), by, happened)
    return ruled


def _in_hand(connection: sa.Connection, adjudication: str, senior: str) -> sa.Row[Any]:
    rows = t.adjudications.c
    query = sa.select(t.adjudications).where(rows.id == adjudication, rows.senior == senior)
    row = connection.execute(query).first()
    if row is None or row.dispute is None:
        raise NotFoundError("adjudication", adjudication)
    if row.state != OPEN:
        raise ConflictError("adjudication", "is no longer open")
    return row


def _active(connection: sa.Connection, gold: str) -> sa.Row[Any]:
    query = sa.select(t.gold).where(t.gold.c.id == gold, t.gold.c.state == "active")
    row = connection.execute(query).first()
    if row is None:
        raise ConflictError("gold case", "was retired meanwhile")
    return row


def _settling(
    connection: sa.Connection,
    store: Store,
    gold: sa.Row[Any],
    *,
    words: str,
    kept: bool,
    new: Mapping[str, Any] | None,
    source: str,
    protocol_version: int,
    remark: Remark,
    judge: Judge,
) -> tuple[list[Happened], Ruled]:
    state = KEPT if kept else WRONG
    open_ = sa.select(t.disputes.c.id).where(
        t.disputes.c.gold == gold.id, t.disputes.c.state == "open"
    )
    happened: list[Happened] = [
        ("dispute_settled", gold.project, {"dispute": one, "state": state, "decision": words})
        for one in connection.scalars(open_.order_by(t.disputes.c.id))
    ]
    if kept:
        return happened, Ruled(state, None, (), ())
    retired = {"gold": gold.id, "reason": f"disputed: {words}"[:2_000]}
    happened.append(("gold_retired", gold.project, retired))
    key = None
    if new is not None:
        key = store.new_id()
        body = {
            "id": key, "case_id": gold.case_id, "pool": gold.pool, "answer": dict(new),
            "protocol_version": protocol_version, "source": source, "atlas": gold.atlas,
        }  # fmt: skip
        happened.append(("gold_added", gold.project, {"gold": [body]}))
    more, remarked, qualified = _remarking(connection, gold, new, remark, judge)
    return [*happened, *more], Ruled(state, key, remarked, qualified)


def _remarking(
    connection: sa.Connection,
    gold: sa.Row[Any],
    new: Mapping[str, Any] | None,
    remark: Remark,
    judge: Judge,
) -> tuple[list[Happened], tuple[str, ...], tuple[str, ...]]:
    trials = t.trials.c
    query = sa.select(t.trials).where(trials.gold == gold.id, trials.submitted.is_not(None))
    found = connection.execute(query.order_by(trials.submitted, trials.id)).all()
    marks: dict[str, Mapping[str, Any]] = {}
    for one in found:
        said = None if one.cannot_be_read else json.loads(one.answer)
        marks[one.id] = {} if new is None else remark(new, said, gold.case_id)
    if not found:
        return [], (), ()
    told = [{"trial": key, "marks": dict(one)} for key, one in marks.items()]
    remarked = {"gold": gold.id, "trials": told}
    happened: list[Happened] = [("trials_remarked", gold.project, remarked)]
    qualified: list[str] = []
    for reader, run in dict.fromkeys((one.reader, one.run) for one in found):
        more, passed = _rescored(connection, gold, reader, run, marks, judge)
        happened += more
        qualified += [reader] if passed else []
    return happened, tuple(dict.fromkeys(one.reader for one in found)), tuple(qualified)


def _rescored(  # noqa: PLR0917 - one run of one reader
    connection: sa.Connection,
    gold: sa.Row[Any],
    reader: str,
    number: int,
    marks: Mapping[str, Mapping[str, Any]],
    judge: Judge,
) -> tuple[list[Happened], bool]:
    runs, trials = t.runs.c, t.trials.c
    of = (runs.project == gold.project, runs.reader == reader, runs.run == number)
    run = connection.execute(sa.select(t.runs).where(*of)).one()
    if run.state == "open":
        return [], False  # its verdict comes with its last case
    query = sa.select(trials.id, trials.marks, trials.case_id).where(
        trials.project == gold.project, trials.reader == reader, trials.run == number,
        trials.submitted.is_not(None),
    )  # fmt: skip
    cases = connection.execute(query.order_by(trials.number)).all()
    now = [dict(marks[one.id]) if one.id in marks else json.loads(one.marks) for one in cases]
    verdict = judge(now)
    better = verdict.passed and run.state == "failed"
    body: dict[str, Any] = {"reader": reader, "run": number, "score": dict(verdict.score)}
    body["passed"] = verdict.passed or run.state == "passed"
    happened: list[Happened] = [("run_rescored", gold.project, body)]
    certified = sa.select(t.qualifications.c.since).where(
        t.qualifications.c.project == gold.project, t.qualifications.c.reader == reader
    )
    if connection.scalar(certified) is not None:
        words = "still reaches" if verdict.passed else "would no longer reach"
        note = f"a right answer of run {number} was corrected; marked anew it {words} the mark"
        noted = {"reader": reader, "note": note, "score": dict(verdict.score)}
        happened.append(("qualification_noted", gold.project, noted))
        return happened, False
    if better:
        certificate = {
            "reader": reader, "how": "dry run, marked anew after a right answer was corrected",
            "protocol_version": run.protocol_version,
            "score": dict(verdict.score) | {"run": number},
            "cases": sorted({one.case_id for one in cases}),
        }  # fmt: skip
        happened.append(("reader_qualified", gold.project, certificate))
    return happened, better
