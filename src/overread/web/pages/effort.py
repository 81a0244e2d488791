"""The page of effort: hours spent and left, the end, what it costs."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.learning import effort_account
from overread.app.quality import effort_board as effort
from overread.app.quality.effort_ledger import AGAIN, CORRECTED, FIRST
from overread.app.study import project_overview
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.store import project_progress
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id

_MOST_RATES = 40


def effort_page(
    request: Request,
    project: Id,
    site: At,
    labelled: Annotated[float, Query(ge=0, le=100)] = 10.0,
    review: Annotated[float, Query(gt=0, le=86_400)] = 20.0,
) -> Response:
    """What was spent, what is left."""
    return _shown(request, site, project, labelled=labelled, review=review)


def _shown(
    request: Request,
    site: At,
    project: str,
    *,
    labelled: float = 10.0,
    review: float = 20.0,
    error: Any = None,
) -> Response:
    found = _effort(site, project)
    return page(
        request,
        "effort.html.j2",
        200 if error is None else 422,
        project=project_overview.named(site.store, project),
        effort=found,
        kinds=effort.KINDS,
        what=_what_if(site, project, found, labelled=labelled, review=review),
        account=_account(site, project, found),
        labelled=labelled,
        review=review,
        error=error,
    )


def _effort(site: At, project: str) -> effort.Effort:
    project_overview.named(site.store, project)
    now = site.clock()
    return site.efforts.use(
        site.store, project, lambda ledger: effort.effort(site.store, project, ledger, now=now)
    )


def _account(site: At, project: str, found: effort.Effort) -> Any:
    """With auto-labels: spent by kind, against all cases read."""
    if not found.ready or found.spent is None:
        return None
    reads = sum(one.reads for one in found.readers)
    hours = sum(found.spent[kind] for kind in (FIRST, CORRECTED, AGAIN))
    worked = sum(one.hours for one in found.roles if one.rate is not None)
    rate = (found.money or 0.0) / worked if worked else 0.0
    return effort_account.account(site.store, project, reads=reads, hours=hours, cost_an_hour=rate)


def _what_if(
    site: At, project: str, found: effort.Effort, *, labelled: float, review: float
) -> effort.What | None:
    if not found.ready:
        return None
    cases = project_progress(site.store, project).cases
    readers = protocol_of(site.store, project).protocol.reads_per_case
    share = labelled / 100
    try:
        return effort.what_if(found, cases=cases, readers=readers, labelled=share, review=review)
    except InputError:  # no read has a time yet
        return None


async def terms(request: Request, project: Id, site: At, who: Who) -> Response:
    """Keep rates and the plan."""
    form = await read_form(request)
    names = [one for one in form if one.startswith("rate:")][:_MOST_RATES]
    fields = {name: text_of(form, name, most=40) for name in names}
    fields |= {name: text_of(form, name, most=40) for name in ("currency", "hours", "deadline")}
    role = text_of(form, "role", most=60).strip().lower()
    if role and text_of(form, "rate", most=40):
        fields[f"rate:{role}"] = text_of(form, "rate", most=40)
    try:
        await run_in_threadpool(effort.save_terms, site.store, project, fields, by=who.id)
    except InputError as refused:
        told = {"title": "Not kept", "words": str(refused)}
        return await run_in_threadpool(lambda: _shown(request, site, project, error=told))
    return go(f"/projects/{project}/effort")


def table(project: Id, site: At) -> Response:
    """The same as a table."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(effort.as_table(_effort(site, project)))
    kept = {"content-disposition": 'attachment; filename="effort.csv"'}
    return Response(made.getvalue(), headers=kept, media_type="text/csv; charset=utf-8")
