"""The protocol of a project: look, check, compare, save as the next version."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app import project_overview, project_protocol
from overread.errors import InputError
from overread.protocol import changes, read_protocol
from overread.store.errors import ConflictError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.pages.projects import protocol_faults
from overread.web.replies import go, page
from overread.web.schemas import Id


def protocol_page(request: Request, project: Id, site: At, saved: str = "") -> Response:
    """The protocol as it stands."""
    words = "Saved. New reads are made under this version." if saved == "yes" else ""
    return _shown(request, site, project, saved=words)


async def protocol(request: Request, project: Id, site: At, who: Who) -> Response:
    """Save the next version, or only check and compare."""
    form = await read_form(request)
    text = text_of(form, "text", most=1_000_000).replace("\r\n", "\n")
    base, only_check = text_of(form, "base", most=10), bool(text_of(form, "check"))
    return await run_in_threadpool(
        _save, request, site, project, text=text, base=base, only_check=only_check, by=who.id
    )


def _save(
    request: Request, site: At, project: str, *, text: str, base: str, only_check: bool, by: str
) -> Response:
    error = protocol_faults(text)
    if error is not None:
        return _shown(request, site, project, text=text, error=error, status=422)
    now = project_protocol.protocol_of(site.store, project)
    found = changes(now.protocol, read_protocol(text))
    if only_check or not found:
        words = "Sound." if found else "Sound, and no different from the version that stands."
        return _shown(request, site, project, text=text, saved=words, differences=found)
    try:
        project_protocol.new_version(
            site.store, project, text, base=int(base) if base.isdecimal() else 0, by=by
        )
    except (ConflictError, InputError) as refused:
        told = {
            "title": "Not saved",
            "words": f"{refused}. Your text is below; load the page anew to see the other.",
        }
        return _shown(request, site, project, text=text, error=told, status=409)
    return go(f"/projects/{project}/protocol?saved=yes")


def _shown(
    request: Request,
    site: At,
    project: str,
    *,
    text: str | None = None,
    status: int = 200,
    error: Any = None,
    saved: str = "",
    differences: Any = (),
) -> Response:
    now = project_protocol.protocol_of(site.store, project)
    return page(
        request,
        "protocol.html.j2",
        status,
        project=project_overview.named(site.store, project),
        version=now.version,
        versions=now.version,
        text=now.text if text is None else text,
        guideline=now.protocol.guideline,
        atlas=now.protocol.atlas,
        error=error,
        saved=saved,
        differences=differences,
    )
