"""Who somebody is: accounts, sessions, and failures to log in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from overread.errors import InputError
from overread.store import (
    LinkRow,
    Store,
    UserRow,
    close_session,
    find_session,
    find_user,
    get_link,
    login_failed,
    login_failures,
    make_link,
    open_session,
    use_login_link,
)
from overread.store.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the hash of its password; None where it signs on elsewhere only."""

    user: UserRow
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds. Args: csrf: what every change must carry."""

    user: UserRow
    csrf: str = field(repr=False)


def account(store: Store, email: str) -> Account | None:
    """The account of an e-mail address; None where there is none, or its owner is shut out."""
    found = find_user(store, email)
    if found is None or not found[0].active:
        return None
    return Account(*found)


def begin_session(store: Store, user: str, token_hash: str, csrf: str, *, lasts: timedelta) -> None:
    """Keep a session; the store sees the hash of its token only."""
    open_session(store, user, token_hash, csrf, seconds=lasts.total_seconds())


def session_of(store: Store, token_hash: str) -> Session | None:
    """The session of a token; None where it is over, or never was."""
    found = find_session(store, token_hash)
    return None if found is None else Session(found[1], found[0].csrf)


def end_session(store: Store, token_hash: str) -> None:
    """End a session for good."""
    close_session(store, token_hash)


def failed_too_often(store: Store, most: Mapping[str, int], *, within: timedelta) -> bool:
    """Whether any of these keys failed too often of late.

    Args:
        most: key (a keyed hash, never an address) -> failures that are still let pass.
        within: how long a failure counts.
    """
    seconds = within.total_seconds()
    return any(login_failures(store, key, seconds=seconds) >= n for key, n in most.items())


def note_failure(store: Store, keys: Sequence[str]) -> None:
    """Count a failure for each key."""
    for key in keys:
        login_failed(store, key)


def open_login_link(
    store: Store, email: str, token_hash: str, *, lasts: timedelta, by: str, project: str = ""
) -> LinkRow:
    """Keep a link that logs somebody in once, by the hash of its token.

    Args:
        project: where it leads; "" to wherever their work is.
    Raises:
        InputError: nobody who may come in has the address.
    """
    seconds = lasts.total_seconds()
    try:
        return make_link(
            store, "login", token_hash, by, seconds=seconds, email=email, project=project or None
        )
    except NotFoundError as error:
        rule = "be the e-mail address of an account that is not shut out"
        raise InputError("user", rule, "another") from error


def login_link(store: Store, token_hash: str) -> LinkRow | None:
    """A log-in link that still works; None where it is used up, over, or never was."""
    try:
        found = get_link(store, token_hash)
    except NotFoundError:
        return None
    return found if found.purpose == "login" else None


def log_in_by_link(store: Store, token_hash: str) -> tuple[UserRow, LinkRow]:
    """Use a log-in link: it works once.

    Raises:
        NotFoundError: it is used up, its time is over, or its owner is shut out.
    """
    return use_login_link(store, token_hash)
