"""The plan of a project: looked at before it is written, drawn, and planned again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from overread.app.analysis.plan_sizes import MEASURES, Sizes, sizes_for
from overread.app.study import (
    plan_board,
    plan_preview,
    plan_project,
    project_overview,
)
from overread.app.study.plan_ground import ReaderWish
from overread.app.study.plan_project import PlanWish
from overread.errors import InputError
from overread.store.errors import ConflictError, NotFoundError
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.plan_counts import counts_of
from overread.web.replies import go, page
from overread.web.schemas import Id

_SIZE_FIELDS = ("measure", "expected", "half_width", "prevalence", "readers")


def plan_page(request: Request, project: Id, site: At) -> Response:
    """The plan in force, or the form of a first one; the planner of sizes."""
    return _plan(request, site, project)


async def plan(request: Request, project: Id, site: At, who: Who) -> Response:
    """Look at a plan, write it, or plan again what is left."""
    form = await read_form(request)
    act = text_of(form, "act")

    def work() -> Response:
        if act == "again":
            plan_project.write_again(site.store, project, by=who.id)
            return go(f"/projects/{project}/plan?written=yes")
        if act == "look":
            drawn = plan_project.draw_again(site.store, project)
            again = plan_preview.preview(site.store, project, drawn)
            return _plan(request, site, project, again=again)
        wish, seconds = _wish(form), _seconds(form)
        if act == "write":
            plan_project.write(site.store, project, wish, by=who.id)
            return go(f"/projects/{project}/plan?written=yes")
        drawn = plan_project.draw_up(site.store, project, wish)
        shown = plan_preview.preview(site.store, project, drawn, seconds=seconds)
        return _plan(request, site, project, wish=wish, shown=shown, seconds=seconds)

    return await run_in_threadpool(_told, request, site, project, work, form)


def _told(
    request: Request, site: At, project: str, work: Callable[[], Response], form: FormData
) -> Response:
    try:
        return work()
    except (InputError, ConflictError, NotFoundError) as error:
        told = {"title": "Not planned", "words": str(error)}
        wish = None
        if text_of(form, "act") not in {"again", "look"}:
            try:
                wish = _wish(form)
            except InputError:
                wish = None
        return _plan(request, site, project, wish=wish, error=told)


def _plan(
    request: Request,
    site: At,
    project: str,
    *,
    wish: PlanWish | None = None,
    shown: plan_preview.Preview | None = None,
    seconds: float | None = None,
    again: plan_preview.Preview | None = None,
    error: Any = None,
) -> Response:
    counts = counts_of(site.counts, site.store, project)
    board = plan_board.board(site.store, project, wish=wish, counts=counts)
    asked, sizes, refused = _sizes(request)
    return page(
        request,
        "plan.html.j2",
        200 if error is None else 422,
        project=project_overview.named(site.store, project),
        board=board,
        shown=shown,
        again=again,
        seconds=seconds,
        groups=counts.groups if counts else None,
        measures=MEASURES,
        asked=asked,
        sizes=sizes,
        error=error or refused,
        written=bool(request.query_params.get("written")),
    )


def _sizes(request: Request) -> tuple[dict[str, str], Sizes | None, Any]:
    """What the planner of sizes was asked, its answer, and why there is none."""
    usual = ("kappa", "0.6", "0.1", "30", "2")
    given = {key: request.query_params.get(key, "")[:20] for key in _SIZE_FIELDS}
    if not any(given.values()):
        return dict(zip(_SIZE_FIELDS, usual, strict=True)), None, None
    try:
        found = sizes_for(
            given["measure"],
            _number("expected", given["expected"]),
            _number("half width", given["half_width"]),
            prevalence=_number("prevalence", given["prevalence"]) / 100,
            readers=_count("readers of each case", given["readers"]),
        )
    except InputError as error:
        return given, None, {"title": "No answer", "words": str(error)}
    return given, found, None


def _wish(form: FormData) -> PlanWish:
    """The wish of a form.

    Raises:
        InputError: a field that is no number.
    """
    readers = tuple(
        ReaderWish(key, _most(form, key), _texts(form, f"not_{key}"))
        for key in dict.fromkeys(_texts(form, "reader"))
    )
    groups = text_of(form, "groups") or "free"
    if groups not in {"free", "together", "apart"}:
        raise InputError("cases of a patient", "be free, together or apart", groups)
    return PlanWish(
        readers=readers,
        reads=_count("reads of each case", text_of(form, "reads")),
        overlap=_percent("overlap", text_of(form, "overlap")),
        overlap_readers=_count("readers of the overlap", text_of(form, "overlap_readers")),
        batches=_count("batches", text_of(form, "batches")),
        size=_count("reads of a sub-batch", text_of(form, "size")),
        gold=_percent("hidden gold", text_of(form, "gold")),
        repeats=_percent("hidden repeats", text_of(form, "repeats")),
        distance=_count("reads between two looks", text_of(form, "distance")),
        groups=groups,  # type: ignore[arg-type]
        seed=_count("seed", text_of(form, "seed")),
    )


def _most(form: FormData, key: str) -> int | None:
    text = text_of(form, f"most_{key}").strip()
    return _count("reads at most", text) if text else None


def _seconds(form: FormData) -> float | None:
    text = text_of(form, "seconds").strip()
    if not text:
        return None
    found = _number("seconds a read", text)
    if not 0 < found < 1e6:
        raise InputError("seconds a read", "be above 0", text)
    return found


def _texts(form: FormData, name: str) -> tuple[str, ...]:
    return tuple(one[:200] for one in form.getlist(name) if isinstance(one, str))


def _count(name: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InputError(name, "be a whole number", f"{text[:20]!r}")
    return int(text)


def _percent(name: str, text: str) -> float:
    found = _number(name, text)
    if not 0 <= found <= 100:
        raise InputError(name, "be between 0 and 100 %", f"{found:g}")
    return found / 100


def _number(name: str, text: str) -> float:
    try:
        found = float(text.strip())
    except ValueError as error:
        raise InputError(name, "be a number", f"{text[:20]!r}") from error
    if found != found or abs(found) > 1e12:  # noqa: PLR0124 - nan
        raise InputError(name, "be a number", text[:20])
    return found
