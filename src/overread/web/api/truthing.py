"""Truthing reports: asked for, watched, fetched."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from overread.store.errors import NotFoundError
from overread.store.quality.truthings import TruthingRow
from overread.web.api.around import At, Who
from overread.web.jobs import Job
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_reports import TruthingIn
from overread.web.truthings import (
    MEDIA,
    begin_truthing,
    truthing_called,
    truthing_file,
    truthings,
)


def begin(project: Id, body: TruthingIn, site: At, who: Who) -> Response:
    """Begin a truthing report; the same ``report_id`` again is the same report."""
    job = begin_truthing(site, project, body.report_id, names=body.names, by=who.id)
    return json_reply(_job(job), 202)


def reports(project: Id, site: At) -> Response:
    """Reports that are kept, the newest first, and those under way."""
    found = truthings(site, project)
    under_way = None if found.under_way is None else _job(found.under_way)
    kept = [report_value(one) for one in found.kept]
    told = {"reports": kept, "under_way": under_way, "failed": found.failed or None}
    return json_reply(told)


def file(project: Id, report: Id, form: str, site: At) -> Response:
    """A kept report as HTML, PDF or JSON."""
    if form not in MEDIA:
        raise NotFoundError("form of the report", form[:10])
    name, content = truthing_file(site, project, report, form)
    kept = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=kept, media_type=MEDIA[form])


def stop(project: Id, report: Id, site: At) -> Response:
    """Stop a report that is under way; nothing is kept of it."""
    job = truthing_called(site, project, report)
    job.stop.set()
    return json_reply(_job(job))


def _job(job: Job) -> dict[str, Any]:
    return job.told()


def report_value(row: TruthingRow) -> dict[str, Any]:
    """A kept report as JSON."""
    return {
        "id": row.id,
        "made": row.made,
        "named": row.named,
        "conformity": row.words,
        "log": {"events": row.log_events, "head": row.log_head},
        "files": row.files,
    }
