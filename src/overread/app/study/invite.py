"""How people come in: the first by a set-up link, everybody else by an invitation."""

from __future__ import annotations

from datetime import timedelta

from overread.errors import InputError
from overread.store import (
    LinkRow,
    Store,
    UserRow,
    any_admin,
    find_user,
    get_link,
    list_users,
    make_link,
    use_link,
)
from overread.store.errors import ConflictError, NotFoundError

LASTS = timedelta(days=7)
ROLES = ("reader", "lead", "admin")
MAY_INVITE = {"lead": ("reader",), "admin": ROLES}
"""Role -> roles of those whom they may invite."""


def anybody(store: Store) -> bool:
    """Whether the server is set up."""
    return any_admin(store)


def people(store: Store) -> list[UserRow]:
    """Everybody with an account, by name."""
    return list_users(store)


def open_set_up(store: Store, token_hash: str) -> bool:
    """Keep the one-time set-up link, in place of one before; False where there is an admin."""
    if any_admin(store):
        return False
    try:
        make_link(store, "setup", token_hash, "system", seconds=LASTS.total_seconds())
    except ConflictError:
        return False
    return True


def invite(store: Store, email: str, *, role: str, token_hash: str, by: str) -> LinkRow:
    """Invite somebody.

    Raises:
        InputError: no e-mail, or no role.
        ConflictError: the e-mail has an account.
    """
    if not email.strip():
        raise InputError("e-mail address", "have the form name@host", "nothing")
    if find_user(store, email) is not None:
        raise ConflictError("user", "has an e-mail address that another user has")
    seconds = LASTS.total_seconds()
    return make_link(store, "invitation", token_hash, by, seconds=seconds, email=email, role=role)


def link(store: Store, token_hash: str, purpose: str) -> LinkRow | None:
    """A link that still works; None where it is used up, over, or never was."""
    try:
        found = get_link(store, token_hash)
    except NotFoundError:
        return None
    return found if found.purpose == purpose else None


def accept(
    store: Store, token_hash: str, purpose: str, *, name: str, email: str, password_hash: str
) -> UserRow:
    """Make the account that a link allows; an invitation's e-mail and role count, not the form's.

    Raises:
        NotFoundError: the link is used up or its time is over.
        InputError: a name or e-mail that is none.
        ConflictError: the e-mail has an account.
    """
    if link(store, token_hash, purpose) is None:
        raise NotFoundError("link", "of this kind")
    shown = " ".join(name.split())
    if not 0 < len(shown) <= 100 or not shown.isprintable():
        raise InputError("name", "have 1 to 100 characters that can be seen", len(shown))
    return use_link(store, token_hash, password_hash, name=shown, email=email)
