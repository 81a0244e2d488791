"""People and invitations."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app import invite
from overread.errors import InputError
from overread.store.errors import ConflictError
from overread.web.access.forms import read_form, text_of
from overread.web.access.tokens import new_token, token_hash
from overread.web.api.around import At, Who
from overread.web.replies import page

_MAY_INVITE = {"lead": ("reader",), "admin": ("reader", "lead", "admin")}


def people_page(request: Request, site: At, who: Who) -> Response:
    """Everybody with an account."""
    return _people(request, site, who)


async def invite_somebody(request: Request, site: At, who: Who) -> Response:
    """Make an invitation; its link is shown once."""
    form = await read_form(request)
    email, role = text_of(form, "email").strip(), text_of(form, "role")
    if role not in _MAY_INVITE[who.role]:
        words = f"As {who.role} you invite {' or '.join(_MAY_INVITE[who.role])}."
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


def _people(request: Request, site: At, who: Who, *, status: int = 200, **more: Any) -> Response:
    shown: dict[str, Any] = {"error": None, "link": "", "email": "", "expires": "", **more}
    people = invite.people(site.store)
    return page(
        request, "people.html.j2", status, people=people, roles=_MAY_INVITE[who.role], **shown
    )
