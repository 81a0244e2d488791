"""State from the log alone, and a digest of every state table to compare two stores by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import apply
from overread.store.canonical import canonical_json, digest
from overread.store.engine import Store
from overread.store.errors import BrokenLogError
from overread.store.events import Event, Head, head, verify_events, write_events

_BATCH = 500


def rebuild(events: Iterable[Event], store: Store) -> Head:
    """Replay a log into an empty store, checking the chain on the way.

    Working tables stay empty: nobody is logged in, passwords are set anew by link, tasks that
    were held count as expired (their readers still may submit), drafts are gone.

    Args:
        events: the whole log in order, as of ``read_events`` or ``load_events``.
        store: an empty store; of either database, whatever the log came from.
    Returns:
        The head of the rebuilt log, equal to that of the replayed one.
    Raises:
        InputError: the store is not empty.
        BrokenLogError: the chain does not hold; the events before the break were replayed.
    """
    if head(store).n:
        raise InputError("store", "be empty for a rebuild", "a store with events")
    checked = _checked(iter(events))
    while batch := list(islice(checked, _BATCH)):
        with store.writing() as connection:
            write_events(connection, batch)
            for event in batch:
                apply(connection, event)
    return head(store)


def _checked(events: Iterator[Event]) -> Iterator[Event]:
    """Let events through that follow from the one before."""
    last: Event | None = None
    for event in events:
        pair = iter([event]) if last is None else iter([last, event])
        if last is None:
            verdict = verify_events(pair)
        else:
            verdict = verify_events(pair, start=Head(last.n - 1, last.previous_hash))
        if not verdict.sound:
            raise BrokenLogError(f"event {verdict.at} of the log: {verdict.problem}")
        last = event
        yield event


def dump_events(events: Iterable[Event]) -> Iterator[str]:
    """Write events as lines of JSON, one an event."""
    for event in events:
        parts = [event.n, event.at, event.actor, event.action, event.project, event.body]
        yield canonical_json("event", [*parts, event.previous_hash, event.hash]) + "\n"


def load_events(lines: Iterable[str]) -> Iterator[Event]:
    """Read the lines of :func:`dump_events`.

    Raises:
        InputError: a line is not an event; its number is told.
    """
    for number, line in enumerate(lines, start=1):
        try:
            yield Event(*json.loads(line))
        except (ValueError, TypeError) as error:
            raise InputError("line", "hold one event", "something else", rows=[number]) from error


def state_digests(store: Store) -> dict[str, str]:
    """SHA-256 of each state table's rows, the same on both databases for the same state."""
    return {table.name: digest("\n".join(_rows(store, table))) for table in t.STATE}


def _rows(store: Store, table: sa.Table) -> list[str]:
    with store.reading() as connection:
        found = connection.execute(sa.select(table)).all()
    return sorted(canonical_json("row", list(row)) for row in found)
