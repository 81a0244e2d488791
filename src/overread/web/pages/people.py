"""People and invitations."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.study import invite, look_after_people
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.access.tokens import new_token, token_hash
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id


def people_page(request: Request, site: At, who: Who) -> Response:
    """Everybody with an account."""
    return _people(request, site, who)


async def invite_somebody(request: Request, site: At, who: Who) -> Response:
    """Make an invitation; its link is shown once."""
    form = await read_form(request)
    email, role = text_of(form, "email").strip(), text_of(form, "role")
    if role not in invite.MAY_INVITE[who.role]:
        words = f"As {who.role} you invite {' or '.join(invite.MAY_INVITE[who.role])}."
        told = {"title": "Not invited", "words": words}
        status = 403 if role in invite.ROLES else 422
        return await run_in_threadpool(_people, request, site, who, status=status, error=told)
    token = new_token()
    try:
        made = await run_in_threadpool(
            invite.invite, site.store, email, role=role, token_hash=token_hash(token), by=who.id
        )
    except (InputError, ConflictError) as error:
        told = {"title": "Not invited", "words": str(error)}
        return await run_in_threadpool(
            _people, request, site, who, status=422, error=told, email=email
        )
    link = f"{site.address}/invitation/{token}"
    return await run_in_threadpool(
        _people, request, site, who, link=link, email=email, expires=made.expires
    )


async def password_link(request: Request, person: Id, site: At, who: Who) -> Response:
    """Make a one-time link for a new password; it is shown once."""
    await read_form(request)
    token = new_token()
    try:
        found, made = await run_in_threadpool(
            look_after_people.new_password_link,
            site.store,
            person,
            token_hash=token_hash(token),
            by=who.id,
            role=who.role,
        )
    except NotFoundError:
        return await run_in_threadpool(_not_mine, request, site, who)
    link = f"{site.address}/password/{token}"
    more: dict[str, Any] = {
        "link": link,
        "email": found.email,
        "expires": made.expires,
        "of": "New password",
    }
    return await run_in_threadpool(lambda: _people(request, site, who, **more))


async def set_active(request: Request, person: Id, site: At, who: Who) -> Response:
    """Shut somebody out, or let them in again."""
    form = await read_form(request)
    active = text_of(form, "active") == "yes"
    try:
        await run_in_threadpool(
            look_after_people.set_active,
            site.store,
            person,
            active=active,
            by=who.id,
            role=who.role,
        )
    except NotFoundError:
        return await run_in_threadpool(_not_mine, request, site, who)
    except (InputError, ConflictError) as error:
        told = {"title": "Not done", "words": str(error)}
        return await run_in_threadpool(_people, request, site, who, status=422, error=told)
    return go("/people")


async def withdraw(request: Request, site: At, who: Who) -> Response:
    """Make an invitation worthless."""
    form = await read_form(request)
    try:
        await run_in_threadpool(
            look_after_people.withdraw,
            site.store,
            text_of(form, "invitation"),
            by=who.id,
            role=who.role,
        )
    except NotFoundError:
        told = {"title": "Not withdrawn", "words": "It was used, withdrawn or ran out before."}
        return await run_in_threadpool(_people, request, site, who, status=404, error=told)
    return go("/people")


def _not_mine(request: Request, site: At, who: Who) -> Response:
    words = "Leads look after readers of their own projects. Ask an admin."
    told = {"title": "Not done", "words": words}
    return _people(request, site, who, status=404, error=told)


def _people(request: Request, site: At, who: Who, *, status: int = 200, **more: Any) -> Response:
    shown: dict[str, Any] = {
        "error": None,
        "link": "",
        "email": "",
        "expires": "",
        "of": "Invitation",
        **more,
    }
    people = look_after_people.people(site.store, by=who.id, role=who.role)
    invited = look_after_people.invitations(site.store, by=who.id, role=who.role)
    return page(
        request,
        "people.html.j2",
        status,
        people=people,
        invited=invited,
        roles=invite.MAY_INVITE[who.role],
        **shown,
    )
