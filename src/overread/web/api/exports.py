"""Raw reads, consensus and history as files: asked for, watched, fetched."""

from __future__ import annotations

from fastapi import Response
from starlette.responses import FileResponse

from overread.app.study.project_overview import named
from overread.store.errors import NotFoundError
from overread.web.api.around import At, Who
from overread.web.exports import begin_export, export_called, export_manifest, export_value
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_lead import ExportIn

_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".zip": "application/zip",
}


def begin(project: Id, body: ExportIn, site: At, who: Who) -> Response:
    """Begin an export; the same ``export_id`` again is the same export."""
    job = begin_export(
        site,
        project,
        body.export_id,
        what=body.what,
        form=body.format,
        by=who.id,
        questions=body.questions,
        final=body.final,
    )
    return json_reply(export_value(job), 202)


def exports(project: Id, site: At) -> Response:
    """Exports of this server's run, the newest first."""
    named(site.store, project)
    return json_reply({"exports": [export_value(one) for one in site.jobs.of(project, "export")]})


def export(project: Id, export: Id, site: At) -> Response:
    """How an export goes; it has a file when it is done."""
    return json_reply(export_value(export_called(site, project, export)))


def file(project: Id, export: Id, site: At) -> Response:
    """The file of an export."""
    job = export_called(site, project, export)
    if not job.done or job.file is None or not job.file.is_file():
        raise NotFoundError("file of this export", "yet")
    kind = _TYPES.get(job.file.suffix, "application/octet-stream")
    return FileResponse(job.file, media_type=kind, filename=job.file.name)


def manifest(project: Id, export: Id, site: At) -> Response:
    """The manifest of an export: its files' hashes, the protocol, the head of the log, the proof.

    It belongs beside the file; a .zip holds it as well.
    """
    name, content = export_manifest(export_called(site, project, export))
    kept = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=kept, media_type="application/json")


def stop(project: Id, export: Id, site: At) -> Response:
    """Stop an export; nothing is left of it."""
    job = export_called(site, project, export)
    job.stop.set()
    return json_reply(export_value(job))
