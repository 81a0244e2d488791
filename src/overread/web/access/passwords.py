"""Passwords: argon2id, checked in the same time whether or not the account exists."""

from __future__ import annotations

import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from overread.errors import InputError

LEAST, MOST = 10, 200
_HASHER = PasswordHasher()  # RFC 9106, low-memory profile: 64 MiB, 3 passes, 4 lanes


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises:
        InputError: too short or too long; the value is not shown.
    """
    if not LEAST <= len(password) <= MOST:
        raise InputError("password", f"have {LEAST} to {MOST} characters", f"{len(password)}")
    return _HASHER.hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Check a password; no account (None) takes the same time and never fits."""
    if len(password) > MOST:
        return False
    try:
        return _HASHER.verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
