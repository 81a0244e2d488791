"""Server-side sessions by the hash of their token, and failed logins to slow guessing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.canonical import digest, hash_text, plain_text, stamp
from overread.store.engine import Store
from overread.store.people.accounts import UserRow, get_user


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that holds; ``csrf`` is what a page must send with every change."""

    reader: str
    csrf: str
    created: str
    seen: str
    expires: str


_SESSION = (  # asked for with every request: built once
    sa.select(
        *(t.sessions.c[name] for name in ("reader", "csrf", "seen", "expires")),
        t.sessions.c.created.label("since"),
        t.users,
    )
    .join(t.users, t.users.c.id == t.sessions.c.reader)
    .where(
        t.sessions.c.token_hash == sa.bindparam("hash"),
        t.users.c.active,
        t.sessions.c.expires > sa.bindparam("now"),
    )
)


def open_session(
    store: Store, user: str, token_hash: str, csrf: str, *, seconds: float
) -> SessionRow:
    """Open a session; sessions that ran out are cleared on the way.

    Args:
        store: where.
        user: whose.
        token_hash: SHA-256 (hex) of the cookie's token.
        csrf: the token against forged requests.
        seconds: how long it holds at most.
    Raises:
        NotFoundError: no such user.
        InputError: the user is not active.
    """
    hash_text("token hash", token_hash)
    plain_text("csrf", csrf)
    if not get_user(store, user).active:
        raise InputError("user", "be active to log in", "one who is not")
    now, expires = store.now(), stamp(store.clock() + timedelta(seconds=seconds))
    row = SessionRow(user, csrf, now, now, expires)
    with store.writing() as connection:
        connection.execute(t.sessions.delete().where(t.sessions.c.expires <= now))
        connection.execute(
            t.sessions.insert().values(
                token_hash=token_hash,
                reader=user,
                csrf=csrf,
                created=now,
                seen=now,
                expires=expires,
            )
        )
    return row


def find_session(
    store: Store, token_hash: str, *, idle_seconds: float | None = None, touch_seconds: float = 300
) -> tuple[SessionRow, UserRow] | None:
    """Find the session and the user of a cookie; None where it does not hold (any more).

    Args:
        store: where.
        token_hash: SHA-256 (hex) of the cookie's token.
        idle_seconds: also None when it was last seen longer ago than this.
        touch_seconds: note that it was seen, if the last note is older: no write a request.
    """
    hash_text("token hash", token_hash)
    with store.reading() as connection:
        found = connection.execute(_SESSION, {"hash": token_hash, "now": store.now()}).first()
    if found is None:
        return None
    row = dict(found._mapping)
    user = UserRow(
        **{key: row[key] for key in ("id", "email", "name", "role", "active", "created")}
    )
    session = SessionRow(row["reader"], row["csrf"], row["since"], row["seen"], row["expires"])
    if idle_seconds is not None and session.seen < _ago(store, idle_seconds):
        return None
    if session.seen < _ago(store, touch_seconds):
        this = t.sessions.c.token_hash == token_hash
        with store.writing() as connection:
            connection.execute(t.sessions.update().where(this).values(seen=store.now()))
    return session, user


def close_session(store: Store, token_hash: str) -> None:
    """End a session; one that is not there is fine."""
    with store.writing() as connection:
        connection.execute(t.sessions.delete().where(t.sessions.c.token_hash == token_hash))


def close_sessions(store: Store, user: str) -> None:
    """End all sessions of a user."""
    with store.writing() as connection:
        connection.execute(t.sessions.delete().where(t.sessions.c.reader == user))


def login_failed(store: Store, who: str) -> None:
    """Note a failed login of ``who``: an address as typed, or a network address.

    It is kept as a hash, for people type passwords into the wrong field.
    """
    row = {"id": store.new_id(), "who": digest(repr(who)), "at": store.now()}
    with store.writing() as connection:
        connection.execute(t.login_failures.insert().values(**row))


def login_failures(store: Store, who: str, *, seconds: float) -> int:
    """Count the failed logins of ``who`` within the last seconds."""
    this = (t.login_failures.c.who == digest(repr(who))) & (
        t.login_failures.c.at > _ago(store, seconds)
    )
    with store.reading() as connection:
        count = sa.select(sa.func.count()).select_from(t.login_failures).where(this)
        return connection.scalar(count) or 0


def forget_login_failures(store: Store, who: str | None = None, *, older: float = 0) -> None:
    """Forget failed logins: of ``who``, or of all, older than so many seconds."""
    query = t.login_failures.delete().where(t.login_failures.c.at <= _ago(store, older))
    if who is not None:
        query = query.where(t.login_failures.c.who == digest(repr(who)))
    with store.writing() as connection:
        connection.execute(query)


def _ago(store: Store, seconds: float) -> str:
    return stamp(store.clock() - timedelta(seconds=seconds))
