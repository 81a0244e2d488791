"""The application by the table of routes, and its OpenAPI description."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse
from starlette.routing import Route as Served

from overread.web.access.roles import NOBODY, Route
from overread.web.errors import install
from overread.web.routes import ROUTES
from overread.web.schemas import ErrorOut

_ABOUT = """Medical-image labels of known quality: the API of the reading page and of programs.

Log in (`logIn`, or `joinByLink` with a one-time link); the session is a cookie, and every change
carries the session's `csrf` in the header `X-CSRF-Token`. Ids that a client makes (`read_id`,
`export_id`, an upload's) make a request safe to send again. Every error has one shape."""

_TAGS = {
    "Account": "Who am I, and who comes in.",
    "Projects": "What is read, by whom, how far.",
    "Reading": "A reader's tasks, drafts and reads.",
    "Cases": "Images, all reads of a case, its consensus.",
    "Images in": "Files sent one by one, then imported together.",
    "Labels out": "Exports: begun, watched, fetched.",
}

_ERRORS = {
    400: "Not JSON, or another host",
    401: "No session",
    403: "Not for this role, or no CSRF token",
    404: "Not there, or not for this reader",
    409: "Something newer is there",
    413: "Too large",
    422: "A value breaks a rule",
    429: "Too many failed tries",
    501: "A part is not installed",
    503: "Busy; try again",
    507: "The disk is full",
}


def described() -> FastAPI:
    """The application without its guard: for its OpenAPI description and tests of the table."""
    app = FastAPI(
        title="Overread",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for one in ROUTES:
        app.add_api_route(
            one.path,
            one.endpoint,
            methods=[one.method],
            response_model=one.answer,
            response_class=Response if one.gives or not one.is_api else JSONResponse,
            include_in_schema=one.is_api,
            name=f"{one.method} {one.path}",
            operation_id=one.operation or None,
            status_code=one.status,
            tags=[_tag(one)] if one.is_api else None,
            summary=_words(one.operation),
            responses=_responses(one) if one.is_api else None,
            openapi_extra=_extra(one) if one.is_api else None,
        )
    install(app)
    app.state.describe = partial(description, app)  # for the route that tells it: it comes first
    return app


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of an application of :func:`described`."""
    if app.openapi_schema is None:
        routes = [one for one in app.routes if isinstance(one, Served)]
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=routes,
            tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
        )
        made["components"]["securitySchemes"] = {
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "overread",
                "description": "Set by logIn; over https it is called __Host-overread.",
            },
            "csrf": {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRF-Token",
                "description": "The session's csrf, told by logIn and whoAmI.",
            },
        }
        app.openapi_schema = made
    return app.openapi_schema


def _tag(one: Route) -> str:
    for part, tag in (
        ("/uploads", "Images in"),
        ("/imports", "Images in"),
        ("/exports", "Labels out"),
        ("/tasks/", "Reading"),
        ("/claim", "Reading"),
        ("/mine", "Reading"),
        ("/progress", "Reading"),
        ("/cases", "Cases"),
        ("/projects", "Projects"),
    ):
        if part in one.path:
            return tag
    return "Account"


def _words(operation: str) -> str | None:
    """ClaimTasks -> Claim tasks."""
    text = "".join(f" {c.lower()}" if c.isupper() else c for c in operation)
    return text.capitalize().replace(" api", " API") or None


def _responses(one: Route) -> dict[int | str, dict[str, Any]]:
    made: dict[int | str, dict[str, Any]] = {
        status: {"model": one.errors.get(status, ErrorOut), "description": words}
        for status, words in _ERRORS.items()
    }
    if one.gives:
        schema = {"schema": {"type": "string", "format": "binary"}}
        made[one.status] = {"description": "The bytes", "content": {one.gives: schema}}
    return made


def _extra(one: Route) -> dict[str, Any]:
    if NOBODY in one.roles:
        return {"security": []}
    session: dict[str, list[str]] = {"session": []}
    made: dict[str, Any] = {
        "security": [session if one.method == "GET" else session | {"csrf": []}],
        "x-roles": sorted(one.roles),
    }
    if one.takes:
        schema = {"schema": {"type": "string", "format": "binary"}}
        made["requestBody"] = {"required": True, "content": {one.takes: schema}}
    return made
