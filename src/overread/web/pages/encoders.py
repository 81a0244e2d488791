"""Encoders that a lead brings to a project, and removes: forms of the learning page."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from overread.app.learning.bring_encoder import MOST_BYTES
from overread.app.learning.pre_label_upload import kept_upload
from overread.app.study import project_overview
from overread.errors import InputError
from overread.web.access.forms import check_csrf, read_form, text_of
from overread.web.api.around import At, Who
from overread.web.pages.learning import answered
from overread.web.schemas import Id
from overread.web.training import bring, remove

MOST = MOST_BYTES + (1 << 20)  # the file, and the fields beside it
_PART = "#encoders"


async def upload(request: Request, project: Id, site: At, who: Who) -> Response:
    """Try a file, and keep it as an encoder."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=1, max_fields=10) as form:
        check_csrf(request, form.get("csrf"))
        return await answered(
            request, site, project, lambda: _bring(site, project, form, who.id), part=_PART
        )


async def retire(request: Request, project: Id, site: At, who: Who) -> Response:
    """Take one off the list."""
    form = await read_form(request)
    kind = text_of(form, "kind", most=60)

    def work() -> None:
        project_overview.named(site.store, project)
        remove(site, project, kind, by=who.id)

    return await answered(request, site, project, work, part=_PART)


def _bring(site: At, project: str, form: FormData, by: str) -> None:
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile) and one.size]
    if not files or not (files[0].filename or "").lower().endswith(".onnx"):
        raise InputError("encoder", "be an .onnx file", "another" if files else "none")
    place = site.upload_folder
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    name, scale = text_of(form, "name").strip(), text_of(form, "scale")
    with tempfile.TemporaryDirectory(prefix="overread-encoder-", dir=place) as folder:
        kept_upload([("brought.onnx", files[0].file)], Path(folder))
        path = Path(folder) / "brought.onnx"
        name = name or Path(files[0].filename or "").stem[:60]
        bring(site, project, path, name, scale, by=by)
