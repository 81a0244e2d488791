"""Errors become answers in one place: their status, and JSON or a page."""

from __future__ import annotations

import errno
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from overread.errors import InputError, MethodError, MissingExtraError, OverreadError
from overread.store.errors import (
    BusyError,
    ConflictError,
    FullError,
    NotFoundError,
    NotQualifiedError,
)
from overread.web.replies import error_page, error_reply

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def install(app: FastAPI) -> None:
    """Let the application answer errors in our one shape."""
    app.add_exception_handler(OverreadError, _overread)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OSError, _system)
    app.add_exception_handler(Exception, _unforeseen)


async def _overread(request: Request, error: Exception) -> Response:
    return foreseen(request, error)


def foreseen(request: Request, error: Exception) -> Response:
    """The answer to an error of ours: a busy store, a full disk, a broken rule."""
    status, *words = _words(error)
    return told(request, status, *words)


def _words(error: Exception) -> tuple[Any, ...]:  # noqa: PLR0911 - a table, one error a line
    if isinstance(error, NotFoundError):
        return (404, error.what, "be one that is there for you")
    if isinstance(error, NotQualifiedError):
        remedy = "Pass the dry run of this project; its reading page leads through it."
        return (403, "reader", "be qualified for this project", "one who is not yet", remedy)
    if isinstance(error, ConflictError):
        remedy = "Load it again; what you have is not lost."
        return (409, error.what, error.rule, error.current_version, remedy)
    if isinstance(error, FullError):
        remedy = "Make room on the server; nothing that was acknowledged is lost."
        return (507, "disk", "have room", "a full disk", remedy)
    if isinstance(error, BusyError):
        return (503, "store", "be free", "a busy one", "Try again.")
    if isinstance(error, InputError):
        return (422, error.name, error.rule, error.got, error.remedy)
    if isinstance(error, MethodError):
        return (422, "reads", f"fit the method: {error}")
    if isinstance(error, MissingExtraError):
        return (501, error.what, f"have its packages (overread[{error.extra}])")
    return (500, "store", "work", "a fault", str(error))


async def _system(request: Request, error: Exception) -> Response:
    """No room for an upload, an export or what a form brings; anything else is unforeseen."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return foreseen(request, FullError("no room"))
    raise error


async def _validation(request: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    if first.get("type") == "json_invalid":
        return told(request, 400, "body", "be JSON", "something else")
    where = ".".join(str(one) for one in first.get("loc", ())[1:] if one != "body") or "body"
    rule = (
        str(first.get("msg", "be valid"))
        .removeprefix("Input should ")
        .removeprefix("String should ")
    )
    return told(request, 422, where, rule[:1].lower() + rule[1:])


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = str(error.detail) if isinstance(error, HTTPException) else "work"
    return told(request, status, "body" if status in {400, 413} else "request", words)


async def _unforeseen(request: Request, _: Exception) -> Response:
    return unforeseen(request)


def told(  # noqa: PLR0917 - the words of an error, in their order
    request: Request, status: int, name: str, rule: str, got: object = None, remedy: str = ""
) -> Response:
    """An error as JSON for programs and as a page for people."""
    if request.url.path.startswith("/api/"):
        return error_reply(status, name, rule, got, remedy)
    shown = "" if got is None else f"; got {got}"
    words = f"{name} must {rule}{shown}. {remedy}".strip()
    return error_page(request, status, "Nothing here" if status == 404 else "Not possible", words)


def unforeseen(request: Request) -> Response:
    """The answer to an error that nobody foresaw; it says nothing of the inside."""
    remedy = "What was acknowledged before is kept. Try again."
    return told(request, 500, "server", "work", "a fault", remedy)
