"""Raw reads and consensus as files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from fastapi import Response
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from overread.app.export_labels import export_labels
from overread.web.api.around import At
from overread.web.schemas import Id

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "coco": "application/json",
}


def export(
    project: Id,
    site: At,
    what: Literal["reads", "consensus"] = "reads",
    format: Literal["csv", "parquet", "coco"] = "csv",  # noqa: A002 - the API's word
) -> Response:
    """Raw reads or the consensus of a project."""
    folder = Path(tempfile.mkdtemp(prefix="overread-export-"))
    try:
        end = "json" if format == "coco" else format
        made = export_labels(site.store, project, folder / f"{what}.{end}", what=what, form=format)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        made,
        media_type="application/zip" if made.suffix == ".zip" else _TYPES[format],
        filename=made.name,
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )
