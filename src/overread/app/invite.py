"""How people come in: the first by a set-up link, everybody else by an invitation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from overread.app.sign_in import User, user_of
from overread.errors import InputError
from overread.store import Store, accounts

LASTS = timedelta(days=7)
ROLES = ("reader", "lead", "admin")
_EMAIL = re.compile(r"^[^@\s<>\"']+@[^@\s<>\"']+$")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that is still open."""

    email: str
    role: str
    expires: str


def anybody(store: Store) -> bool:
    """Whether there is an account at all."""
    return accounts.any_user(store)


def people(store: Store) -> list[User]:
    """Everybody with an account, by name."""
    return sorted(map(user_of, accounts.list_users(store)), key=lambda one: one.name.casefold())


def open_set_up(store: Store, token_hash: str) -> bool:
    """Keep the one-time set-up link; False where there are accounts already."""
    return accounts.open_set_up(store, token_hash)


def set_up_open(store: Store, token_hash: str) -> bool:
    """Whether a set-up link still works."""
    return accounts.set_up_open(store, token_hash)


def accept_set_up(
    store: Store, token_hash: str, *, name: str, email: str, password_hash: str
) -> User:
    """Make the first account, an admin.

    Raises:
        NotFoundError: the link is used up.
        InputError: a name or e-mail that is none.
    """
    made = accounts.accept_set_up(
        store, token_hash, name=_name(name), email=_email(email), password_hash=password_hash
    )
    return user_of(made)


def invite(store: Store, email: str, *, role: str, token_hash: str, by: str) -> Invitation:
    """Invite somebody.

    Raises:
        InputError: no e-mail, or no role.
        ConflictError: the e-mail has an account.
    """
    if role not in ROLES:
        raise InputError("role", f"be one of {', '.join(ROLES)}", repr(role)[:40])
    made = accounts.create_invitation(
        store, email=_email(email), role=role, token_hash=token_hash, lasts=LASTS, by=by
    )
    return Invitation(made.email, made.role, made.expires)


def invitation(store: Store, token_hash: str) -> Invitation | None:
    """An invitation that is open; None where it is used up, over, or never was."""
    found = accounts.get_invitation(store, token_hash)
    return None if found is None else Invitation(found.email, found.role, found.expires)


def accept(store: Store, token_hash: str, *, name: str, email: str, password_hash: str) -> User:
    """Make the account that was invited; the invitation's e-mail and role count, not the form's.

    Raises:
        NotFoundError: the link is used up or its time is over.
        InputError: a name that is none.
    """
    del email
    made = accounts.accept_invitation(
        store, token_hash, name=_name(name), password_hash=password_hash
    )
    return user_of(made)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise InputError("name", "have 1 to 100 characters that can be seen", f"{len(name)}")
    return name


def _email(text: str) -> str:
    email = text.strip().casefold()
    if not _EMAIL.match(email) or len(email) > 200 or not email.isprintable():
        # the value is not repeated: it is somebody's address
        raise InputError("e-mail", "be written name@place", "another text")
    return email
