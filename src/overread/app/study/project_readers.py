"""Who reads in a project, who leads it, and who may see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from overread.errors import InputError
from overread.protocol import read_protocol
from overread.store import (
    Store,
    get_alarm,
    get_case,
    get_project,
    get_protocol,
    get_read,
    list_members,
    list_reader_counts,
    list_users,
    plan_tasks,
    project_of_task,
    remove_member,
    role_in,
    set_member,
)
from overread.store.errors import NotFoundError
from overread.store.work.plans import get_plan

_LEADS = ("lead", "both")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who reads or leads, or could."""

    id: str
    name: str
    role: str
    reads: bool
    leads: bool
    done: int


def require_member(store: Store, project: str, user: str, *, role: str) -> None:
    """Let admins see every project, and everybody else those they belong to.

    Raises:
        NotFoundError: no such project, or not theirs: the two look alike.
    """
    get_project(store, project)
    if role != "admin" and role_in(store, project, user) is None:
        raise NotFoundError("project", project)


def require_lead(store: Store, project: str, user: str, *, role: str) -> None:
    """Let admins into every project, and leads into those they lead.

    Raises:
        NotFoundError: no such project, or not theirs: the two look alike.
    """
    get_project(store, project)
    if role != "admin" and not (role == "lead" and role_in(store, project, user) in _LEADS):
        raise NotFoundError("project", project)


def project_with(store: Store, what: str, key: str) -> str:
    """The project that something belongs to.

    Args:
        what: "project", "case", "task", "read" or "alarm".
        key: its id.

    Raises:
        NotFoundError: there is no such thing.
    """
    if what == "case":
        return get_case(store, key).project
    if what == "task":
        return project_of_task(store, key)
    if what == "read":
        return get_read(store, key).project
    if what == "alarm":
        return get_alarm(store, key).project
    return key


def readers_of(store: Store, project: str) -> list[str]:
    """Ids of those who belong to a project, in the order of their colours.

    Who reads comes first, in the order they came; who only leads comes behind.
    """
    rows = list_members(store, project)
    rows = sorted(rows, key=lambda one: (one.role == "lead", one.since, one.reader))
    return [one.reader for one in rows]


def who_reads(store: Store, project: str) -> list[str]:
    """Ids of those who read in a project, in the order of their colours."""
    reading = {one.reader for one in list_members(store, project) if one.role != "lead"}
    return [one for one in readers_of(store, project) if one in reading]


def members(store: Store, project: str) -> list[Member]:
    """Everybody who reads in a project or could, readers first."""
    get_project(store, project)
    done = {one.reader: one.done + one.surplus for one in list_reader_counts(store, project)}
    roles = {one.reader: one.role for one in list_members(store, project)}
    made = [
        Member(
            one.id,
            one.name,
            one.role,
            roles.get(one.id, "lead") != "lead",
            roles.get(one.id) in _LEADS,
            done.get(one.id, 0),
        )
        for one in list_users(store)
        if one.active or one.id in roles
    ]
    return sorted(made, key=lambda one: (not one.reads, one.role != "reader", one.name.casefold()))


def set_readers(
    store: Store,
    project: str,
    readers: Sequence[str],
    *,
    by: str,
    leads: Collection[str] | None = None,
) -> int:
    """Say who reads and who leads, and plan who reads what; return the number of new tasks.

    Args:
        readers: ids of those who read.
        leads: ids of those who lead; None leaves them as they are.
    Raises:
        InputError: somebody without an account, or a lead who is only a reader here.
        NotFoundError: no such project.
    """
    people = {one.id: one for one in list_users(store)}
    strangers = [one for one in (*readers, *(leads or ())) if one not in people]
    if strangers:
        raise InputError("reader", "have an account", f"{len(strangers)} without one")
    if any(people[one].role == "reader" for one in leads or ()):
        raise InputError("lead", "have the role lead or admin", "a reader")
    get_project(store, project)
    before = {one.reader: one.role for one in list_members(store, project)}
    if leads is None:
        leads = [one for one, role in before.items() if role in _LEADS]
    after = {one: "both" if one in leads else "reader" for one in readers}
    after |= {one: "lead" for one in leads if one not in after}
    for one, role in after.items():
        if before.get(one) != role:
            set_member(store, project, one, by, role=role)
    for one in before.keys() - after.keys():
        remove_member(store, project, one, by)
    return plan_reads(store, project, by=by) if readers else 0


def is_planned(store: Store, project: str) -> bool:
    """Tell whether a plan says who reads what; else tasks go to whoever comes first."""
    return get_plan(store, project) is not None


def plan_reads(store: Store, project: str, *, by: str) -> int:
    """Plan as many reads of each case as the protocol asks, open to every reader of the project.

    May be called again after an import: only what is missing is added. Where a plan is in force
    nothing is: a lead plans again what is left (:mod:`overread.app.study.plan_project`). Nothing
    is planned either where a model learns: it asks for the cases it wants to have read.
    """
    if is_planned(store, project):
        return 0
    protocol = read_protocol(get_protocol(store, project).text)
    if protocol.learning is not None:
        return 0
    return plan_tasks(store, project, by, reads_per_case=protocol.reads_per_case)
