"""Pictures of a project that learns: curve, map, auto-labels, film strip, audit, certificate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from screenshot_album import Album
from screenshot_study import PATCHES, patches
from tests.end_to_end.conftest import Town, _town
from tests.end_to_end.test_learning import reloaded, tasks, truth_of, until

_CASES, _LABELLED = 96, 60
_MORE = 10  # times two labels, until enough of them test the model
_WAIT = 600
_SECONDS, _QUIET = 8.0, 20
_LOOK = 2_000  # milliseconds, in which a read moves the curve
_CLASSES = ("lung", "elsewhere")


def learned(album: Album, browser: Any, folder: Path, images: Path | None) -> None:
    """Squares of a real X-ray, read by a script that knows where they are from."""
    folder.mkdir()
    with _town(folder, browser) as town:
        drawn = patches(images, _CASES)
        project = town.project(PATCHES, *(draw for draw, _ in drawn), name="Lung or not")
        truth = truth_of(town, project, [said for _, said in drawn])
        by_script(town, project, truth, _LABELLED)
        page = town.lead.page(f"/projects/{project}/learning")
        until(lambda: advice(page), "a model that is tested", _WAIT)
        for _ in range(_MORE):  # the model asks for the test labels in its own order
            if "test labels are there" not in page.locator("main").inner_text():
                break
            by_script(town, project, truth, 2)
            until(lambda: advice(page), "a model that is tested", _WAIT)
            page.wait_for_timeout(_LOOK)
            page.reload()
        until(lambda: "Neighbours look alike" in reloaded(page), "the map", _WAIT)
        words = "Which case is read next, how good the model is on cases set apart, when to stop."
        album.take(page, "learning", "Learning", words, high=1520)
        page.locator("#map").evaluate("one => one.scrollIntoView()")
        page.locator("svg.map a[data-case]").nth(_LABELLED // 2).hover()
        words = "Images that look alike lie together: what was said, what is unsure."
        album.take(page, "map", "Map of the images", words, high=1000)
        _labels(album, town, page, project, truth)
        _audit(album, town, page, project, truth)


def _labels(album: Album, town: Town, page: Any, project: str, truth: dict[str, str]) -> None:
    lead = town.lead
    page.goto(f"{lead.address}/projects/{project}/auto-labels")
    page.get_by_role("button", name="See what the model could label").click()
    page.locator("table.offers").wait_for(timeout=1000 * _WAIT)
    words = "What the model could label, how wrong at most, and the audit that can show it."
    album.take(page, "auto-labels", "Auto-labels", words)
    page.locator("table.offers button").last.click()
    page.get_by_role("link", name="Review in the film strip").wait_for(timeout=1000 * _WAIT)
    for place, name in enumerate(_CLASSES):
        strip = lead.get(f"/api/projects/{project}/auto-labels/strip?label={place}")
        frames = strip["frames"]
        if not frames:
            continue
        page.goto(f"{lead.address}/projects/{project}/review?label={place}")
        page.locator(".film-room[data-ready]").wait_for()
        for at, one in enumerate(frames):
            said = truth[one["case"]]
            page.keyboard.press("Enter" if said == name else str(1 + _CLASSES.index(said)))
            if (place, at) == (0, 2):
                words = "One class at a time, the most doubtful first; a key each, or all the rest."
                album.take(page, "film-strip", "Film strip", words)
        page.locator(f".film-room[data-saved='{len(frames)}']").wait_for()


def _audit(album: Album, town: Town, page: Any, project: str, truth: dict[str, str]) -> None:
    page.goto(f"{town.lead.address}/projects/{project}/auto-labels")
    page.get_by_role("button", name="Begin the audit").click()
    page.get_by_text("The audit is being read").wait_for()
    by_script(town, project, truth, 6)
    page.reload()
    words = "Drawn by lot, read blind among the other cases: the bound falls with each."
    album.take(page, "audit", "Audit", words)
    audited(town, page, project, truth)
    page.get_by_role("button", name="Decide on the audit").click()
    page.get_by_role("link", name="Open the certificate").click()
    page.get_by_text("What it does not say").wait_for()
    words = (
        "How many labels are wrong at most, how that was shown, and what it does not say; signed."
    )
    album.take(page, "certificate", "Certificate", words, high=1000)
    page.close()


def by_script(town: Town, project: str, truth: dict[str, str], count: int) -> None:
    """Rhea reads so many cases, as fast as a person would say: keys would tell 0.2 s a read."""
    while count > 0:
        asked = until(partial(tasks, town, project, min(count, 3)), "a case to read")
        for task in asked:
            read(town, task, truth)
        count -= len(asked)


def audited(town: Town, page: Any, project: str, truth: dict[str, str]) -> None:
    """Rhea reads all of the audit, and what the review left to readers beside it."""
    quiet = 0

    def done() -> bool:
        nonlocal quiet
        asked = tasks(town, project, 3)
        quiet = 0 if asked else quiet + 1
        for task in asked:
            read(town, task, truth)
        return quiet > _QUIET and "The audit is read" in reloaded(page)

    until(done, "the audit")


def read(town: Town, task: Any, truth: dict[str, str]) -> None:
    """Rhea says what a case shows."""
    answer = {"finding": truth[task["case"]["id"]]}
    body = {"read_id": str(uuid4()), "answer": answer, "seconds": _SECONDS}
    reply = town.people["Rhea"].send("POST", f"/api/tasks/{task['id']}/submit", body)
    assert reply.ok, reply.text()


def advice(page: Any) -> bool:
    """The page says to stop, or how far it is."""
    text = reloaded(page).lower()
    return "accuracy on" in text and ("stop" in text or "more" in text)
