"""The API describes itself (OpenAPI)."""

from __future__ import annotations

from fastapi import Request, Response

from overread.web.replies import json_reply


def openapi(request: Request) -> Response:
    """The OpenAPI description."""
    return json_reply(request.app.state.describe())
