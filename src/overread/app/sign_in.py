"""Who somebody is: accounts, sessions, and failures to log in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from overread.store import Store, accounts


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account.

    Args:
        role: "reader", "lead" or "admin".
    """

    id: str
    name: str
    email: str
    role: str
    created: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the hash of its password; None where it signs on elsewhere only."""

    user: User
    password_hash: str | None = field(repr=False)


def user_of(row: accounts.UserRow) -> User:
    """A user as the store keeps one."""
    return User(row.id, row.name, row.email, row.role, row.created)


def account(store: Store, email: str) -> Account | None:
    """The account of an e-mail address; None where there is none."""
    row = accounts.user_by_email(store, email.strip().casefold())
    return None if row is None else Account(user_of(row), row.password_hash)


def begin_session(store: Store, user: str, token_hash: str, *, lasts: timedelta) -> None:
    """Keep a session; the store sees the hash of its token only."""
    accounts.create_session(store, user, token_hash, lasts=lasts)


def session_user(store: Store, token_hash: str) -> User | None:
    """Whose session this is; None where it is over, or never was."""
    row = accounts.session_user(store, token_hash)
    return None if row is None else user_of(row)


def end_session(store: Store, token_hash: str) -> None:
    """End a session for good."""
    accounts.end_session(store, token_hash)


def failed_too_often(store: Store, most: Mapping[str, int], *, within: timedelta) -> bool:
    """Whether any of these keys failed too often of late.

    Args:
        most: key (a keyed hash, never an address) -> failures that are still let pass.
        within: how long a failure counts.
    """
    return any(
        accounts.count_failures(store, key, within=within) >= limit for key, limit in most.items()
    )


def note_failure(store: Store, keys: Sequence[str]) -> None:
    """Count a failure for each key."""
    accounts.add_failure(store, keys)
