"""Reports that were written beside the server: files of one folder, for leads."""

from __future__ import annotations

from fastapi import Request, Response
from starlette.responses import FileResponse

from overread.web.api.around import At
from overread.web.replies import error_page

_TYPES = {".html": "text/html", ".pdf": "application/pdf", ".csv": "text/csv"}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""A report carries its style in itself and runs nothing."""


def report(request: Request, path: str, site: At) -> Response:
    """A report; the page that links them all where no name is given."""
    if site.reports is None:
        return error_page(request, 404, "No reports here", "This server was started without them.")
    name = path or "index.html"
    file = site.reports / name
    kind = _TYPES.get(file.suffix)
    # a plain name of that very folder: nothing below it, nothing beside it, no link out of it
    plain = "/" not in name and "\\" not in name and not name.startswith(".")
    if not plain or kind is None or file.is_symlink() or not file.is_file():
        words = "Where it is being written: load this page again in a minute."
        return error_page(request, 404, "No such report yet", words)
    headers = {"content-security-policy": _POLICY}
    shown = None if kind == "text/html" else name  # kept by the browser as a file
    return FileResponse(file, headers=headers, media_type=kind, filename=shown)
