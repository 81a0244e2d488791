"""What the events of plans and of reads on demand do to the state tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.canonical import canonical_json
from overread.store.events import Event

Body = Mapping[str, Any]


def _plan_written(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(
        t.plans.insert().values(
            id=body["id"],
            project=event.project,
            number=body["number"],
            settings=canonical_json("settings", body["settings"]),
            made_by=event.actor,
            since=event.at,
            event=event.n,
        )
    )
    names = ("task", "batch", "sub_batch", "position", "role")
    rows = [dict(zip(names, row, strict=True)) for row in body["rows"]]
    unplanned(connection, [*body["left_out"], *(row["task"] for row in rows)])
    if rows:
        connection.execute(t.planned.insert(), [row | {"project": event.project} for row in rows])


def unplanned(connection: sa.Connection, tasks: Sequence[str]) -> None:
    """Take the places of tasks out of the plan."""
    for start in range(0, len(tasks), 500):
        this = t.planned.c.task.in_(tasks[start : start + 500])
        connection.execute(t.planned.delete().where(this))


def _demand_decided(connection: sa.Connection, event: Event, body: Body) -> None:
    connection.execute(t.demands.delete().where(t.demands.c.case_id == body["case_id"]))
    row = {key: body[key] for key in ("case_id", "state", "reads", "probability", "task")}
    kept = row | {"project": event.project, "since": event.at, "event": event.n}
    connection.execute(t.demands.insert().values(**kept))


ACTIONS: dict[str, Callable[[sa.Connection, Event, Body], None]] = {
    "plan_written": _plan_written,
    "demand_decided": _demand_decided,
}
