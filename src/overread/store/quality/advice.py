"""Hints that a reader saw before a read was sent, and whether they followed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError

MOST = 50
"""Hints of one read that are kept."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One hint that was shown.

    Attributes:
        question: id of the question.
        rule: that spoke.
        finding: id of the drawing that it was about, "" for the whole answer.
        followed: the drawing (or the answer) was changed before the read was sent.
    """

    question: str
    rule: str
    finding: str
    followed: bool


@dataclass(frozen=True, slots=True)
class AdviceCount:
    """How often a rule spoke before reads were sent. Attributes: reads: that it spoke of."""

    rule: str
    shown: int
    followed: int
    reads: int


def keep_advice(store: Store, read: str, reader: str, advice: Sequence[Advice]) -> None:
    """Keep what a reader was told before this read; told twice it is kept once.

    Raises:
        InputError: too many, or texts that are none.
        NotFoundError: no such read of theirs.
    """
    if not advice:
        return
    if len(advice) > MOST:
        raise InputError("advice", f"be {MOST} hints at most", len(advice))
    for one in advice:
        plain_text("question", one.question, longest=40)
        plain_text("rule", one.rule, longest=60)
        plain_text("finding", one.finding, longest=100, empty=True)
    query = sa.select(t.reads.c.project).where(t.reads.c.id == read, t.reads.c.reader == reader)
    before = sa.select(sa.func.count()).where(t.advice.c.read_id == read)
    with store.writing() as connection:
        project = connection.scalar(query)
        if project is None:
            raise NotFoundError("read", read)
        if not connection.scalar(before):
            body = {"read": read, "reader": reader, "advice": [asdict(one) for one in advice]}
            record(connection, store.now(), reader, [("advice_given", project, body)])


def count_advice(store: Store, project: str) -> list[AdviceCount]:
    """How often each rule spoke in a project, and was followed; the most frequent first."""
    rows = t.advice
    followed = sa.func.sum(sa.case((rows.c.followed, 1), else_=0))
    query = (
        sa.select(
            rows.c.rule, sa.func.count(), followed, sa.func.count(sa.distinct(rows.c.read_id))
        )
        .where(rows.c.project == project)
        .group_by(rows.c.rule)
        .order_by(sa.func.count().desc(), rows.c.rule)
    )
    with store.reading() as connection:
        found = connection.execute(query).all()
    return [AdviceCount(rule, int(n), int(yes), int(reads)) for rule, n, yes, reads in found]
