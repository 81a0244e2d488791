"""The lead's page of onboarding: readers before the gate, gold cases, disputes; and profiles."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from random import Random
from typing import Any, Literal

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import (
    gold_cases,
    onboarding_board,
    qualify_reader,
    reader_profiles,
    requalify,
)
from overread.app.study import project_overview
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.pages.account import local
from overread.web.replies import go, page
from overread.web.schemas import Id

Shown = Literal["readers", "gold", "disputes"]
_FIELDS = ("profession", "specialty", "board", "years", "modalities", "conflicts")


def onboarding_page(
    request: Request, project: Id, site: At, show: Shown = "readers", reader: str = ""
) -> Response:
    """One of the lists; ``reader`` opens the actions for one of them."""
    return _page(request, site, project, show=show, reader=reader[:64])


def _page(
    request: Request,
    site: At,
    project: str,
    *,
    show: str,
    reader: str = "",
    status: int = 200,
    error: Any = None,
) -> Response:
    return page(
        request,
        "onboarding.html.j2",
        status,
        project=project_overview.named(site.store, project),
        board=onboarding_board.board(site.store, project),
        show=show,
        chosen=reader,
        error=error,
        done=request.query_params.get("done", "")[:100],
    )


async def exempt(request: Request, project: Id, site: At, who: Who) -> Response:
    """Make an exception for a reader, with a reason: profile, one more run, certificate."""
    form = await read_form(request)
    reader, what = text_of(form, "reader"), text_of(form, "what")
    reason = text_of(form, "reason", most=2000)

    def work() -> None:
        qualify_reader.exempt(site.store, project, reader, what, reason=reason, by=who.id)

    return await _done(request, site, project, work, show="readers", reader=reader)


async def profile(request: Request, project: Id, site: At, who: Who) -> Response:
    """Change the profile of a reader of the project."""
    form = await read_form(request)
    reader = text_of(form, "reader")
    fields = {name: text_of(form, name, most=5000) for name in _FIELDS}

    def work() -> None:
        reader_profiles.save_profile_in(site.store, project, reader, fields, by=who.id)

    return await _done(request, site, project, work, show="readers", reader=reader)


async def hidden(request: Request, project: Id, site: At, who: Who) -> Response:
    """Put hidden gold among the cases that readers have left."""
    form = await read_form(request)
    percent = text_of(form, "percent", most=8).replace(",", ".")

    def work() -> None:
        try:
            share = float(percent) / 100
        except ValueError as refused:
            raise InputError("share of gold", "be a number of percent", percent) from refused
        draw = Random(secrets.randbits(64))  # noqa: S311 - places in a queue, no secret
        gold_cases.plan_hidden_gold(site.store, project, share, by=who.id, random=draw)

    return await _done(request, site, project, work, show="gold")


async def retire(request: Request, project: Id, gold: Id, site: At, who: Who) -> Response:
    """Retire a gold case, with a reason."""
    form = await read_form(request)
    reason = text_of(form, "reason", most=2000)

    def work() -> None:
        gold_cases.retire(site.store, project, gold, reason, by=who.id)

    return await _done(request, site, project, work, show="gold")


async def certificates(request: Request, project: Id, site: At, who: Who) -> Response:
    """Say what the newest version means for certificates earned before it."""
    form = await read_form(request)
    choice, reason = text_of(form, "choice"), text_of(form, "reason", most=2000)

    def work() -> None:
        requalify.rule(site.store, project, choice, reason, by=who.id)

    return await _done(request, site, project, work, show="readers")


async def settle(request: Request, project: Id, dispute: Id, site: At, who: Who) -> Response:
    """Settle a dispute about gold."""
    form = await read_form(request)
    state, words = text_of(form, "state"), text_of(form, "decision", most=4000)

    def work() -> None:
        gold_cases.settle(site.store, project, dispute, state, words, by=who.id)

    return await _done(request, site, project, work, show="disputes")


async def make_gold(request: Request, case: Id, site: At, who: Who) -> Response:
    """Make a case gold, with the answer of one of its reads."""
    form = await read_form(request)
    read, pool, atlas = (text_of(form, name) for name in ("read", "pool", "atlas"))

    def work() -> None:
        gold_cases.gold_from_read(site.store, case, read, pool=pool, atlas=atlas or None, by=who.id)

    project = await run_in_threadpool(gold_cases.project_of, site.store, case)
    back = local(text_of(form, "back")) or f"/cases/{case}?done=yes"
    return await _done(request, site, project, work, show="gold", back=back)


async def own_profile(request: Request, site: At, who: Who) -> Response:
    """Keep my own profile."""
    form = await read_form(request)
    fields = {name: text_of(form, name, most=5000) for name in _FIELDS}
    try:
        await run_in_threadpool(reader_profiles.save_profile, site.store, who.id, fields, by=who.id)
    except InputError:
        return go("/account?profile=refused#profile")
    return go(local(text_of(form, "back")) or "/account?profile=saved#profile")


async def _done(
    request: Request,
    site: At,
    project: str,
    work: Callable[[], object],
    *,
    show: str,
    reader: str = "",
    back: str = "",
) -> Response:
    try:
        await run_in_threadpool(work)
    except (InputError, ConflictError, NotFoundError) as error:
        status = 422 if isinstance(error, InputError) else 409
        told = {"title": "Not done", "words": str(error)}
        return await run_in_threadpool(
            lambda: _page(
                request, site, project, show=show, reader=reader, status=status, error=told
            )
        )
    return go(back or f"/projects/{project}/onboarding?show={show}&done=yes")
