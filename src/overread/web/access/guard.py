"""The guard before every route: host, size, origin, session, role, CSRF - in this order.

It stands before the application and works from the one table of routes, so that a route without
a rule cannot be reached, and none can forget its check. Refusals are answered before any of the
body is read. What goes wrong unforeseen is logged without its words: they may hold answers.
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overread.app.study.project_readers import project_with, require_lead
from overread.errors import OverreadError
from overread.store.errors import NotFoundError
from overread.web.access.headers import with_headers
from overread.web.access.roles import LEADS, NOBODY, Route
from overread.web.access.sessions import Signed, signed_in
from overread.web.access.tokens import same
from overread.web.errors import foreseen, unforeseen
from overread.web.replies import error_page, error_reply, go
from overread.web.site import Site

_LOG = logging.getLogger("overread.web")
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    name: str
    rule: str
    got: str = ""
    remedy: str = ""


def guarded(app: ASGIApp, *, site: Site, routes: Sequence[Route]) -> ASGIApp:
    """The application behind its guard."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        begin = time.perf_counter()
        seen: dict[str, Any] = {"status": 0, "route": "-"}
        send = _sending(send, scope["path"], site, seen)
        request = Request(scope, receive)
        try:
            await _answer(app, request, send, site=site, routes=routes, seen=seen)
        except OverreadError as error:  # before the application, which answers its own
            await foreseen(request, error)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the last place; told without its words
            # "from frames" only: the words of an error may hold what somebody answered
            frames = [
                f"{one.name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)
            ]
            _LOG.error("%s in %s: %s", type(error).__name__, seen["route"], " ".join(frames[-6:]))
            if not seen["status"]:
                await unforeseen(request)(scope, receive, send)
        took = (time.perf_counter() - begin) * 1000
        _LOG.info("%s %s %d %.0f ms", scope["method"], seen["route"], seen["status"], took)

    return answer


async def _answer(
    app: ASGIApp,
    request: Request,
    send: Send,
    *,
    site: Site,
    routes: Sequence[Route],
    seen: dict[str, Any],
) -> None:
    scope = request.scope
    refused = _refuse_host(request, site)
    route = None if refused else _route(request, routes)
    if isinstance(route, Route):
        seen["route"] = route.path
        refused = _refuse_early(request, route)
        if not refused:
            signed = await run_in_threadpool(signed_in, request, site)
            scope.setdefault("state", {}).update(site=site, signed=signed)
            refused = _refuse_role(request, route, signed)
            if not refused and signed is not None and route.roles == LEADS:
                refused = await run_in_threadpool(_refuse_project, request, route, signed, site)
    elif route is not None:
        refused = route
    if refused:
        await _refused(request, refused)(scope, request.receive, send)
        return
    most = route.most if isinstance(route, Route) else 0
    await app(scope, _receiving(request.receive, most), send)


def _refuse_host(request: Request, site: Site) -> _Refusal | None:
    host = re.sub(r":\d+$", "", request.headers.get("host", "")).lower()
    if host in site.hosts:
        return None
    remedy = "Start the server with this name among its hosts."
    return _Refusal(400, "Host", "be a name of this server", "another", remedy)


def _route(request: Request, routes: Sequence[Route]) -> Route | _Refusal:
    path, method = request.scope["path"], request.method
    fits = [one for one in routes if one.pattern.match(path)]
    for one in fits:
        if one.method == method:
            return one
    if fits:
        return _Refusal(405, "method", f"be one of {', '.join(one.method for one in fits)}", method)
    return _Refusal(404, "address", "be one of this server's")


def _refuse_early(request: Request, route: Route) -> _Refusal | None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        return _Refusal(400, "Content-Length", "be a whole number")
    if int(length[:15]) > route.most:
        return _Refusal(413, "body", f"have at most {route.most} bytes", length[:15])
    if request.method in _SAFE:
        return None
    # browsers say where a request comes from; programs say nothing, and bring no cookie unasked
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    here = request.headers.get("host", "")
    if site not in {"same-origin", "none"} or (origin and origin.split("://")[-1] != here):
        return _Refusal(403, "request", "come from a page of this server", "another origin")
    return None


def _refuse_role(request: Request, route: Route, signed: Signed | None) -> _Refusal | None:
    role = signed.role if signed else NOBODY
    if role not in route.roles:
        if signed is None:
            return _Refusal(401, "session", "be open", "none", "Log in and try again.")
        roles = " or ".join(sorted(route.roles - {NOBODY}))
        return _Refusal(403, "role", f"be {roles}", role, "Ask the study lead.")
    changes = route.is_api and request.method not in _SAFE and NOBODY not in route.roles
    given = request.headers.get("x-csrf-token", "")
    if changes and signed is not None and not same(given, signed.csrf):
        remedy = "GET /api/me gives the token of this session."
        return _Refusal(403, "X-CSRF-Token", "be this session's", "another", remedy)
    return None


def _refuse_project(request: Request, route: Route, signed: Signed, site: Site) -> _Refusal | None:
    """What belongs to a project is there for who leads it, and for admins."""
    found = route.pattern.match(request.scope["path"])
    of = found.groupdict() if found else {}
    for what in ("project", "case", "task", "read", "alarm"):
        if what in of:
            try:
                project = project_with(site.store, what, of[what])
                require_lead(site.store, project, signed.id, role=signed.role)
            except NotFoundError:
                return _Refusal(404, what, "be one that is there for you")
    return None


def _refused(request: Request, why: _Refusal) -> Response:
    if request.url.path.startswith("/api/"):
        return error_reply(why.status, why.name, why.rule, why.got or None, why.remedy)
    if why.status == 401:
        return go("/login")
    words = f"The {why.name} must {why.rule}. {why.remedy}".strip()
    return error_page(request, why.status, _TITLES.get(why.status, "Not possible"), words)


_TITLES = {
    400: "This address is not known here",
    403: "Not for you",
    404: "Nothing here",
    405: "Not possible here",
    413: "Too large",
}


def _sending(send: Send, path: str, site: Site, seen: dict[str, Any]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen["status"] = message["status"]
            headers = with_headers(list(message["headers"]), path=path, secure=site.secure)
            message = {**message, "headers": headers}
        await send(message)

    return sent


def _receiving(receive: Receive, most: int) -> Receive:
    read = 0

    async def received() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:  # a body without a stated length
            raise HTTPException(413, f"have at most {most} bytes")
        return message

    return received
