"""The reading page: the built files of the frontend, and static files."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from overread.app.study import project_readers
from overread.web.api.around import At, Who
from overread.web.replies import page
from overread.web.schemas import Id

_STATIC = Path(__file__).parents[1] / "static"
# the one design language; reading the file spares the import of the reports
_TOKENS = Path(__file__).parents[2] / "report" / "templates" / "tokens.css"
_TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".svg": "image/svg+xml"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_HOUR = {"cache-control": "public, max-age=300"}


def read_page(request: Request, project: Id, site: At, who: Who) -> Response:
    """The reading page of a project."""
    project_readers.require_member(site.store, project, who.id, role=who.role)
    built = _STATIC / "read" / "index.html"
    if not built.is_file():
        words = "Its files are not built. In a checkout, run: make frontend"
        return page(request, "error.html.j2", 501, title="No reading page", words=words)
    return Response(built.read_bytes(), media_type="text/html")


def static_file(path: str) -> Response:
    """A file of the pages."""
    if path == "tokens.css":
        return FileResponse(_TOKENS, headers=_HOUR, media_type="text/css")
    file = (_STATIC / path).resolve()
    if not file.is_relative_to(_STATIC.resolve()) or not file.is_file():
        raise HTTPException(404, "be one that is there")
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    kept = _FOREVER if path.startswith("read/assets/") else _HOUR
    return FileResponse(file, headers=kept, media_type=kind or "application/octet-stream")
