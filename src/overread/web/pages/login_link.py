"""Logging in by a one-time link.

Opening the link changes nothing: mail scanners and previews open links too. Its page sends the
form that uses it up; who is logged in as somebody else is asked first.
"""

from __future__ import annotations

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import sign_in
from overread.store.errors import NotFoundError
from overread.web.access.forms import read_form
from overread.web.access.sessions import close_session, open_session
from overread.web.access.tokens import token_hash
from overread.web.api.around import At
from overread.web.replies import go, page
from overread.web.schemas import Token


def login_link_page(request: Request, token: Token, site: At) -> Response:
    """The page of a log-in link; it goes on by itself where nobody is logged in."""
    found = sign_in.login_link(site.store, token_hash(token))
    if found is None:
        return _gone(request)
    account = sign_in.account(site.store, found.email)
    if account is None:
        return _gone(request)
    return page(request, "login_link.html.j2", name=account.user.name)


async def use_login_link(request: Request, token: Token, site: At) -> Response:
    """Use the link up and begin a session; one before in this browser ends."""
    await read_form(request)
    return await run_in_threadpool(_used, request, site, token)


def _used(request: Request, site: At, token: str) -> Response:
    try:
        user, link = sign_in.log_in_by_link(site.store, token_hash(token))
    except NotFoundError:
        return _gone(request)
    place = "read" if user.role == "reader" else "projects"
    reply = go(f"/{place}/{link.project}" if link.project else "/")
    close_session(reply, site, request.state.signed)
    open_session(reply, site, user.id)
    return reply


def _gone(request: Request) -> Response:
    signed = request.state.signed
    words = "It was used already, or its time is over. Ask who gave it to you for a new one."
    if signed is not None:
        words += f" You are logged in as {signed.name}: your work is at the start."
    return page(request, "error.html.j2", 404, title="This link is no longer valid", words=words)
