"""Pauses of readers, those that are over too: read from the log, which alone keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.engine import Store

# As in the index of schema/version_14, letter for letter: only so do both databases use it.
_PAUSES = sa.text("action IN ('reader_paused', 'reader_released')")


@dataclass(frozen=True, slots=True)
class PastPause:
    """A pause of a reader, by an alarm or by hand.

    Attributes:
        since, by, reason: when it began, whose act it was ("system", a user's id), and why.
        alarm: the alarm that paused them; "" by hand.
        until, ended_by, why_ended: of its end; "" while it stands.
        ended_alarm: the alarm with whose decision it ended; "" by hand.
    """

    reader: str
    since: str
    by: str
    reason: str
    alarm: str
    until: str = ""
    ended_by: str = ""
    why_ended: str = ""
    ended_alarm: str = ""


def past_pauses(store: Store, project: str, *, reader: str | None = None) -> list[PastPause]:
    """List every pause that there was, the first first; those that stand have no end."""
    of = t.events.c
    query = sa.select(of.at, of.actor, of.action, of.body).where(of.project == project, _PAUSES)
    with store.reading() as connection:
        found = connection.execute(query.order_by(of.n)).all()
    made: list[PastPause] = []
    standing: dict[str, int] = {}
    for at, actor, action, text in found:
        body = json.loads(text)
        who, alarm = str(body["reader"]), body["alarm"] or ""
        if reader is not None and who != reader:
            continue
        if action == "reader_paused":
            standing[who] = len(made)
            made.append(PastPause(who, at, actor, body["reason"], alarm))
        elif who in standing:
            place = standing.pop(who)
            one = made[place]
            began = (one.reader, one.since, one.by, one.reason, one.alarm)
            made[place] = PastPause(*began, at, actor, body["reason"], alarm)
    return made
