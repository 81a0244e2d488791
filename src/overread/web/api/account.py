"""Logging in and out, and who I am."""

from __future__ import annotations

from fastapi import Request, Response

from overread.web.access.login import log_in
from overread.web.access.sessions import close_session, open_session
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import Login


def login(request: Request, body: Login, site: At) -> Response:
    """Log in with e-mail and password; too many failures give 429."""
    user = log_in(site, body.email, body.password, request.client.host if request.client else "")
    reply = Response(media_type="application/json")
    csrf = open_session(reply, site, user.id)
    told = json_reply({"id": user.id, "name": user.name, "role": user.role, "csrf": csrf})
    told.raw_headers.extend(one for one in reply.raw_headers if one[0] == b"set-cookie")
    return told


def logout(request: Request, site: At) -> Response:
    """End the session."""
    reply = json_reply({})
    close_session(reply, site, request.state.signed)
    return reply


def me(signed: Who) -> Response:
    """Who is logged in, with the token that every change must carry."""
    return json_reply(
        {"id": signed.id, "name": signed.name, "role": signed.role, "csrf": signed.csrf}
    )
