"""The reader's home, and the lead's projects: list, new, overview, readers, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.learning.film_strip import reviewable
from overread.app.quality import adjudicate, feedback, onboarding
from overread.app.study import (
    assign,
    new_protocol,
    project_overview,
    project_protocol,
    project_readers,
)
from overread.errors import InputError
from overread.protocol import TEMPLATES, Protocol, ProtocolError, read_protocol
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
    deciding = adjudicate.senior_projects(site.store, who.id)
    standings = {
        one.id: onboarding.standing_for(site.store, one.id, who.id, role=who.role) for one in found
    }
    return page(
        request,
        "home.html.j2",
        projects=found,
        replies=replies,
        deciding=deciding,
        reviewing={key for key, _ in deciding if reviewable(site.store, key)},
        standings=standings,
        again={one.id: feedback.waits_for(site.store, one.id, who.id) for one in found},
    )


def projects(request: Request, site: At, who: Who) -> Response:
    """The projects I lead; all of them for an admin."""
    found = project_overview.led_projects(site.store, who.id, role=who.role)
    return page(request, "projects.html.j2", projects=found)


def project(request: Request, project: Id, site: At) -> Response:
    """Overview of a project."""
    model = site.models.of(site.store, project)
    found = project_overview.overview(site.store, project, model)
    return page(request, "project.html.j2", project=found.project, overview=found)


def new_page(request: Request, template: str = TEMPLATES[0]) -> Response:
    """The form of a new project: a template, and what differs from it."""
    chosen = template if template in TEMPLATES else TEMPLATES[0]
    return _choosing(request, chosen)


async def new(request: Request, site: At, who: Who) -> Response:
    """Make a project from choices or from YAML; or show the YAML, or only check it."""
    form = await read_form(request)
    name = text_of(form, "name")
    if "text" not in form:
        return await run_in_threadpool(_from_choices, request, site, form, name, who.id)
    text = text_of(form, "text", most=1_000_000).replace("\r\n", "\n")
    check = bool(text_of(form, "check"))
    return await run_in_threadpool(_from_text, request, site, name, text, who.id, check=check)


def _from_text(
    request: Request, site: At, name: str, text: str, by: str, *, check: bool
) -> Response:
    error = protocol_faults(text)
    if error is None and check:
        error = {"title": "The protocol is sound.", "words": "Nothing was made yet."}
    if error is not None:
        return _editing(request, text=text, name=name, error=error, status=422)
    try:
        made = project_protocol.new_project(site.store, name, text, by=by)
    except (InputError, StoreError) as refused:
        told = {"title": "Not made", "words": str(refused)}
        return _editing(request, text=text, name=name, error=told, status=422)
    return go(f"/projects/{made}")


def _from_choices(
    request: Request, site: At, form: Mapping[str, object], name: str, by: str
) -> Response:
    chosen = text_of(form, "template")
    reads = text_of(form, "reads_per_case", most=4)
    classes = {
        key.removeprefix("classes-"): _lines(text_of(form, key, most=20_000))
        for key in form
        if key.startswith("classes-")
    }
    off = [key.removeprefix("classes-") for key in form if key.startswith("classes-")]
    left_out = frozenset(key for key in off if not form.get(f"ask-{key}"))
    try:
        text = new_protocol.chosen_protocol(
            new_protocol.Choices(
                chosen,
                name if form.get("retitle") else "",
                int(reads) if reads.isdecimal() else 0,
                {key: one for key, one in classes.items() if one},
                left_out,
            )
        )
        if text_of(form, "edit"):
            return _editing(request, text=text, name=name)
        made = project_protocol.new_project(site.store, name, text, by=by)
    except ProtocolError as refused:
        words = "; ".join(f"{one.where} must {one.rule}, got {one.got}" for one in refused.problems)
        told = {"title": "Not made", "words": words}
    except (InputError, StoreError) as refused:
        told = {"title": "Not made", "words": str(refused)}
    else:
        return go(f"/projects/{made}")
    return _choosing(
        request, chosen, name=name, reads=reads, classes=classes, left_out=left_out, error=told
    )


def _lines(text: str) -> list[str]:
    return [one.strip() for one in text.splitlines() if one.strip()]


def _choosing(
    request: Request,
    chosen: str,
    *,
    name: str = "",
    reads: str = "",
    classes: Mapping[str, list[str]] | None = None,
    left_out: frozenset[str] = frozenset(),
    error: Any = None,
) -> Response:
    chosen = chosen if chosen in TEMPLATES else TEMPLATES[0]
    base = new_protocol.starting_point(chosen)
    shown = [(one, new_protocol.starting_point(one)) for one in TEMPLATES]
    questions = [
        (one, (classes or {}).get(one.id, list(one.names)), one.id not in left_out)
        for one in base.questions
    ]
    return page(
        request,
        "new_project.html.j2",
        422 if error else 200,
        templates=[{"name": one, "title": each.title, "asks": _asks(each)} for one, each in shown],
        chosen=chosen,
        name=name,
        reads=reads or base.reads_per_case,
        questions=questions,
        error=error,
    )


def _asks(protocol: Protocol) -> str:
    return ", ".join(dict.fromkeys(str(one.kind) for one in protocol.questions))


def _editing(
    request: Request, *, text: str, name: str, status: int = 200, error: Any = None
) -> Response:
    return page(request, "new_project_text.html.j2", status, text=text, name=name, error=error)


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
        for name in ("reader", "lead", "senior")
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
        site.learnings.wake(site.store, project)
        if form.get("leads"):
            await run_in_threadpool(
                adjudicate.set_seniors, site.store, project, chosen["senior"], by=who.id
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
        seniors=adjudicate.seniors_of(site.store, project),
        reads_per_case=now.protocol.reads_per_case,
        planned=project_readers.is_planned(site.store, project),
        error=error,
    )
