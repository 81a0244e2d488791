"""The page of pre-labels: what stands, how readers see it, its influence, and bringing more."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from overread.app.learning.bring_model import MOST as MOST_MODELS
from overread.app.learning.bring_model import retire_model
from overread.app.learning.model_head import SCORES
from overread.app.learning.pre_label_board import keep_showing
from overread.app.learning.pre_label_upload import MOST_BYTES, MOST_FILES, kept_upload
from overread.app.study import project_overview
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError, OverreadError
from overread.latents.onnx_file import SCALES
from overread.protocol.pre_label import SHOW
from overread.store.errors import ConflictError
from overread.store.learning.pre_labels_withdrawn import withdraw_hints, withdraw_pre_labels
from overread.web.access.forms import check_csrf, read_form, text_of
from overread.web.anchorings import anchoring_now
from overread.web.api.around import At, Who
from overread.web.auto_labels import keys_of
from overread.web.pre_labels import (
    OUTCOME,
    STAYS,
    TOTAL,
    Sent,
    board_of,
    bring_file,
    bring_others,
    bring_own,
    find,
    networks_of,
    refuse_second,
    run_brought,
    standing,
    train,
)
from overread.web.replies import go, page
from overread.web.schemas import Id

MOST = MOST_BYTES
STEPS = 1200
MODEL_FIELDS = (
    "question", "model", "version", "classes", "scores", "scale", "side", "threshold",
)  # fmt: skip
"""Of the form of a model."""
Given = Mapping[str, str]
_MOST_STEPS = 20_000


def pre_labels_page(request: Request, project: Id, site: At, who: Who) -> Response:
    """What stands, and what can be brought."""
    return shown_page(request, site, project, who)


def shown_page(
    request: Request, site: At, project: str, who: Any, *, status: int = 200, error: Any = None,
    given: Given | None = None,
) -> Response:  # fmt: skip
    """The page.

    Args:
        error: what was refused, with a title and words.
        given: what stood in the form of a model that was refused.
    """
    named = project_overview.named(site.store, project)
    under_way, last = standing(site, project)
    known = anchoring_now(site.anchorings, site.store, project)
    protocol = protocol_of(site.store, project).protocol
    return page(
        request,
        "pre_labels.html.j2",
        status,
        path=f"/projects/{project}/pre-labels",  # of a refused form too
        project=named,
        board=board_of(site, project, _others(site, who)),
        told=[] if known is None else known.told(protocol),
        hints=[] if known is None else known.told_of_hints(protocol),
        under_way=under_way,
        last=last,
        outcome=OUTCOME,
        total=int(under_way.what.get(TOTAL, "0")) if under_way else 0,
        shows=SHOW,
        steps=STEPS,
        most_files=MOST_FILES,
        networks=networks_of(site) is not None,
        error=error,
        stays=STAYS,
        scales=SCALES,
        scores=SCORES,
        given=dict.fromkeys(MODEL_FIELDS, "") | dict(given or {}),
        most_models=MOST_MODELS,
    )


def _others(site: At, who: Any) -> list[str]:
    """Projects that somebody leads: the models of others are not theirs to use."""
    return [one.id for one in project_overview.led_projects(site.store, who.id, role=who.role)]


async def act(request: Request, project: Id, site: At, who: Who) -> Response:
    """One of the buttons."""
    form = await read_form(request)
    given = {name: text_of(form, name) for name in form}
    try:
        await run_in_threadpool(_done, site, project, given, who)
    except (InputError, ConflictError) as refused:
        told = {"title": "Not done", "words": _words(refused)}
        return await run_in_threadpool(
            lambda: shown_page(request, site, project, who, status=422, error=told)
        )
    return go(f"/projects/{project}/pre-labels")


def _done(site: At, project: str, given: Given, who: Any) -> None:
    project_overview.named(site.store, project)
    what = given.get("do", "")
    if what not in _ACTS:
        raise InputError("do", "be one of the buttons of this page", what[:20])
    _ACTS[what](site, project, given, who)


def _show(site: At, project: str, given: Given, who: Any) -> None:
    keep_showing(site.store, project, given, by=who.id)


def _own(site: At, project: str, _given: Given, who: Any) -> None:
    bring_own(site, project, who.id)


def _earlier(site: At, project: str, given: Given, who: Any) -> None:
    found = {one.key: one for one in board_of(site, project, _others(site, who)).earlier}
    if given.get("model", "") not in found:
        raise InputError("model", "be one of the list", "another")
    bring_others(site, project, found[given["model"]], networks_of(site) or Path(), who.id)


def _hints(site: At, project: str, _given: Given, who: Any) -> None:
    find(site, project, who.id)


def _train(site: At, project: str, given: Given, who: Any) -> None:
    steps = given.get("steps", "")
    if not (steps.isascii() and steps.isdecimal() and 1 <= int(steps[:9]) <= _MOST_STEPS):
        raise InputError("steps", f"be 1 to {_MOST_STEPS:,}", steps[:20] or "nothing")
    folder = keys_of(site) / "networks" / project
    train(site, project, given.get("question", ""), folder, int(steps), who.id)


def _run(site: At, project: str, given: Given, who: Any) -> None:
    run_brought(site, project, given.get("model", ""), who.id)


def _remove(site: At, project: str, given: Given, who: Any) -> None:
    refuse_second(site, project)  # it may be this one that is at work
    retire_model(site.store, project, given.get("model", ""), by=who.id)


def _withdraw(site: At, project: str, given: Given, who: Any) -> None:
    of = {key: given.get(key, "") for key in ("question", "model", "version")}
    withdraw_pre_labels(site.store, project, **of, by=who.id)


def _withdraw_hints(site: At, project: str, _given: Given, who: Any) -> None:
    withdraw_hints(site.store, project, by=who.id)


def _stop(site: At, project: str, _given: Given, _who: Any) -> None:
    under_way, _ = standing(site, project)
    if under_way is not None:
        under_way.stop.set()


_ACTS: dict[str, Callable[[At, str, Given, Any], None]] = {
    "show": _show, "own": _own, "earlier": _earlier, "hints": _hints, "train": _train,
    "run": _run, "remove": _remove, "withdraw": _withdraw, "withdraw-hints": _withdraw_hints,
    "stop": _stop,
}  # fmt: skip


def _words(refused: Exception) -> str:
    problems = getattr(refused, "problems", None)
    if not problems:
        return str(refused)
    return "; ".join(f"{one.where} must {one.rule}, got {one.got}" for one in problems)


async def upload(request: Request, project: Id, site: At, who: Who) -> Response:
    """Bring what a file proposes."""
    await run_in_threadpool(project_overview.named, site.store, project)
    async with request.form(max_files=MOST_FILES, max_fields=10) as form:
        check_csrf(request, form.get("csrf"))
        try:
            await run_in_threadpool(_begin, site, project, form, who.id)
        except OverreadError as refused:
            told = {"title": "Not brought", "words": str(refused)}
            return await run_in_threadpool(
                lambda: shown_page(request, site, project, who, status=422, error=told)
            )
    return go(f"/projects/{project}/pre-labels")


def _begin(site: At, project: str, form: FormData, by: str) -> None:
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.size]
    if not files:
        raise InputError("pre-labels", "be a file", "none", remedy="Choose one.")
    text = {key: text_of(form, key).strip() for key in ("question", "model", "version", "reader")}
    ids = [one.id for one in protocol_of(site.store, project).protocol.questions]
    if text["question"] not in ids:
        raise InputError("question", f"be one of {', '.join(ids)}", text["question"] or "nothing")
    if not text["model"]:
        remedy = "Give its name, so that everybody knows who proposes."
        raise InputError("model", "have a name", "none", remedy=remedy)
    place = site.upload_folder
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="overread-pre-labels-", dir=place))
    sent = Sent(text["question"], text["model"], text["version"] or "1", text["reader"])
    try:
        kept_upload([(one.filename or "", one.file) for one in files], folder)
        bring_file(site, project, folder, sent, by)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
