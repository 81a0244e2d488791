"""The event log: append-only, hash-chained, written with the state that it explains.

An event's hash is SHA-256 over the canonical JSON of ``[n, at, actor, action, project, body,
previous_hash]``, the body being itself canonical JSON text. So an edit, a removal in the middle
or a change of order breaks the chain. A cut at the end does not: only a head that was exported
before shows it, which is why :func:`verify` takes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json, digest
from overread.store.engine import Store

START = "0" * 64
"""The hash before the first event."""

_PAGE = 2_000
_COLUMNS = tuple(t.events.c)
_HEAD = sa.select(t.events.c.n, t.events.c.hash).order_by(t.events.c.n.desc()).limit(1)
_INSERT = t.events.insert()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        n: its number, from 1, without gaps.
        at: when, ISO 8601 UTC.
        actor: who: a user's id, or "system".
        action: what ("read_submitted").
        project: id of the project, None where there is none.
        body: canonical JSON text of the rest.
        previous_hash, hash: the chain.
    """

    n: int
    at: str
    actor: str
    action: str
    project: str | None
    body: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The last event's number and hash: keep it outside the store, and a cut shows."""

    n: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What :func:`verify` found.

    Attributes:
        sound: nothing is wrong.
        events: how many were looked at.
        at: number of the first event that is wrong, None when sound.
        problem: what is wrong there, "" when sound.
    """

    sound: bool
    events: int
    at: int | None = None
    problem: str = ""


def event_hash(event: Event) -> str:
    """The hash an event must have."""
    parts = [event.n, event.at, event.actor, event.action, event.project, event.body]
    return digest(canonical_json("event", [*parts, event.previous_hash]))


def append(
    connection: sa.Connection,
    at: str,
    actor: str,
    happened: Sequence[tuple[str, str | None, dict[str, Any]]],
) -> list[Event]:
    """Append events, each (action, project, body), in the transaction that is open."""
    last = _head(connection)
    made: list[Event] = []
    for action, project, body in happened:
        text = canonical_json("body", body)
        bare = Event(last.n + 1, at, actor, action, project, text, last.hash, "")
        last = Head(bare.n, event_hash(bare))
        made.append(Event(bare.n, at, actor, action, project, text, bare.previous_hash, last.hash))
    if made:
        write_events(connection, made)
    return made


def write_events(connection: sa.Connection, made: Sequence[Event]) -> None:
    """Write events as they are; their number is the primary key, so none can be written over."""
    connection.execute(
        _INSERT,
        [{c.name: getattr(event, c.name) for c in _COLUMNS} for event in made],
    )


def head(store: Store) -> Head:
    """Tell the head of the log: number 0 and zeros where nothing happened yet."""
    with store.reading() as connection:
        return _head(connection)


def _head(connection: sa.Connection) -> Head:
    found = connection.execute(_HEAD).first()
    return Head(found.n, found.hash) if found else Head(0, START)


def read_events(
    store: Store, *, after: int = 0, until: int | None = None, project: str | None = None
) -> Iterator[Event]:
    """Go through the log in order, page by page, each page a short look of its own.

    Args:
        store: where.
        after: leave out the events up to this number.
        until: stop after this number; None for the head at the start.
        project: of this project alone; None for all.
    """
    last = head(store).n if until is None else until
    while True:
        query = sa.select(*_COLUMNS).where(t.events.c.n > after, t.events.c.n <= last)
        if project is not None:
            query = query.where(t.events.c.project == project)
        with store.reading() as connection:
            page = connection.execute(query.order_by(t.events.c.n).limit(_PAGE)).all()
        yield from (Event(*row) for row in page)
        if len(page) < _PAGE:
            return
        after = page[-1].n


def verify(store: Store, head: Head | None = None) -> Verdict:
    """Check the whole chain.

    Args:
        store: where.
        head: one that was exported before; without it a cut at the end is not seen.
    """
    return verify_events(read_events(store), head)


def verify_events(
    events: Iterator[Event], head: Head | None = None, *, start: Head | None = None
) -> Verdict:
    """Check a chain that goes on from ``start`` (the very beginning); as of :func:`verify`."""
    last = start or Head(0, START)
    held = head is None or head == last
    for event in events:
        problem = _problem(event, last)
        if head is not None and event.n == head.n:
            held = event.hash == head.hash
            problem = problem or ("" if held else "it is not the one of the exported head")
        if problem:
            return Verdict(sound=False, events=last.n, at=event.n, problem=problem)
        last = Head(event.n, event.hash)
    if not held:
        problem = "events up to the exported head are missing"
        return Verdict(sound=False, events=last.n, at=last.n + 1, problem=problem)
    return Verdict(sound=True, events=last.n)


def _problem(event: Event, last: Head) -> str:
    if event.n != last.n + 1:
        return f"event {last.n + 1} is missing or out of order"
    if event.previous_hash != last.hash:
        return "it does not follow from the event before it"
    if event_hash(event) != event.hash:
        return "its content was changed"
    return ""
