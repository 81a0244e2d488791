"""One's own account, and new passwords by one-time links."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from overread.app.quality import reader_profiles
from overread.app.study import invite, look_after_people
from overread.errors import InputError
from overread.store.errors import NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.access.login import check_password
from overread.web.access.passwords import hash_password
from overread.web.access.sessions import open_session
from overread.web.access.tokens import token_hash
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Token


def account_page(request: Request, site: At, who: Who) -> Response:
    """Who I am, and the form of a new password."""
    return _account(request, site, who)


async def change_password(request: Request, site: At, who: Who) -> Response:
    """Set my own password; my other sessions end."""
    form = await read_form(request)
    old, new = text_of(form, "old", most=1000), text_of(form, "password", most=1000)
    host = request.client.host if request.client else ""
    return await run_in_threadpool(_change, request, site, who, old=old, new=new, host=host)


def _change(request: Request, site: At, who: Who, *, old: str, new: str, host: str) -> Response:
    try:
        check_password(site, who.id, old, host)
        with site.hashing:
            hashed = hash_password(new)
    except HTTPException as error:
        words = {
            429: "Too many tries failed. Wait a quarter of an hour, then try again.",
            422: "The password until now is another.",
        }.get(error.status_code, "Try again.")
        told = {"title": "Not changed", "words": words}
        return _account(request, site, who, status=error.status_code, error=told)
    except InputError as error:
        told = {"title": "Not changed", "words": str(error)}
        return _account(request, site, who, status=422, error=told)
    look_after_people.change_password(site.store, who.id, hashed)
    reply = go("/account?saved=yes")
    open_session(reply, site, who.id)
    return reply


def _account(
    request: Request, site: At, who: Who, *, status: int = 200, error: Any = None
) -> Response:
    has = look_after_people.password_hash_of(site.store, who.id) is not None
    saved = request.query_params.get("saved") == "yes"
    return page(
        request,
        "account.html.j2",
        status,
        has=has,
        saved=saved,
        error=error,
        profile=reader_profiles.profile_of(site.store, who.id),
        told=request.query_params.get("profile", "")[:20],
    )


def password_page(request: Request, token: Token, site: At) -> Response:
    """The form of a one-time link for a new password."""
    found = invite.link(site.store, token_hash(token), "password")
    if found is None:
        return _gone(request)
    return page(request, "new_password.html.j2", email=found.email, error=None)


async def new_password(request: Request, token: Token, site: At) -> Response:
    """Set the new password and begin a session; those before end."""
    form = await read_form(request)
    return await run_in_threadpool(_new, request, site, token, text_of(form, "password", most=1000))


def _new(request: Request, site: At, token: str, password: str) -> Response:
    found = invite.link(site.store, token_hash(token), "password")
    if found is None:
        return _gone(request)
    try:
        with site.hashing:
            hashed = hash_password(password)
        user = look_after_people.use_password_link(site.store, token_hash(token), hashed)
    except InputError as error:
        told = {"title": "Not yet", "words": str(error)}
        return page(request, "new_password.html.j2", 422, email=found.email, error=told)
    except NotFoundError:
        return _gone(request)
    reply = go("/")
    open_session(reply, site, user.id)
    return reply


def _gone(request: Request) -> Response:
    words = "It was used already, or its time is over. Ask who sent it for a new one."
    return page(request, "error.html.j2", 404, title="This link is no longer valid", words=words)
