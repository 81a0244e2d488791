"""Who reads in a project, and who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overread.errors import InputError
from overread.protocol import read_protocol
from overread.store import (
    Store,
    get_project,
    get_protocol,
    list_members,
    list_reader_counts,
    list_users,
    plan_tasks,
    remove_member,
    role_in,
    set_member,
)
from overread.store.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who reads, or could."""

    id: str
    name: str
    role: str
    reads: bool
    done: int


def require_member(store: Store, project: str, user: str, *, role: str) -> None:
    """Let leads see every project, and readers those they read.

    Raises:
        NotFoundError: no such project, or not theirs: the two look alike.
    """
    get_project(store, project)
    if role == "reader" and role_in(store, project, user) is None:
        raise NotFoundError("project", project)


def readers_of(store: Store, project: str) -> list[str]:
    """Ids of those who belong to a project, in the order they came: their colours' order."""
    rows = sorted(list_members(store, project), key=lambda one: (one.since, one.reader))
    return [one.reader for one in rows]


def members(store: Store, project: str) -> list[Member]:
    """Everybody who reads in a project or could, readers first."""
    get_project(store, project)
    done = {one.reader: one.done + one.surplus for one in list_reader_counts(store, project)}
    made = [
        Member(
            one.id,
            one.name,
            one.role,
            one.id in done,
            done.get(one.id, 0),
        )
        for one in list_users(store)
        if one.active
    ]
    return sorted(made, key=lambda one: (not one.reads, one.role != "reader", one.name.casefold()))


def set_readers(store: Store, project: str, readers: Sequence[str], *, by: str) -> int:
    """Say who reads, and plan who reads what; return the number of tasks that are new.

    Raises:
        InputError: somebody without an account.
        NotFoundError: no such project.
    """
    known = {one.id for one in list_users(store)}
    strangers = [one for one in readers if one not in known]
    if strangers:
        raise InputError("reader", "have an account", f"{len(strangers)} without one")
    get_project(store, project)
    before, after = set(readers_of(store, project)), dict.fromkeys(readers)
    for one in after:
        if one not in before:
            set_member(store, project, one, by)
    for one in before - after.keys():
        remove_member(store, project, one, by)
    return plan_reads(store, project, by=by) if after else 0


def plan_reads(store: Store, project: str, *, by: str) -> int:
    """Plan as many reads of each case as the protocol asks, open to every reader of the project.

    May be called again after an import: only what is missing is added.
    """
    wanted = read_protocol(get_protocol(store, project).text).reads_per_case
    return plan_tasks(store, project, by, reads_per_case=wanted)
