"""Logging in with a password, slowly for those who guess."""

from __future__ import annotations

from datetime import timedelta

from starlette.exceptions import HTTPException

from overread.app.study import look_after_people, sign_in
from overread.store import UserRow
from overread.web.access.passwords import password_fits
from overread.web.access.tokens import keyed
from overread.web.site import Site

WINDOW = timedelta(minutes=15)
MOST = {"pair": 5, "address": 40, "email": 100}
"""Failures in the window until more are refused: of an address for one account, of an address,
and of one account from everywhere (high: else anybody could lock anybody out)."""


def log_in(site: Site, email: str, password: str, address: str) -> UserRow:
    """The account that these open.

    Raises:
        HTTPException: 401 where they open none, 429 after too many failures.
    """
    email = email.strip().casefold()
    keys = {
        keyed(site.secret, f"pair {email} {address}"): MOST["pair"],
        keyed(site.secret, f"address {address}"): MOST["address"],
        keyed(site.secret, f"email {email}"): MOST["email"],
    }
    if sign_in.failed_too_often(site.store, keys, within=WINDOW):
        raise HTTPException(429, "wait a quarter of an hour: too many tries failed")
    account = sign_in.account(site.store, email)
    with site.hashing:
        fits = password_fits(account.password_hash if account else None, password)
    if account is None or not fits:
        sign_in.note_failure(site.store, list(keys))
        raise HTTPException(401, "log in with an e-mail and password that fit")
    return account.user


def check_password(site: Site, user: str, password: str, address: str) -> None:
    """Check the password of who is signed in, slowly for those who found an open session.

    Raises:
        HTTPException: 422 where it is another, 429 after too many failures.
    """
    keys = {keyed(site.secret, f"own {user} {address}"): MOST["pair"]}
    if sign_in.failed_too_often(site.store, keys, within=WINDOW):
        raise HTTPException(429, "wait a quarter of an hour: too many tries failed")
    with site.hashing:
        fits = password_fits(look_after_people.password_hash_of(site.store, user), password)
    if not fits:
        sign_in.note_failure(site.store, list(keys))
        raise HTTPException(422, "give the password until now")
