"""A project of any size, written in bulk: the same events and rows as the store's own work makes.

A test rebuilds the state from the log and finds it equal, so the short cut hides nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from overread.protocol import template
from overread.store import Store, add_user, create_project, set_member, set_password
from overread.store import tables as t
from overread.store.canonical import canonical_json, digest
from overread.store.events import append
from overread.web.access.passwords import hash_password
from tests.live.study import PASSWORD

_CHUNK = 1_000
_SLOTS = 3


@dataclass(frozen=True)
class Large:
    """Of the project: two of its cases, the read-out first and the untouched last.

    ``readers`` are addresses to log in with, ``first_reader`` is an id.
    """

    project: str
    lead: str
    readers: tuple[str, ...]
    first_reader: str
    first_case: str
    last_case: str
    reads: int


def fill(store: Store, *, cases: int, readers: int = 20, blob: str) -> Large:
    """Three slots a case; of ten cases six are read out, two have one read, two have none."""
    lead = add_user(store, "lead@example.org", "Lea Lead", "lead", "system").id
    hashed = hash_password(PASSWORD)
    set_password(store, lead, hashed, lead)
    project = create_project(store, "Large", template("knee-grade"), lead, lead=lead).id
    emails = [f"reader{k}@example.org" for k in range(readers)]
    people = [
        add_user(store, one, f"Reader {k}", "reader", lead).id for k, one in enumerate(emails)
    ]
    for one in people:
        set_password(store, one, hashed, one)
        set_member(store, project, one, lead)
    for start in range(0, cases, _CHUNK):
        numbers = range(start, min(start + _CHUNK, cases))
        with store.writing() as connection:
            _write(connection, store.now(), project, lead, people, numbers, cases, blob)
    reads = sum(_said(k, cases) for k in range(cases))
    ends = _id("case", 0), _id("case", cases - 1)
    return Large(project, "lead@example.org", tuple(emails), people[0], *ends, reads)


def _write(  # noqa: PLR0917
    connection: sa.Connection,
    now: str,
    project: str,
    lead: str,
    people: list[str],
    numbers: range,
    cases: int,
    blob: str,
) -> None:
    bodies = [_case(k, blob) for k in numbers]
    append(connection, now, lead, [("case_added", project, body) for body in bodies])
    fixed = {"project": project, "added": now}
    connection.execute(t.cases.insert(), [_case_row(b, cases) | fixed for b in bodies])
    slots = [
        [_id("slot", k, s), _id("case", k), 0, s, k * _SLOTS + s + 1, None]
        for k in numbers
        for s in range(_SLOTS)
    ]
    append(connection, now, lead, [("slots_planned", project, {"slots": slots})])
    last = {"last_position": slots[-1][4]}
    connection.execute(t.projects.update().where(t.projects.c.id == project).values(**last))
    done = [(k, s) for k in numbers for s in range(_said(k, cases))]
    by = {(k, s): people[(k * _SLOTS + s) % len(people)] for k, s in done}
    names = ("id", "case_id", "round", "slot", "position", "planned_for")
    rows = [dict(zip(names, slot, strict=True)) for slot in slots]
    for row in rows:
        key = (row["position"] - 1) // _SLOTS, row["slot"]
        row |= {"project": project, "reader": by.get(key), "state": "done" if key in by else "open"}
    connection.execute(t.tasks.insert(), rows)
    if done:
        _write_reads(connection, now, project, by)


def _write_reads(
    connection: sa.Connection, now: str, project: str, by: dict[tuple[int, int], str]
) -> None:
    reads = []
    for reader in sorted(set(by.values())):  # all of one reader's at once: the log is asked less
        bodies = [_read(k, s, reader) for (k, s), one in by.items() if one == reader]
        tasks = [body["task"] for body in bodies]
        held = ("tasks_claimed", project, {"tasks": tasks, "reader": reader, "until": now})
        said = [("read_submitted", project, body) for body in bodies]
        _, *events = append(connection, now, reader, [held, *said])
        for body, event in zip(bodies, events, strict=True):
            row = {c.name: body[c.name] for c in t.reads.c if c.name in body}
            row |= {"event": event.n, "project": project, "submitted": now}
            reads.append(row | {"answer": canonical_json("answer", body["answer"])})
    connection.execute(t.reads.insert(), reads)
    grants = [{"task": row["task"], "reader": row["reader"], "first": now} for row in reads]
    connection.execute(t.grants.insert(), grants)


def _case(k: int, blob: str) -> dict[str, Any]:
    return {
        "id": _id("case", k),
        "number": k + 1,
        "name": f"case {k + 1:06}",
        "content_hash": digest(f"content {k}"),
        "group_key": digest(f"patient {k // 2}"),
        "modality": ("DX", "CR", "MR")[k % 3],
        "meta": {"sex": "FM"[k % 2], "age_band": f"{20 + k % 6 * 10}-{29 + k % 6 * 10}"},
        "image": {
            "rows": 64,
            "columns": 64,
            "frames": 1,
            "samples": 1,
            "dtype": "uint16",
            "windows": [{"center": 2048.0, "width": 4096.0, "name": "default"}],
            "modality": ("DX", "CR", "MR")[k % 3],
        },
        "frames": [blob],
        "thumbnail": None,
    }


def _case_row(body: dict[str, Any], cases: int) -> dict[str, Any]:
    said = _said(body["number"] - 1, cases)
    state = {"state": "done" if said == _SLOTS else "open", "free": _SLOTS - said}
    texts = {key: canonical_json(key, body[key]) for key in ("meta", "image", "frames")}
    return body | texts | state


def _said(k: int, cases: int) -> int:
    """Reads of a case."""
    return _SLOTS if k < 0.6 * cases else int(k < 0.8 * cases)


def _read(k: int, s: int, reader: str) -> dict[str, Any]:
    said = {"grade": str((k + (s == 2 and k % 5 == 0)) % 5)}
    return {
        "id": _id("read", k, s),
        "task": _id("slot", k, s),
        "case_id": _id("case", k),
        "reader": reader,
        "round": 0,
        "revision": 1,
        "protocol_version": 1,
        "answer": said,
        "cannot_be_read": False,
        "ask_a_senior": False,
        "comment": "",
        "seconds": float(3 + k % 7),
        "surplus": False,
        "said": digest(json.dumps(said)),
        "closes_task": True,
    }


def _id(*parts: object) -> str:
    return str(UUID(digest(repr(parts))[:32], version=4))
