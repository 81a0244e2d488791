"""Projects, the versions of their protocol, and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.protocol import demands_qualification
from overread.store import tables as t
from overread.store.applying.apply import Happened, record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError

ROLES_IN = ("reader", "lead", "both")
"""In a project: who reads, who leads, who does both. Only who reads is given cases."""
_LONGEST_PROTOCOL = 2_000_000


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project. Attributes as kept; times ISO 8601 UTC; ``protocol_version`` the newest.

    ``gated``: nobody reads in it who is not qualified, as its newest protocol demands.
    """

    id: str
    name: str
    created: str
    created_by: str
    archived: bool
    gated: bool
    protocol_version: int


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """One version of a project's protocol; ``text`` is the file as it was given."""

    project: str
    version: int
    text: str
    created: str
    created_by: str


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One who belongs to a project; ``role`` is one of :data:`ROLES_IN` there."""

    reader: str
    name: str
    email: str
    role: str
    since: str
    active: bool


def create_project(
    store: Store, name: str, protocol_text: str, by: str, *, lead: str | None = None
) -> ProjectRow:
    """Create a project with version 1 of its protocol.

    Args:
        store: where.
        name: unique among the projects.
        protocol_text: the protocol file, already checked by ``overread.protocol``.
        by: the user's id, or "system".
        lead: the user who leads it from the start; None for nobody yet.
    Raises:
        ConflictError: another project has the name.
    """
    plain_text("project name", name, longest=200)
    plain_text("protocol", protocol_text, longest=_LONGEST_PROTOCOL)
    key = store.new_id()
    with store.writing() as connection:
        if connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.name == name)):
            raise ConflictError("project", "has a name that another project has")
        happened: list[Happened] = [
            ("project_created", key, {"name": name}),
            ("protocol_added", key, _version(1, protocol_text)),
        ]
        if lead is not None:
            happened.append(("member_set", key, {"reader": lead, "role": "lead"}))
        record(connection, store.now(), by, happened)
    return get_project(store, key)


def change_project(
    store: Store, project: str, by: str, *, name: str | None = None, archived: bool | None = None
) -> ProjectRow:
    """Rename a project, or put it away and take it back."""
    get_project(store, project)
    change: dict[str, object] = {} if archived is None else {"archived": archived}
    if name is not None:
        change["name"] = plain_text("project name", name, longest=200)
    with store.writing() as connection:
        same = sa.select(t.projects.c.id).where(
            t.projects.c.name == name, t.projects.c.id != project
        )
        if name is not None and connection.scalar(same):
            raise ConflictError("project", "has a name that another project has")
        record(connection, store.now(), by, [("project_changed", project, change)])
    return get_project(store, project)


def add_protocol_version(
    store: Store, project: str, text: str, by: str, *, base_version: int
) -> ProtocolRow:
    """Add the next version of the protocol; the versions before stay as they are.

    Args:
        store: where.
        project: its id.
        text: the new file. The text of the newest version again adds nothing.
        by: the user's id.
        base_version: the version it was made from.
    Raises:
        ConflictError: another version came in between; ``current_version`` tells which.
    """
    plain_text("protocol", text, longest=_LONGEST_PROTOCOL)
    with store.writing() as connection:
        newest = connection.execute(
            sa.select(t.protocols)
            .where(t.protocols.c.project == project)
            .order_by(t.protocols.c.version.desc())
            .limit(1)
        ).first()
        if newest is None:
            raise NotFoundError("project", project)
        if newest.text != text:
            if newest.version != base_version:
                rule = "was changed by somebody else meanwhile"
                raise ConflictError("protocol", rule, current_version=newest.version)
            body = _version(newest.version + 1, text)
            record(connection, store.now(), by, [("protocol_added", project, body)])
    return get_protocol(store, project)


def _version(version: int, text: str) -> dict[str, Any]:
    """What the log says of a version: also whether its readers must be qualified."""
    body: dict[str, Any] = {"version": version, "text": text}
    return body | {"gated": True} if demands_qualification(text) else body


def get_protocol(store: Store, project: str, version: int | None = None) -> ProtocolRow:
    """Get one version of a protocol; None for the newest.

    Raises:
        NotFoundError: no such project or version.
    """
    with store.reading() as connection:
        if version is None:
            found = connection.execute(_newest_protocol(), {"p": project}).first()
        else:
            found = connection.execute(_protocol(), {"p": project, "v": version}).first()
    if found is None:
        raise NotFoundError("protocol of project", project)
    return ProtocolRow(**found._mapping)


def get_project(store: Store, project: str) -> ProjectRow:
    """Get one project.

    Raises:
        NotFoundError: no such project.
    """
    with store.reading() as connection:
        found = connection.execute(_project(), {"p": project}).first()
    if found is None:
        raise NotFoundError("project", project)
    return ProjectRow(**found._mapping)


def list_projects(
    store: Store, *, member: str | None = None, leads: bool = False, archived: bool = False
) -> list[ProjectRow]:
    """List projects by name.

    Args:
        store: where.
        member: only those this user belongs to.
        leads: only those that ``member`` leads.
        archived: also those put away.
    """
    query = _projects().order_by(t.projects.c.name)
    if member is not None:
        mine = sa.select(t.members.c.project).where(t.members.c.reader == member)
        if leads:
            mine = mine.where(t.members.c.role.in_(("lead", "both")))
        query = query.where(t.projects.c.id.in_(mine))
    if not archived:
        query = query.where(~t.projects.c.archived)
    with store.reading() as connection:
        return [ProjectRow(**row._mapping) for row in connection.execute(query)]


def _projects() -> sa.Select[Any]:
    newest = (
        sa.select(sa.func.max(t.protocols.c.version))
        .where(t.protocols.c.project == t.projects.c.id)
        .scalar_subquery()
    )
    shown = (column for column in t.projects.c if column.name != "last_position")
    return sa.select(*shown, newest.label("protocol_version"))


def set_member(store: Store, project: str, reader: str, by: str, *, role: str = "reader") -> None:
    """Take a user into a project, or change the role there (one of :data:`ROLES_IN`)."""
    if role not in ROLES_IN:
        raise InputError("role in a project", f"be one of {', '.join(ROLES_IN)}", "another word")
    get_project(store, project)
    with store.writing() as connection:
        if not connection.scalar(sa.select(t.users.c.id).where(t.users.c.id == reader)):
            raise NotFoundError("user", reader)
        this = (t.members.c.project == project) & (t.members.c.reader == reader)
        if connection.scalar(sa.select(t.members.c.role).where(this)) != role:
            body = {"reader": reader, "role": role}
            record(connection, store.now(), by, [("member_set", project, body)])


def remove_member(store: Store, project: str, reader: str, by: str) -> None:
    """Take a user out of a project; reads stay, and nothing more can be claimed."""
    with store.writing() as connection:
        this = (t.members.c.project == project) & (t.members.c.reader == reader)
        if connection.scalar(sa.select(t.members.c.role).where(this)) is None:
            raise NotFoundError("member", reader)
        record(connection, store.now(), by, [("member_removed", project, {"reader": reader})])


def list_members(store: Store, project: str) -> list[MemberRow]:
    """List who belongs to a project, by name."""
    query = (
        sa.select(
            t.members.c.reader,
            t.users.c.name,
            t.users.c.email,
            t.members.c.role,
            t.members.c.since,
            t.users.c.active,
        )
        .join(t.users, t.users.c.id == t.members.c.reader)
        .where(t.members.c.project == project)
        .order_by(t.users.c.name, t.users.c.id)
    )
    with store.reading() as connection:
        return [MemberRow(**row._mapping) for row in connection.execute(query)]


def role_in(store: Store, project: str, reader: str) -> str | None:
    """Tell a user's role in a project: "senior" for who only adjudicates; None for strangers."""
    with store.reading() as connection:
        role: str | None = connection.scalar(_role(), {"p": project, "r": reader})
        if role is None:
            role = connection.scalar(_senior(), {"p": project, "r": reader})
    return role


# Asked for with nearly every request, so built once.


@cache
def _role() -> sa.Select[Any]:
    members = t.members.c
    this = (members.project == sa.bindparam("p")) & (members.reader == sa.bindparam("r"))
    return sa.select(members.role).where(this)


@cache
def _senior() -> sa.Select[Any]:
    seniors = t.seniors.c
    this = (seniors.project == sa.bindparam("p")) & (seniors.reader == sa.bindparam("r"))
    return sa.select(sa.literal("senior")).where(this)


@cache
def _project() -> sa.Select[Any]:
    return _projects().where(t.projects.c.id == sa.bindparam("p"))


@cache
def _protocol() -> sa.Select[Any]:
    this = (t.protocols.c.project == sa.bindparam("p")) & (
        t.protocols.c.version == sa.bindparam("v")
    )
    return sa.select(t.protocols).where(this)


@cache
def _newest_protocol() -> sa.Select[Any]:
    query = sa.select(t.protocols).where(t.protocols.c.project == sa.bindparam("p"))
    return query.order_by(t.protocols.c.version.desc()).limit(1)
