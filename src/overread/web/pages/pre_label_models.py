"""A model that a lead brings to propose answers: the form of an ONNX file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from overread.app.learning.bring_model import (
    LONGEST_NAME,
    MOST_BYTES,
    bring_model,
    stated_of,
)
from overread.app.learning.pre_label_upload import kept_upload
from overread.app.study import project_overview
from overread.errors import InputError, OverreadError
from overread.web.access.forms import check_csrf, text_of
from overread.web.api.around import At, Who
from overread.web.pages.pre_labels import MODEL_FIELDS, shown_page
from overread.web.pre_labels import refuse_second, run_brought
from overread.web.replies import go
from overread.web.schemas import Id

MOST = MOST_BYTES + (1 << 20)  # the file, and the fields beside it
_LONGEST = 2_000  # of a list of classes


async def upload(request: Request, project: Id, site: At, who: Who) -> Response:
    """Try a file, keep it as a model, and have it propose."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=1, max_fields=12) as form:
        check_csrf(request, form.get("csrf"))
        given = {key: text_of(form, key, most=_LONGEST) for key in MODEL_FIELDS}
        try:
            await run_in_threadpool(_bring, site, project, form, given, who.id)
        except OverreadError as refused:
            error = {"title": "The model was not brought", "words": str(refused)}
            return await run_in_threadpool(
                lambda: shown_page(
                    request, site, project, who, status=422, error=error, given=given
                )
            )
    return go(f"/projects/{project}/pre-labels")


def _bring(site: At, project: str, form: FormData, given: Mapping[str, str], by: str) -> None:
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.size]
    if not files or not (files[0].filename or "").lower().endswith(".onnx"):
        raise InputError("model", "be an .onnx file", "another" if files else "none")
    refuse_second(site, project)
    name = Path((files[0].filename or "").replace("\\", "/")).stem[:LONGEST_NAME]
    stated = stated_of(given, name=name)
    place = site.upload_folder
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="overread-model-", dir=place) as folder:
        kept_upload([("brought.onnx", files[0].file)], Path(folder))
        path = Path(folder) / "brought.onnx"
        row = bring_model(site.store, site.blobs, project, path, stated, by=by)
    run_brought(site, project, row.id, by, idle=True)
