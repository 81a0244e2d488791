"""People and their accounts: projects, new passwords, shutting out, open invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from overread.app.study.invite import link
from overread.errors import InputError
from overread.store import (
    LinkRow,
    OpenLink,
    Store,
    UserRow,
    change_user,
    find_user,
    get_user,
    list_links,
    list_projects,
    list_users,
    make_link,
    projects_by_member,
    set_password,
    use_link,
    withdraw_link,
)
from overread.store.errors import NotFoundError

PASSWORD_LASTS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class InProject:
    """A project somebody belongs to. Args: does: "reads", "leads", "leads and reads"."""

    id: str
    name: str
    does: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, as a lead or admin sees them.

    Args:
        projects: those that the one who looks may see.
        mine: who looks may make a link for a new password, and shut them out.
    """

    id: str
    name: str
    email: str
    role: str
    active: bool
    created: str
    projects: tuple[InProject, ...]
    mine: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was not used yet. Args: key: the hash of its token."""

    key: str
    email: str
    role: str
    expires: str
    invited_by: str


_DOES = {"reader": "reads", "lead": "leads", "both": "leads and reads"}


def people(store: Store, *, by: str, role: str) -> list[Person]:
    """Everybody with an account, by name; those shut out last."""
    belongs = projects_by_member(store)
    names = {one.id: one.name for one in list_projects(store, archived=True)}
    seen = {one for one in names if role == "admin"} | _led(belongs, by)
    made = [
        Person(
            one.id,
            one.name,
            one.email,
            one.role,
            one.active,
            one.created,
            tuple(
                InProject(project, names[project], _DOES[does])
                for project, does in belongs.get(one.id, ())
                if project in seen
            ),
            _is_mine(belongs, one, by=by, role=role),
        )
        for one in list_users(store)
    ]
    return sorted(made, key=lambda one: not one.active)


def _led(belongs: dict[str, list[tuple[str, str]]], user: str) -> set[str]:
    return {project for project, does in belongs.get(user, ()) if does != "reader"}


def _is_mine(
    belongs: dict[str, list[tuple[str, str]]], one: UserRow, *, by: str, role: str
) -> bool:
    """Admins look after everybody, leads after readers of their projects and of no other.

    Who can set a password can log in with it, so nobody gets at another's project this way.
    """
    if role == "admin":
        return True
    theirs = {project for project, _ in belongs.get(one.id, ())}
    return one.role == "reader" and bool(theirs) and theirs <= _led(belongs, by)


def require_mine(store: Store, person: str, *, by: str, role: str) -> UserRow:
    """Somebody whom this lead or admin looks after.

    Raises:
        NotFoundError: nobody of the kind.
    """
    found = get_user(store, person)
    if not _is_mine(projects_by_member(store), found, by=by, role=role):
        raise NotFoundError("person", person)
    return found


def new_password_link(
    store: Store, person: str, *, token_hash: str, by: str, role: str
) -> tuple[UserRow, LinkRow]:
    """Make a one-time link for a new password; the old one holds until the link is used.

    Raises:
        NotFoundError: nobody whom they look after, or somebody who is shut out.
    """
    found = require_mine(store, person, by=by, role=role)
    seconds = PASSWORD_LASTS.total_seconds()
    made = make_link(store, "password", token_hash, by, seconds=seconds, email=found.email)
    return found, made


def use_password_link(store: Store, token_hash: str, password_hash: str) -> UserRow:
    """Set the password by a link; sessions that were open end.

    Raises:
        NotFoundError: the link is used up or its time is over.
    """
    if link(store, token_hash, "password") is None:
        raise NotFoundError("link", "of this kind")
    return use_link(store, token_hash, password_hash)


def password_hash_of(store: Store, user: str) -> str | None:
    """The hash of somebody's password; None where they sign on elsewhere."""
    found = find_user(store, get_user(store, user).email)
    return found[1] if found else None


def change_password(store: Store, user: str, password_hash: str) -> None:
    """Set one's own password; sessions that were open end."""
    set_password(store, user, password_hash, user)


def set_active(store: Store, person: str, *, active: bool, by: str, role: str) -> None:
    """Shut somebody out, or let them in again. Their reads stay.

    Raises:
        NotFoundError: nobody whom they look after.
        InputError: oneself.
        ConflictError: nobody active would be left who is admin.
    """
    require_mine(store, person, by=by, role=role)
    if person == by:
        raise InputError("person", "be somebody else", "yourself")
    change_user(store, person, by, active=active)


def invitations(store: Store, *, by: str, role: str) -> list[Invitation]:
    """Invitations that were not used yet: admins see all, leads their own."""
    names = {one.id: one.name for one in list_users(store)}
    return [
        Invitation(one.token_hash, one.email, one.role, one.expires, names.get(one.created_by, ""))
        for one in list_links(store, purpose="invitation")
        if _may_withdraw(one, by=by, role=role)
    ]


def withdraw(store: Store, key: str, *, by: str, role: str) -> None:
    """Make an invitation worthless.

    Raises:
        NotFoundError: none of theirs.
    """
    for one in list_links(store, purpose="invitation"):
        if one.token_hash == key and _may_withdraw(one, by=by, role=role):
            withdraw_link(store, key, by)
            return
    raise NotFoundError("invitation", "of this kind")


def _may_withdraw(one: OpenLink, *, by: str, role: str) -> bool:
    return role == "admin" or one.created_by == by
