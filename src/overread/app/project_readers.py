"""Who reads in a project, and who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from overread.errors import InputError
from overread.protocol import read_protocol
from overread.store import Store, accounts, projects, tasks
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
    projects.get_project(store, project)
    if role == "reader" and projects.role_in(store, project, user) is None:
        raise NotFoundError("project", project)


def readers_of(store: Store, project: str) -> list[str]:
    """Ids of those who belong to a project, in the order they came: their colours' order."""
    rows = sorted(projects.list_members(store, project), key=lambda one: (one.since, one.reader))
    return [one.reader for one in rows]


def members(store: Store, project: str) -> list[Member]:
    """Everybody who reads in a project or could, readers first."""
    readers = set(readers_of(store, project))
    made = [
        Member(
            one.id,
            one.name,
            one.role,
            one.id in readers,
            tasks.progress(store, project, one.id).done if one.id in readers else 0,
        )
        for one in accounts.list_users(store)
    ]
    return sorted(made, key=lambda one: (not one.reads, one.role != "reader", one.name.casefold()))


def set_readers(store: Store, project: str, readers: Sequence[str], *, by: str) -> int:
    """Say who reads, and plan who reads what; return the number of tasks that are new.

    Raises:
        InputError: somebody without an account.
        NotFoundError: no such project.
    """
    known = {one.id for one in accounts.list_users(store)}
    strangers = [one for one in readers if one not in known]
    if strangers:
        raise InputError("reader", "have an account", f"{len(strangers)} without one")
    text = projects.get_protocol(store, project, None).text
    before, after = set(readers_of(store, project)), dict.fromkeys(readers)
    for one in after:
        if one not in before:
            projects.set_member(store, project, one, by)
    for one in before - after.keys():
        projects.remove_member(store, project, one, by)
    wanted = read_protocol(text).reads_per_case
    if not readers:
        return 0
    return tasks.plan_tasks(store, project, reads_per_case=wanted, by=by)
