"""The pages of auto-labels: freeze, review in a film strip, audit, certificate."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.learning import blind_audit, film_strip, signing
from overread.app.learning.auto_label_board import board
from overread.app.learning.freeze_labels import INSTEAD, WHY_NOT
from overread.app.learning.issue_certificate import decide
from overread.app.quality import adjudicate
from overread.app.study import project_overview
from overread.errors import InputError
from overread.store.errors import ConflictError
from overread.store.learning.audits import get_label_certificate
from overread.store.learning.auto_labels import OPEN, REFUSED
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.api.auto_labels import run_of_strip
from overread.web.auto_labels import KIND, freeze_at, keys_of, stop, work_out
from overread.web.replies import go, page
from overread.web.schemas import Id

_SEED_BITS = 48


def auto_labels_page(request: Request, project: Id, site: At) -> Response:
    """What stands, and what can be done next."""
    return _shown(request, site, project)


def _shown(request: Request, site: At, project: str, *, error: Any = None) -> Response:
    named = project_overview.named(site.store, project)
    under_way, failed = site.jobs.standing(project, KIND)
    last = next(iter(site.jobs.of(project, KIND)), None)
    told = site.offered.by_project.get(project)
    return page(
        request,
        "auto_labels.html.j2",
        200 if error is None else 422,
        project=named,
        board=board(site.store, project),
        why_not=WHY_NOT,
        instead=INSTEAD,
        offers=None if told is None else told.offers,
        model="" if told is None else told.given.model,
        under_way=under_way,
        failed=failed,
        stopped=bool(last and last.done and last.error and last.stop.is_set()),
        said=request.query_params.get("said", "")[:20],
        error=error,
    )


async def act(request: Request, project: Id, site: At, who: Who) -> Response:
    """One of the buttons."""
    form = await read_form(request)
    fields = {name: text_of(form, name, most=80) for name in form}
    try:
        said = await run_in_threadpool(_done, site, project, fields, who.id)
    except (InputError, ConflictError) as refused:
        told = {"title": "Not done", "words": str(refused)}
        return await run_in_threadpool(lambda: _shown(request, site, project, error=told))
    return go(f"/projects/{project}/auto-labels{said}")


def _done(site: At, project: str, fields: dict[str, str], by: str) -> str:
    store, what = site.store, fields.get("do", "")
    project_overview.named(store, project)
    if what == "work-out":
        work_out(site, project)
    elif what == "stop":
        stop(site, project)
    elif what == "freeze":
        freeze_at(site, project, _number("target", fields.get("target", "")) / 100, by)
    elif what == "audit":
        cases = int(_number("cases to audit", fields.get("cases", "")))
        mode = fields.get("mode", blind_audit.ONE_LOOK)
        run = fields.get("run", "")
        seed = secrets.randbits(_SEED_BITS)
        blind_audit.begin(store, project, run, cases=cases, mode=mode, seed=seed, by=by)
    elif what == "prolong":
        cases = int(_number("more cases", fields.get("cases", "")))
        blind_audit.prolong(store, project, fields.get("audit", ""), cases=cases, by=by)
    elif what == "give-up":
        blind_audit.give_up(store, project, fields.get("audit", ""), by=by)
    elif what == "decide":
        found = decide(store, project, fields.get("audit", ""), keys=keys_of(site), by=by)
        return "?said=certified" if found.certificate else "?said=refused"
    else:
        raise InputError("do", "be one of the buttons of this page", what[:20])
    return ""


def _number(name: str, text: str) -> float:
    try:
        found = float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(name, "be a number", text[:20]) from error
    if not 0 < found <= 1e7:
        raise InputError(name, "be above 0", text[:20])
    return found


def film_page(
    request: Request,
    project: Id,
    site: At,
    who: Who,
    label: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:
    """The film strip of a class; its script fills it."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    run = run_of_strip(site.store, project)
    classes = film_strip.by_class(site.store, run)
    fullest = max(classes, key=lambda one: one.open)
    chosen = fullest if label is None or label >= len(classes) else classes[label]
    return page(
        request,
        "film_strip.html.j2",
        project=project_overview.named(site.store, project),
        run=run,
        classes=classes,
        chosen=chosen,
        following=next((one for one in classes if one.open and one != chosen), None),
        findings=run.settings.get("findings", []),
        frozen=run.state not in {OPEN, REFUSED},
        leads=adjudicate.leads_here(site.store, project, who.id, role=who.role),
    )


def certificate_page(request: Request, project: Id, certificate: Id, site: At) -> Response:
    """A certificate, explained to a clinician."""
    found = get_label_certificate(site.store, project, certificate)
    document = json.loads(found.document)
    return page(
        request,
        "certificate.html.j2",
        project=project_overview.named(site.store, project),
        id=found.id,
        paper=document["certificate"],
        signature=document["signature"],
        genuine=bool(signing.check_signature(document)),
        stands=any(one.id == found.id and one.stands for one in board(site.store, project).papers),
    )
