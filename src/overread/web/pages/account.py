"""Set-up, invitation, log-in and log-out."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from overread.app.study import invite
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.access.login import log_in
from overread.web.access.passwords import hash_password
from overread.web.access.sessions import close_session, open_session
from overread.web.access.tokens import token_hash
from overread.web.api.around import At
from overread.web.replies import go, page
from overread.web.schemas import Token


def start(request: Request, site: At) -> Response:
    """Send everybody where their work is."""
    signed = request.state.signed
    if signed is not None:
        return go("/home" if signed.role == "reader" else "/projects")
    if not invite.anybody(site.store):
        words = "Open the one-time set-up link that the server printed when it started."
        return page(request, "error.html.j2", title="Not set up yet", words=words)
    return go("/login")


def login_page(request: Request, site: At, to: str = "") -> Response:
    """The log-in form."""
    return _login_page(request, site, to=to)


def _login_page(request: Request, site: At, *, to: str, **more: Any) -> Response:
    shown: dict[str, Any] = {"error": None, "email": "", "status": 200, **more}
    return page(
        request,
        "login.html.j2",
        shown.pop("status"),
        next=local(to),
        sign_on=site.sign_on.name if site.sign_on else None,
        **shown,
    )


async def login(request: Request, site: At) -> Response:
    """Log in."""
    form = await read_form(request)
    email, password = text_of(form, "email"), text_of(form, "password")
    to = local(text_of(form, "next"))
    host = request.client.host if request.client else ""
    try:
        user = await run_in_threadpool(log_in, site, email, password, host)
    except HTTPException as error:
        words = {
            429: "Too many tries failed. Wait a quarter of an hour, then try again.",
            401: "E-mail and password do not fit together.",
        }.get(error.status_code, "Try again.")
        told = {"title": "Not logged in", "words": words}
        return _login_page(request, site, to=to, error=told, email=email, status=error.status_code)
    reply = go(to or "/")
    await run_in_threadpool(open_session, reply, site, user.id)
    return reply


async def logout(request: Request, site: At) -> Response:
    """Log out."""
    await read_form(request)
    reply = go("/login")
    await run_in_threadpool(close_session, reply, site, request.state.signed)
    return reply


def local(path: str) -> str:
    """A path of this server, or nothing: no page sends people elsewhere."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else ""


_SET_UP: dict[str, Any] = {
    "heading": "Welcome to Overread",
    "words": "You are the first here: this account looks after the server and its people.",
    "button": "Make the account",
    "fixed_email": False,
}


def set_up_page(request: Request, token: Token, site: At) -> Response:
    """The form of the one-time set-up link."""
    if invite.link(site.store, token_hash(token), "setup") is None:
        return _link_gone(request)
    return page(request, "set_up.html.j2", **_SET_UP, error=None, name="", email="")


async def set_up(request: Request, token: Token, site: At) -> Response:
    """Make the first account."""
    form = await read_form(request)
    return await run_in_threadpool(_accept, request, site, token, form, _SET_UP)


def invitation_page(request: Request, token: Token, site: At) -> Response:
    """The form of an invitation."""
    found = invite.link(site.store, token_hash(token), "invitation")
    if found is None:
        return _link_gone(request)
    shown = _invited(found.role)
    return page(request, "set_up.html.j2", **shown, error=None, name="", email=found.email)


async def accept_invitation(request: Request, token: Token, site: At) -> Response:
    """Make the account that was invited."""
    form = await read_form(request)
    hashed = token_hash(token)
    found = await run_in_threadpool(invite.link, site.store, hashed, "invitation")
    if found is None:
        return _link_gone(request)
    return await run_in_threadpool(_accept, request, site, token, form, _invited(found.role))


def _invited(role: str) -> dict[str, Any]:
    words = f"You were invited as {role}. Choose a password and you are in."
    return {"heading": "Welcome", "words": words, "button": "Join", "fixed_email": True}


def _accept(request: Request, site: At, token: str, form: Any, shown: dict[str, Any]) -> Response:
    name, email = text_of(form, "name"), text_of(form, "email")
    purpose = "setup" if shown is _SET_UP else "invitation"
    try:
        with site.hashing:
            hashed = hash_password(text_of(form, "password", most=1000))
        user = invite.accept(
            site.store, token_hash(token), purpose, name=name, email=email, password_hash=hashed
        )
    except NotFoundError:
        return _link_gone(request)
    except (InputError, ConflictError) as error:
        told = {"title": "Not yet", "words": str(error)}
        return page(request, "set_up.html.j2", 422, **shown, error=told, name=name, email=email)
    reply = go("/")
    open_session(reply, site, user.id)
    return reply


def _link_gone(request: Request) -> Response:
    words = "It was used already, or its time is over. Ask who sent it for a new one."
    return page(request, "error.html.j2", 404, title="This link is no longer valid", words=words)
