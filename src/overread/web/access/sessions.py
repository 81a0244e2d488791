"""Sessions: a random token in a cookie, its hash in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from overread.app.study import sign_in
from overread.web.access.tokens import new_token, token_hash
from overread.web.site import Site

LASTS = timedelta(hours=12)
"""A working day; a reader whose session ends mid-case logs in again and goes on."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who is signed in, for one request."""

    id: str
    name: str
    role: str
    csrf: str
    token_hash: str = field(repr=False)


def cookie_name(site: Site) -> str:
    """Name of the cookie; over https the browser itself keeps others from setting it."""
    return "__Host-overread" if site.secure else "overread"


def signed_in(request: Request, site: Site) -> Signed | None:
    """Who sent this request; None without a session that is open."""
    token = request.cookies.get(cookie_name(site), "")
    if not 20 <= len(token) <= 100:
        return None
    hashed = token_hash(token)
    session = sign_in.session_of(site.store, hashed)
    if session is None:
        return None
    return Signed(session.user.id, session.user.name, session.user.role, session.csrf, hashed)


def open_session(response: Response, site: Site, user: str) -> str:
    """Begin a session and give the browser its token; return the CSRF token."""
    token, csrf = new_token(), new_token()
    sign_in.begin_session(site.store, user, token_hash(token), csrf, lasts=LASTS)
    response.set_cookie(
        cookie_name(site),
        token,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
    return csrf


def close_session(response: Response, site: Site, signed: Signed | None) -> None:
    """End a session, here and in the browser."""
    if signed is not None:
        sign_in.end_session(site.store, signed.token_hash)
    response.delete_cookie(
        cookie_name(site), path="/", secure=site.secure, httponly=True, samesite="lax"
    )
