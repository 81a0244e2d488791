"""The page of learning: stop or go on, how good the model is, what comes next, and the settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from overread.agreement.proportions import wilson
from overread.app.learning import case_map
from overread.app.learning.board import LearningBoard, learning_board
from overread.app.learning.bring_encoder import MOST
from overread.app.learning.encoder_board import encoder_board
from overread.app.learning.loop import ProjectLearning
from overread.app.learning.stop_rules import ASKS, NAMES
from overread.app.learning.wishes import keep_wishes, learnable
from overread.app.study import project_overview
from overread.app.study.case_browser import reader_colours
from overread.errors import InputError, MissingExtraError
from overread.latents.onnx_file import SCALES
from overread.protocol.learning import STARTS, STOP_RULES, Learning
from overread.selection.acquisition.table import ACQUISITIONS
from overread.store import case_names, list_users
from overread.store.errors import ConflictError
from overread.store.learning.asking import ON, STOPPED, list_asked, set_loop
from overread.web.access.forms import read_form, text_of
from overread.web.api.around import At, Who
from overread.web.learning import encode, encoding
from overread.web.maps import draw_map
from overread.web.replies import go, page
from overread.web.schemas import Id
from overread.web.training import TRAINING, compare, require_learn, train, training
from overread.words import percent

_FIELDS = (
    "question", "acquisition", "start", "random_share", "held_back", "mode", "batch", "target",
    "rule", "read_seconds", "review_seconds", "most_labels",
)  # fmt: skip


def learning_page(
    request: Request,
    project: Id,
    site: At,
    by: Annotated[str, Query(pattern="^(label|uncertainty|split|reader)$")] = "label",
) -> Response:
    """Where the learning stands."""
    return shown(request, site, project, by=by)


def shown(
    request: Request,
    site: At,
    project: str,
    *,
    by: str = "label",
    status: int = 200,
    error: Any = None,
) -> Response:
    """The page, perhaps with what was refused."""
    named = project_overview.named(site.store, project)
    loop = site.learnings.known(project)
    board = learning_board(site.store, project, loop)
    if board.setup is not None and loop is None:
        site.learnings.wake(site.store, project)
    asks = learnable(site.store, project)
    under_way, failed = encoding(site.jobs, project)
    trains, compares, not_compared = training(site.jobs, project)
    return page(
        request,
        "learning.html.j2",
        status,
        project=named,
        board=board,
        wishes=board.setup.wishes if board.setup else Learning(""),
        questions=asks,
        asks=[(one.id, one.prompt) for one in asks],
        point=board.learned.points[-1] if board.learned and board.learned.points else None,
        sure=_interval(board),
        map=_map(site, project, loop, by),
        by=by,
        under_way=under_way,
        failed=failed,
        encoder=encoder_board(site.store, site.blobs, project) if board.setup else None,
        trains=trains.told() if trains else None,
        compares=compares is not None,
        not_compared=not_compared,
        scales=SCALES,
        most_brought=MOST,
        acquisitions=ACQUISITIONS,
        starts=STARTS,
        rule_names=[(name, f"{NAMES[name]}: {ASKS[name]}") for name in STOP_RULES],
        error=error,
    )


def _interval(board: LearningBoard) -> tuple[float, float] | None:
    """Of the accuracy on the cases set apart."""
    if board.learned is None or not board.learned.points:
        return None
    last = board.learned.points[-1]
    return wilson(last.tested - last.wrong, last.tested) if last.tested else None


def _map(site: At, project: str, loop: ProjectLearning | None, by: str) -> dict[str, Any] | None:
    learner, plane = (loop.learner, loop.places()) if loop else (None, None)
    if loop is None or learner is None or plane is None:
        return None
    if len(plane.rows) > len(learner.latents.cases):
        return None
    failed = draw_map(site, project, loop)
    colours = reader_colours(site.store, project) if by == "reader" else {}
    codes = {who: at - 1 for who, at in colours.items()}
    found = case_map.map_of(
        learner, plane, list_asked(site.store, project), by=by, readers=codes, said=loop.heard.said
    )
    cases = [learner.latents.cases[row] for row in found.rows.tolist()]
    names = case_names(site.store, cases)
    classes = learner.setup.classes
    points = [
        {
            "case": case,
            "x": round(8 + 624 * float(x), 1),
            "y": round(8 + 384 * float(y), 1),
            "code": code,
            "words": _words(names.get(case, ""), classes, guess, doubt),
        }
        for case, x, y, code, guess, doubt in zip(
            cases, found.x, found.y, found.code.tolist(), found.guess.tolist(),
            found.doubt.tolist(), strict=True,
        )
    ]  # fmt: skip
    groups = _groups(found, points)
    points.sort(key=lambda one: one["code"])  # unread ones lie below
    words = {"label": classes, "split": case_map.SPLIT, "reader": _readers(site, colours, found)}
    return {
        "points": points, "words": words.get(by, _LEVELS), "groups": groups,
        "share": None if math.isnan(found.share) else found.share,
        "all": len(learner.row), "failed": failed,
    }  # fmt: skip


def _groups(found: case_map.CaseMap, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of a map, the largest first, each with its typical case and where that lies."""
    made: list[dict[str, Any]] = []
    for code, at in enumerate(found.typical.tolist()):
        count = int((found.cluster == code).sum())
        if at < 0 or not count:
            continue
        typical = {key: points[at][key] for key in ("case", "x", "y")}
        made.append(typical | {"count": count, "number": len(made) + 1})
    return made


def _readers(site: At, colours: dict[str, int], found: case_map.CaseMap) -> tuple[str, ...]:
    """Names in the order of the colours; "" of who read nothing that is shown."""
    if not colours:
        return ()
    names = {one.id: one.name for one in list_users(site.store)}
    shown = set(found.code.tolist())
    every = sorted(colours, key=lambda who: colours[who])
    return tuple(names.get(who, "") if colours[who] - 1 in shown else "" for who in every)


_LEVELS = ("sure", "", "", "", "unsure")


def _words(name: str, classes: tuple[str, ...], guess: int, doubt: float) -> str:
    return name if guess < 0 else f"{name}: {classes[guess]}, {percent(1 - doubt)}"


async def settle(request: Request, project: Id, site: At, who: Who) -> Response:
    """Stop, go on, encode or draw the map again, or keep other settings."""
    form = await read_form(request)
    action = text_of(form, "action")
    given = {key: text_of(form, key, most=60) for key in _FIELDS if key in form}
    asked = {key: text_of(form, key, most=60) for key in ("kind", "epochs", "flip") if key in form}

    def work() -> None:
        project_overview.named(site.store, project)
        if action in {STOPPED, ON}:
            set_loop(site.store, project, action, who.id, words=text_of(form, "words", most=500))
        elif action == "encode":
            encode(site, project)
        elif action == "map":
            if (loop := site.learnings.known(project)) is not None:
                draw_map(site, project, loop, again=True)
        elif action == "settings":
            keep_wishes(site.store, project, given, by=who.id)
        elif action in _ENCODERS:
            _of_encoders(site, project, action, asked, who.id)
        else:
            names = ", ".join(("stopped", "on", "encode", "map", "settings", *_ENCODERS))
            raise InputError("action", f"be one of {names}", action[:20])
        site.learnings.wake(site.store, project)

    return await answered(request, site, project, work)


async def answered(
    request: Request, site: At, project: str, work: Callable[[], None], *, part: str = ""
) -> Response:
    """Do what a form asks for, and go back to the page; or show it with why not.

    Args:
        part: of the page to go back to.
    """
    try:
        await run_in_threadpool(work)
    except (InputError, ConflictError, MissingExtraError) as refused:
        told = {"title": "Not kept", "words": _told(refused)}
        return await run_in_threadpool(
            lambda: shown(request, site, project, status=422, error=told)
        )
    return go(f"/projects/{project}/learning{part}")


_ENCODERS = ("train", "train-stop", "compare")


def _of_encoders(site: At, project: str, action: str, asked: dict[str, str], by: str) -> None:
    """Train, stop what trains, or compare."""
    if action == "train":
        require_learn()
        settings: dict[str, Any] = {"flip": asked.get("flip") == "on"}
        settings |= {"epochs": asked["epochs"]} if "epochs" in asked else {}
        train(site, project, asked.get("kind", ""), settings, by=by)
    elif action == "compare":
        compare(site, project)
    else:
        for job in site.jobs.of(project, TRAINING):
            job.stop.set()


def _told(refused: Exception) -> str:
    problems = getattr(refused, "problems", None)
    if not problems:
        return str(refused)
    return "; ".join(f"{one.where} must {one.rule}, got {one.got}" for one in problems)
