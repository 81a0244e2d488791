"""How answers are written: JSON in ASCII, errors in one shape, pages from templates."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from overread.web.rendering import render


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON in ASCII, so that any text that was kept can be sent (also lone surrogates)."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Response(text, status, headers, media_type="application/json")


def error_reply(
    status: int, name: str, rule: str, got: object = None, remedy: str = "", **more: Any
) -> Response:
    """An error in the one shape of the API."""
    shown = got if got is None or isinstance(got, int | float | bool) else str(got)
    if isinstance(shown, float) and shown - shown != 0:
        shown = str(shown)
    error = {"name": name, "rule": rule, "got": shown, "remedy": remedy or None}
    return json_reply({"error": error, **more}, status)


def page(request: Request, name: str, /, status: int = 200, **values: Any) -> Response:
    """A page of a template; it knows who is signed in."""
    signed = getattr(request.state, "signed", None)
    site = getattr(request.state, "site", None)
    known = {"signed": signed, "path": request.url.path, "has_reports": bool(site and site.reports)}
    html = render(name, **(known | values))
    return Response(html, status, media_type="text/html")


def go(path: str) -> Response:
    """Send the browser on, after a form."""
    return RedirectResponse(path, 303)


def error_page(request: Request, status: int, title: str, words: str) -> Response:
    """An error as a page."""
    return page(request, "error.html.j2", status, title=title, words=words)
