"""The API describes itself (OpenAPI)."""

from __future__ import annotations

from fastapi import Request, Response

from overread.web.replies import json_reply


def openapi(request: Request) -> Response:
    """The OpenAPI description."""
    from overread.web.description import description  # noqa: PLC0415 - it is made of the routes

    return json_reply(description(request.app))
