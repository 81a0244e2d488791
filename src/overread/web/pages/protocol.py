"""The protocol of a project: look, check, compare, save as the next version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import requalify
from overread.app.study import conformity, project_overview, project_protocol, protocol_change
from overread.errors import InputError
from overread.protocol import changes, read_protocol
from overread.store.errors import ConflictError
from overread.store.quality.stale import Ruling
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.pages.projects import protocol_faults
from overread.web.replies import go, page
from overread.web.schemas import Id


def protocol_page(request: Request, project: Id, site: At, saved: str = "") -> Response:
    """The protocol as it stands."""
    told = {"yes": "Saved. New reads are made under this version.", "ruled": "Kept."}
    words = told.get(saved, "")
    return _shown(request, site, project, saved=words)


async def protocol(request: Request, project: Id, site: At, who: Who) -> Response:
    """Save the next version, or only check and compare."""
    form = await read_form(request)
    text = text_of(form, "text", most=1_000_000).replace("\r\n", "\n")
    base, only_check = text_of(form, "base", most=10), bool(text_of(form, "check"))
    return await run_in_threadpool(
        lambda: _save(
            request, site, project,
            text=text, base=base, only_check=only_check, by=who.id, said=_ruling(form),
        )
    )  # fmt: skip


async def rule(request: Request, project: Id, site: At, who: Who) -> Response:
    """Say what a version that stands already means for the labels before it."""
    form = await read_form(request)
    version = text_of(form, "version", most=6)
    said = _ruling(form)
    number = int(version) if version.isdecimal() else 0

    def work() -> Response:
        if said is None:
            told = {"title": "Not kept", "words": "Choose what is read again."}
            return _shown(request, site, project, error=told, status=422)
        try:
            protocol_change.rule(site.store, project, replace(said, version=number), by=who.id)
        except InputError as refused:
            told = {"title": "Not kept", "words": str(refused)}
            return _shown(request, site, project, error=told, status=422)
        return go(f"/projects/{project}/protocol?saved=ruled")

    return await run_in_threadpool(work)


def _ruling(form: Mapping[str, object]) -> Ruling | None:
    """What a form says of the labels before; None where it says nothing."""
    choice = text_of(form, "choice", most=10)
    if choice not in {"all", "affected", "none"}:
        return None
    given: Any = form
    touched: dict[str, list[str]] = {}
    for one in given.getlist("touched"):
        question, _, name = str(one)[:200].partition("|")
        touched.setdefault(question, []).append(name)
    until = "left_out" if text_of(form, "until") == "left_out" else "marked"
    readers = "any" if text_of(form, "who") == "any" else "same"
    words = text_of(form, "words", most=4000).replace("\r\n", "\n")
    return Ruling(0, cast("Any", choice), words, touched, cast("Any", until), cast("Any", readers))


def _save(
    request: Request,
    site: At,
    project: str,
    *,
    text: str,
    base: str,
    only_check: bool,
    by: str,
    said: Ruling | None,
) -> Response:
    error = protocol_faults(text)
    if error is not None:
        return _shown(request, site, project, text=text, error=error, status=422)
    now = project_protocol.protocol_of(site.store, project)
    new = read_protocol(text)
    found = changes(now.protocol, new)
    effect = None
    if any(one.stale for one in found):
        effect = protocol_change.effect(site.store, project, new, version=now.version + 1)
    ask = effect is not None and effect.asks
    shown: dict[str, Any] = {"text": text, "differences": found, "effect": effect if ask else None}
    if only_check or not found:
        words = "Sound." if found else "Sound, and no different from the version that stands."
        return _shown(request, site, project, saved=words, **shown)
    if ask and said is None:
        words = "Not saved yet: say below what happens to the labels made before."
        return _shown(request, site, project, saved=words, **shown)
    try:
        if ask and said is not None and said.choice != "all":
            protocol_change.check_ruling(said)
        made = project_protocol.new_version(
            site.store, project, text, base=int(base) if base.isdecimal() else 0, by=by
        )
        if ask and said is not None:
            protocol_change.rule(site.store, project, replace(said, version=made), by=by)
        requalify.after_change(site.store, project, by=by)
    except (ConflictError, InputError) as refused:
        told = {
            "title": "Not saved",
            "words": f"{refused}. Your text is below; load the page anew to see the other.",
        }
        return _shown(request, site, project, error=told, status=409, **shown)
    return go(f"/projects/{project}/protocol?saved=yes")


def _shown(
    request: Request,
    site: At,
    project: str,
    *,
    text: str | None = None,
    status: int = 200,
    error: Any = None,
    saved: str = "",
    differences: Any = (),
    effect: Any = None,
) -> Response:
    now = project_protocol.protocol_of(site.store, project)
    model = site.models.of(site.store, project)
    proof = conformity.conformity_now(site.store, project, model.conformity if model else None)
    open_ = proof.unruled[0] if proof and proof.unruled and effect is None else None
    return page(
        request,
        "protocol.html.j2",
        status,
        project=project_overview.named(site.store, project),
        version=now.version,
        versions=now.version,
        text=now.text if text is None else text,
        guideline=now.protocol.guideline,
        atlas=now.protocol.atlas,
        error=error,
        saved=saved,
        differences=differences,
        effect=effect,
        proof=proof,
        again=protocol_change.count_again(site.store, project),
        open=open_,
        open_effect=None if open_ is None else _effect_of(site, project, open_),
    )


def _effect_of(site: At, project: str, version: int) -> protocol_change.Effect:
    """What a version that stands does to the labels before it."""
    new = project_protocol.protocol_of(site.store, project, version).protocol
    return protocol_change.effect(site.store, project, new, version=version)
