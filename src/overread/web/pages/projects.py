"""The reader's home, and the lead's projects: list, new, overview, readers, export."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app import assign, project_overview, project_protocol, project_readers
from overread.errors import InputError
from overread.protocol import TEMPLATES, ProtocolError, read_protocol, template
from overread.store.errors import StoreError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id


def home(request: Request, site: At, who: Who) -> Response:
    """My reading: every project I read, the next action first."""
    found = project_overview.projects_of(site.store, who.id, role="reader")
    found = sorted(found, key=lambda one: (one.done >= one.total, one.name))
    replies = assign.replies(site.store, who.id)
    return page(request, "home.html.j2", projects=found, replies=replies)


def projects(request: Request, site: At, who: Who) -> Response:
    """The projects I lead; all of them for an admin."""
    found = project_overview.led_projects(site.store, who.id, role=who.role)
    return page(request, "projects.html.j2", projects=found)


def project(request: Request, project: Id, site: At) -> Response:
    """Overview of a project."""
    found = project_overview.overview(site.store, project)
    return page(request, "project.html.j2", project=found.project, overview=found)


def new_page(request: Request, template: str = TEMPLATES[0]) -> Response:
    """The form of a new project."""
    chosen = template if template in TEMPLATES else TEMPLATES[0]
    return _new(request, chosen, text=_text(chosen), name=_title(chosen))


async def new(request: Request, site: At, who: Who) -> Response:
    """Make a project, or only check its protocol."""
    form = await read_form(request)
    name, text = text_of(form, "name"), text_of(form, "text", most=1_000_000)
    text = text.replace("\r\n", "\n")
    error = await run_in_threadpool(protocol_faults, text)
    if error is None and text_of(form, "check"):
        error = {"title": "The protocol is sound.", "words": "Nothing was made yet."}
    if error is not None:
        return _new(request, "", text=text, name=name, error=error, status=422)
    try:
        made = await run_in_threadpool(
            project_protocol.new_project, site.store, name, text, by=who.id
        )
    except (InputError, StoreError) as refused:
        error = {"title": "Not made", "words": str(refused)}
        return _new(request, "", text=text, name=name, error=error, status=422)
    return go(f"/projects/{made}")


def _new(
    request: Request, chosen: str, *, text: str, name: str, status: int = 200, error: Any = None
) -> Response:
    shown = [{"name": one, "title": _title(one)} for one in TEMPLATES]
    return page(
        request,
        "new_project.html.j2",
        status,
        templates=shown,
        chosen=chosen,
        text=text,
        name=name,
        error=error,
    )


def _text(name: str) -> str:
    return template(name)


def _title(name: str) -> str:
    return read_protocol(template(name)).title


def protocol_faults(text: str) -> dict[str, Any] | None:
    """What is wrong with a protocol, for a page; None where nothing is."""
    try:
        read_protocol(text)
    except ProtocolError as error:
        lines = [
            {"line": one.line, "where": one.where, "rule": one.rule, "got": one.got}
            for one in error.problems
        ]
        return {"title": "The protocol is not sound yet; nothing was saved.", "lines": lines}
    return None


def members_page(request: Request, project: Id, site: At) -> Response:
    """Who reads."""
    return _members(request, site, project)


async def members(request: Request, project: Id, site: At, who: Who) -> Response:
    """Change who reads, and plan."""
    form = await read_form(request)
    chosen = {
        name: [one for one in form.getlist(name) if isinstance(one, str) and len(one) <= 64]
        for name in ("reader", "lead")
    }
    leads = chosen["lead"] if form.get("leads") else None  # a form without that column
    if leads is not None and who.role != "admin" and who.id not in leads:
        leads = [*leads, who.id]  # nobody shuts themselves out by a slip
    try:
        await run_in_threadpool(
            project_readers.set_readers,
            site.store,
            project,
            chosen["reader"],
            by=who.id,
            leads=leads,
        )
    except InputError as refused:
        told = {"title": "Not saved", "words": str(refused)}
        return await run_in_threadpool(_members, request, site, project, status=422, error=told)
    return go(f"/projects/{project}/members")


def _members(
    request: Request, site: At, project: str, *, status: int = 200, error: Any = None
) -> Response:
    found = project_readers.members(site.store, project)
    now = project_protocol.protocol_of(site.store, project)
    return page(
        request,
        "members.html.j2",
        status,
        project=project_overview.named(site.store, project),
        people=found,
        reads_per_case=now.protocol.reads_per_case,
        error=error,
    )
