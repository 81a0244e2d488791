"""How readers do: charts, alarms, what the lead decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from overread.app.quality import alarm_board, reader_board
from overread.app.quality import quality_board as quality
from overread.app.quality.chart_wall import picture
from overread.app.study import project_overview
from overread.app.study.project_model import LEAST_CASES
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.anchorings import anchoring_now
from overread.web.api.around import At, Who
from overread.web.replies import go, page
from overread.web.schemas import Id
from overread.web.watches import watch_of

Metric = Annotated[str, Query(max_length=200)]


def quality_page(request: Request, project: Id, site: At, metric: Metric = "") -> Response:
    """The wall of charts."""
    return _quality(request, site, project, metric=metric)


def reader_page(request: Request, project: Id, reader: Id, site: At) -> Response:
    """One reader: every chart, every figure, what was done."""
    return _reader(request, site, project, reader)


def alarm_page(request: Request, alarm: Id, site: At) -> Response:
    """One alarm."""
    return _alarm(request, site, alarm)


async def check(request: Request, alarm: Id, site: At, who: Who) -> Response:
    """Have the reader read fresh cases."""
    form = await read_form(request)
    count = text_of(form, "count", most=4)
    number = int(count) if count.isdecimal() else 0

    def work() -> None:
        if not 1 <= number <= 1_000:
            raise InputError("cases", "be 1 to 1000", count)
        alarm_board.check_reader(site.store, alarm, number, by=who.id)

    return await _done(work, f"/alarms/{alarm}", lambda told: _alarm(request, site, alarm, told))


async def let_out(request: Request, alarm: Id, site: At, who: Who) -> Response:
    """Let the reader see the worst cases beside what the others say together."""
    await read_form(request)

    def work() -> None:
        alarm_board.let_out(site.store, alarm, by=who.id)

    return await _done(work, f"/alarms/{alarm}", lambda told: _alarm(request, site, alarm, told))


async def decide(request: Request, alarm: Id, site: At, who: Who) -> Response:
    """Release, retire or dismiss."""
    form = await read_form(request)
    state, suspects = text_of(form, "decision"), text_of(form, "suspects") or "restore"
    reason = text_of(form, "reason", most=2000)

    def work() -> None:
        of = alarm_board.project_of_alarm(site.store, alarm)
        watch = watch_of(site.watches, site.store, of)
        alarm_board.decide(
            site.store, alarm, state, watch, reason=reason, suspects=suspects, by=who.id
        )

    return await _done(work, f"/alarms/{alarm}", lambda told: _alarm(request, site, alarm, told))


async def pause(request: Request, project: Id, reader: Id, site: At, who: Who) -> Response:
    """Pause a reader, or let one go on, by hand."""
    form = await read_form(request)
    reason = text_of(form, "reason", most=2000)
    act = quality.go_on if text_of(form, "what") == "release" else quality.pause

    def work() -> None:
        act(site.store, project, reader, reason=reason, by=who.id)

    back = f"/projects/{project}/readers/{reader}"
    return await _done(work, back, lambda told: _reader(request, site, project, reader, told))


def _quality(request: Request, site: At, project: str, *, metric: str = "") -> Response:
    watch = watch_of(site.watches, site.store, project)
    model = site.models.of(site.store, project)
    protocol = protocol_of(site.store, project).protocol
    proposals = anchoring_now(site.anchorings, site.store, project)
    return page(
        request,
        "quality.html.j2",
        project=project_overview.named(site.store, project),
        quality=quality.quality(site.store, project, watch, chosen=metric),
        agreements=reader_board.agreements(site.store, project, model),
        matrices=[] if metric else reader_board.matrices(site.store, project, model),
        proposals=proposals,
        anchoring=[] if proposals is None else proposals.told(protocol),
        hints=[] if proposals is None else proposals.told_of_hints(protocol),
        wish=protocol.pre_label,
        picture=picture,
        error=None,
    )


def _reader(request: Request, site: At, project: str, reader: str, error: Any = None) -> Response:
    watch = watch_of(site.watches, site.store, project)
    model = site.models.of(site.store, project)
    return page(
        request,
        "reader.html.j2",
        200 if error is None else 422,
        project=project_overview.named(site.store, project),
        shown=reader_board.reader_page(site.store, project, reader, watch, model),
        least=LEAST_CASES,
        picture=picture,
        error=error,
    )


def _alarm(request: Request, site: At, alarm: str, error: Any = None) -> Response:
    of = alarm_board.project_of_alarm(site.store, alarm)
    shown = alarm_board.alarm_page(site.store, alarm, watch_of(site.watches, site.store, of))
    return page(
        request,
        "alarm.html.j2",
        200 if error is None else 422,
        project=project_overview.named(site.store, of),
        shown=shown,
        alarm=shown.alarm,
        told=shown.alarm.told,
        error=error,
    )


async def _done(work: Callable[[], None], back: str, again: Callable[[Any], Response]) -> Response:
    try:
        await run_in_threadpool(work)
    except (InputError, ConflictError, NotFoundError) as error:
        told = {"title": "Not done", "words": str(error)}
        return await run_in_threadpool(again, told)
    return go(back)
