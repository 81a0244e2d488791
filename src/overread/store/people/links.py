"""One-time links: the first admin's set-up, invitations, new passwords, logging in.

The store keeps the hash of a link's token, never the token: who reads the database cannot use
one. Using a link and what it allows are one transaction, so it works once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, stamp
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError
from overread.store.people.accounts import (
    ROLES,
    UserRow,
    email_address,
    get_user,
    insert_user,
    write_password,
)

PURPOSES = ("setup", "invitation", "password", "login")
_OF_A_USER = ("password", "login")


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link that still works.

    Attributes:
        purpose: "setup" (first admin), "invitation" (a new user), "password" (a new password),
            "login" (a session).
        email: whom it is for; "" where they say themselves.
        role: the role an invitation gives.
        project: the project that it leads into, if any.
        expires: when it stops working.
    """

    purpose: str
    email: str
    role: str
    project: str | None
    expires: str


def make_link(
    store: Store,
    purpose: str,
    token_hash: str,
    by: str,
    *,
    seconds: float,
    email: str = "",
    role: str = "reader",
    project: str | None = None,
) -> LinkRow:
    """Keep a link by the SHA-256 (hex) of its token.

    A set-up link replaces the ones before; links for passwords and to log in are for a
    user that exists.

    Raises:
        ConflictError: a set-up link when there is an admin.
        NotFoundError: no such user or project.
    """
    hash_text("token hash", token_hash)
    if purpose not in PURPOSES or role not in ROLES:
        raise InputError("link", f"be for one of {', '.join(PURPOSES)}, with a role", "another")
    if not seconds > 0:
        raise InputError("link", "last for more than 0 seconds", seconds)
    address = email_address(email) if email or purpose in _OF_A_USER else ""
    expires = stamp(store.clock() + timedelta(seconds=seconds))
    with store.writing() as connection:
        _check_link(connection, purpose, address, project)
        if purpose == "setup":
            role = "admin"
            connection.execute(t.links.delete().where(t.links.c.purpose == "setup"))
        row = {"purpose": purpose, "email": address, "role": role, "project": project}
        kept = row | {"created": store.now(), "created_by": by, "expires": expires}
        connection.execute(t.links.insert().values(**kept, token_hash=token_hash, used=None))
        record(connection, store.now(), by, [("link_made", project, row | {"until": expires})])
    return LinkRow(purpose, address, role, project, expires)


def _check_link(connection: sa.Connection, purpose: str, email: str, project: str | None) -> None:
    admin = (t.users.c.role == "admin") & t.users.c.active
    if purpose == "setup" and connection.scalar(sa.select(t.users.c.id).where(admin).limit(1)):
        raise ConflictError("set-up link", "is for the first admin, and there is one")
    if purpose in _OF_A_USER and _user_of(connection, email) is None:
        raise NotFoundError("user", "with this address")
    there = sa.select(t.projects.c.id).where(t.projects.c.id == project)
    if project is not None and not connection.scalar(there):
        raise NotFoundError("project", project)


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that was made and not used, for those who look after people; ``created_by`` an id."""

    token_hash: str
    purpose: str
    email: str
    role: str
    project: str | None
    created: str
    created_by: str
    expires: str


def list_links(store: Store, *, purpose: str) -> list[OpenLink]:
    """List the links of a purpose that still work, the newest first."""
    columns = (t.links.c[name] for name in OpenLink.__dataclass_fields__)
    query = (
        sa.select(*columns)
        .where(t.links.c.purpose == purpose, t.links.c.used.is_(None))
        .where(t.links.c.expires > store.now())
        .order_by(t.links.c.created.desc())
    )
    with store.reading() as connection:
        return [OpenLink(**row._mapping) for row in connection.execute(query)]


def withdraw_link(store: Store, token_hash: str, by: str) -> None:
    """Make a link that was not used yet worthless.

    Raises:
        NotFoundError: there is none, it was used, or it ran out.
    """
    with store.writing() as connection:
        link = _link(connection, token_hash, store.now())
        connection.execute(t.links.delete().where(t.links.c.token_hash == token_hash))
        body = {"purpose": link.purpose, "email": link.email}
        record(connection, store.now(), by, [("link_withdrawn", link.project, body)])


def get_link(store: Store, token_hash: str) -> LinkRow:
    """Look at a link without using it.

    Raises:
        NotFoundError: there is none, it was used, or it ran out: the three look alike.
    """
    with store.reading() as connection:
        return _link(connection, token_hash, store.now())


def use_link(
    store: Store, token_hash: str, password_hash: str, *, name: str = "", email: str = ""
) -> UserRow:
    """Use a link once: make its user (or find the one it is for) and set the password.

    Args:
        store: where.
        token_hash: SHA-256 (hex) of the token.
        password_hash: of the password chosen.
        name: of a new user.
        email: of a new user, where the link does not say.
    Raises:
        NotFoundError: as of :func:`get_link`.
        ConflictError: the address has a user already.
    """
    with store.writing() as connection:
        link = _link(connection, token_hash, store.now())
        user = _user_of(connection, link.email) if link.purpose == "password" else None
        if link.purpose == "login" or (link.purpose == "password" and user is None):
            raise NotFoundError("link", "of this kind")
        user = user or _newcomer(connection, store, link, name, email)
        _used(connection, store, token_hash, link, user)
        write_password(connection, store, user, password_hash, user)
    return get_user(store, user)


def use_login_link(store: Store, token_hash: str) -> tuple[UserRow, LinkRow]:
    """Use a link that logs its user in, once; their password stays as it is.

    Raises:
        NotFoundError: as of :func:`get_link`, or its user was shut out.
    """
    with store.writing() as connection:
        link = _link(connection, token_hash, store.now())
        user = _user_of(connection, link.email) if link.purpose == "login" else None
        if user is None:
            raise NotFoundError("link", "of this kind")
        _used(connection, store, token_hash, link, user)
    return get_user(store, user), link


def _used(
    connection: sa.Connection, store: Store, token_hash: str, link: LinkRow, user: str
) -> None:
    this = (t.links.c.token_hash == token_hash) & t.links.c.used.is_(None)
    if not connection.execute(t.links.update().where(this).values(used=store.now())).rowcount:
        raise NotFoundError("link", "of this kind")
    body: dict[str, Any] = {"purpose": link.purpose, "id": user}
    record(connection, store.now(), user, [("link_used", link.project, body)])


def _user_of(connection: sa.Connection, email: str) -> str | None:
    """Id of the user with this address who is not shut out."""
    query = sa.select(t.users.c.id).where(t.users.c.email == email, t.users.c.active)
    found: str | None = connection.scalar(query)
    return found


def _newcomer(connection: sa.Connection, store: Store, link: LinkRow, name: str, email: str) -> str:
    _check_link(connection, link.purpose, link.email, link.project)
    address = link.email or email
    user = insert_user(connection, store, email=address, name=name, role=link.role, by=None)
    if link.project is not None:
        role = "reader" if link.role == "reader" else "lead"
        body = {"reader": user, "role": role}
        record(connection, store.now(), user, [("member_set", link.project, body)])
    return user


def _link(connection: sa.Connection, token_hash: str, now: str) -> LinkRow:
    columns = (t.links.c[name] for name in ("purpose", "email", "role", "project", "expires"))
    query = sa.select(*columns).where(
        t.links.c.token_hash == hash_text("token hash", token_hash),
        t.links.c.used.is_(None),
        t.links.c.expires > now,
    )
    found = connection.execute(query).first()
    if found is None:
        raise NotFoundError("link", "of this kind")
    return LinkRow(**found._mapping)
