"""Users and their passwords' hashes. Hashing itself is done above the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import plain_text
from overread.store.engine import Store
from overread.store.errors import ConflictError, NotFoundError

ROLES = ("reader", "lead", "admin")
_LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user; ``role`` is one of :data:`ROLES`; who is not ``active`` cannot log in."""

    id: str
    email: str
    name: str
    role: str
    active: bool
    created: str


def add_user(store: Store, email: str, name: str, role: str, by: str) -> UserRow:
    """Add a user without a password (a link, or single sign-on, comes next).

    Raises:
        ConflictError: another user has the address.
    """
    with store.writing() as connection:
        key = insert_user(connection, store, email=email, name=name, role=role, by=by)
    return get_user(store, key)


def insert_user(
    connection: sa.Connection, store: Store, *, email: str, name: str, role: str, by: str | None
) -> str:
    """Add a user in the transaction that is open; ``by`` None for themselves."""
    key = store.new_id()
    body = {
        "id": key,
        "email": email_address(email),
        "name": plain_text("name", name, longest=200),
        "role": _role(role),
    }
    same = sa.select(t.users.c.id).where(t.users.c.email == body["email"])
    if connection.scalar(same):
        raise ConflictError("user", "has an e-mail address that another user has")
    record(connection, store.now(), by or key, [("user_added", None, body)])
    return key


def change_user(
    store: Store,
    user: str,
    by: str,
    *,
    name: str | None = None,
    role: str | None = None,
    active: bool | None = None,
) -> UserRow:
    """Change a user's name or role, or shut them out and let them in again.

    A change of role, or being shut out, ends their sessions.

    Raises:
        ConflictError: nobody active would be left who is admin.
    """
    change: dict[str, object] = {} if active is None else {"active": active}
    if name is not None:
        change["name"] = plain_text("name", name, longest=200)
    if role is not None:
        change["role"] = _role(role)
    with store.writing() as connection:
        found = connection.execute(sa.select(t.users).where(t.users.c.id == user)).first()
        if found is None:
            raise NotFoundError("user", user)
        body = {key: value for key, value in change.items() if found._mapping[key] != value}
        loses = body.get("active") is False or body.get("role") not in {None, "admin"}
        if found.role == "admin" and found.active and loses and _admins(connection) == 1:
            raise ConflictError("user", "is the last active admin")
        if body:
            record(connection, store.now(), by, [("user_changed", None, {"id": user, **body})])
        if {"role", "active"} & set(body):
            connection.execute(t.sessions.delete().where(t.sessions.c.reader == user))
    return get_user(store, user)


def get_user(store: Store, user: str) -> UserRow:
    """Get one user.

    Raises:
        NotFoundError: no such user.
    """
    with store.reading() as connection:
        found = connection.execute(sa.select(t.users).where(t.users.c.id == user)).first()
    if found is None:
        raise NotFoundError("user", user)
    return UserRow(**found._mapping)


def find_user(store: Store, email: str) -> tuple[UserRow, str | None] | None:
    """Find the user with this address and the hash of their password, for the login.

    Returns:
        The user, also one who is not active, and the hash, None where none was set; None where
        nobody has the address.
    """
    query = (
        sa.select(t.users, t.passwords.c.hash)
        .outerjoin(t.passwords, t.passwords.c.reader == t.users.c.id)
        .where(t.users.c.email == email.strip().lower())
    )
    if "\x00" in email or not email.isprintable():
        return None
    with store.reading() as connection:
        found = connection.execute(query).first()
    if found is None:
        return None
    row = dict(found._mapping)
    hashed = row.pop("hash")
    return UserRow(**row), hashed


def list_users(store: Store, *, keys: Sequence[str] | None = None) -> list[UserRow]:
    """List the users by name; ``keys`` for these ids alone."""
    query = sa.select(t.users).order_by(t.users.c.name, t.users.c.id)
    if keys is not None:
        query = query.where(t.users.c.id.in_(keys))
    with store.reading() as connection:
        return [UserRow(**row._mapping) for row in connection.execute(query)]


def any_admin(store: Store) -> bool:
    """Tell if there is an active admin: before the first, a set-up link is due."""
    with store.reading() as connection:
        return _admins(connection) > 0


def set_password(store: Store, user: str, password_hash: str, by: str) -> None:
    """Keep the hash of a new password and end the user's sessions; the log tells only that."""
    get_user(store, user)
    with store.writing() as connection:
        write_password(connection, store, user, password_hash, by)


def write_password(
    connection: sa.Connection, store: Store, user: str, password_hash: str, by: str
) -> None:
    """As of :func:`set_password`, in the transaction that is open."""
    plain_text("password hash", password_hash, longest=1_000)
    connection.execute(t.passwords.delete().where(t.passwords.c.reader == user))
    row = {"reader": user, "hash": password_hash, "changed": store.now()}
    connection.execute(t.passwords.insert().values(**row))
    connection.execute(t.sessions.delete().where(t.sessions.c.reader == user))
    record(connection, store.now(), by, [("password_changed", None, {"id": user})])


def replace_password_hash(store: Store, user: str, old: str, new: str) -> None:
    """Keep the same password under newer hash settings, unless it was changed meanwhile."""
    plain_text("password hash", new, longest=1_000)
    this = (t.passwords.c.reader == user) & (t.passwords.c.hash == old)
    with store.writing() as connection:
        connection.execute(t.passwords.update().where(this).values(hash=new))


def email_address(text: str) -> str:
    """Check an e-mail address and spell it in lower case.

    Raises:
        InputError: it is none.
    """
    plain_text("e-mail address", text, longest=_LONGEST_EMAIL)
    address = text.strip().lower()
    name, at, host = address.rpartition("@")
    if not (name and at and host) or any(c.isspace() or not c.isprintable() for c in address):
        raise InputError("e-mail address", "have the form name@host", "another text")
    return address


def _role(role: str) -> str:
    if role not in ROLES:
        raise InputError("role", f"be one of {', '.join(ROLES)}", "another word")
    return role


def _admins(connection: sa.Connection) -> int:
    this = (t.users.c.role == "admin") & t.users.c.active
    return connection.scalar(sa.select(sa.func.count()).select_from(t.users).where(this)) or 0
