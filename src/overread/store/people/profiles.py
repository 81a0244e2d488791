"""Who readers are, as they say themselves; and what a lead waived for somebody, with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import json_object, plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError

PROFILE, RUN = "profile", "run"
"""What can be waived: that the profile fits; that no further run is left."""


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """A demand that was waived for a reader; ``what`` is "profile" or "run" (one more of them)."""

    reader: str
    what: str
    reason: str
    since: str
    waived_by: str


def set_profile(store: Store, reader: str, profile: Mapping[str, Any], by: str) -> None:
    """Keep the profile of a reader; the one before stays in the log. The same again is no event.

    Raises:
        NotFoundError: no such user.
    """
    kept = json_object("profile", profile)
    with store.writing() as connection:
        if not connection.scalar(sa.select(t.users.c.id).where(t.users.c.id == reader)):
            raise NotFoundError("user", reader)
        before = connection.scalar(
            sa.select(t.profiles.c.profile).where(t.profiles.c.reader == reader)
        )
        if before is None or json.loads(before) != kept:
            body = {"reader": reader, "profile": kept}
            record(connection, store.now(), by, [("profile_changed", None, body)])


def get_profiles(store: Store, readers: list[str]) -> dict[str, dict[str, Any]]:
    """Profiles by reader; who has none is left out."""
    rows = t.profiles.c
    query = sa.select(rows.reader, rows.profile).where(rows.reader.in_(readers))
    with store.reading() as connection:
        return {row.reader: json.loads(row.profile) for row in connection.execute(query)}


def waive(store: Store, project: str, reader: str, what: str, *, reason: str, by: str) -> None:
    """Waive a demand for a reader.

    Args:
        what: "profile" (it need not fit) or "run" (one more dry run).
        reason: why; it goes into the log.
    Raises:
        InputError: no reason.
        NotFoundError: they do not read in the project.
    """
    if what not in {PROFILE, RUN}:
        raise InputError("what is waived", f"be {PROFILE} or {RUN}", "another word")
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        check_reads(connection, project, reader)
        body = {"id": store.new_id(), "reader": reader, "what": what, "reason": reason}
        record(connection, store.now(), by, [("demand_waived", project, body)])


def list_waivers(store: Store, project: str) -> list[WaiverRow]:
    """What was waived in a project, in the order of time."""
    query = sa.select(t.waivers).where(t.waivers.c.project == project)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(t.waivers.c.since, t.waivers.c.id)).all()
    return [WaiverRow(row.reader, row.what, row.reason, row.since, row.waived_by) for row in rows]


def check_reads(connection: sa.Connection, project: str, reader: str) -> None:
    """Refuse somebody who does not read in a project.

    Raises:
        NotFoundError: they do not.
    """
    members = t.members.c
    role = connection.scalar(
        sa.select(members.role).where(members.project == project, members.reader == reader)
    )
    if role is None or role == "lead":
        raise NotFoundError("project", project)
