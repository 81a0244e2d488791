"""A senior decides in a real browser: takes a read, answers anew with the tools, sends back."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.end_to_end.protocols import OUTLINES
from tests.end_to_end.shots import shot
from tests.reading_page.hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

BOXES = """title: Wrists
reads_per_case: 2
questions:
  - id: fractures
    prompt: Box each fracture
    kind: box
    required: false
    classes: [{name: Fracture, weight: 4}]
"""
CLASSES = """title: Knees
reads_per_case: 2
questions:
  - {id: grade, prompt: Which grade, kind: ordinal, classes: [None, Mild, Severe]}
"""
MASKS = """title: Cells
reads_per_case: 2
questions:
  - {id: cells, prompt: Paint each cell, kind: mask, classes: [Cell]}
"""


def box(x1: float, y1: float, x2: float, y2: float) -> dict[str, Any]:
    return {"id": str(uuid4()), "class": "Fracture", "frame": 0,
            "x1": x1, "y1": y1, "x2": x2, "y2": y2}  # fmt: skip


def outline(*at: float) -> dict[str, Any]:
    x, y = at
    ring = [[x, y], [x + 30, y], [x + 30, y + 20], [x, y + 20]]
    return {"id": str(uuid4()), "class": "Tumour cell", "frame": 0, "points": ring}


def readers_say(town: Town, project: str, question: str, pairs: list[tuple[Any, Any]]) -> list[str]:
    """Rhea and Otto read the cases of a project, each in turn."""
    cases: list[str] = []
    for pair in pairs:
        for who, value in zip(("Rhea", "Otto"), pair, strict=True):
            task = town.task(project, who)
            body = {"read_id": str(uuid4()), "answer": {question: value}, "seconds": 5,
                    "comment": f"{who} was here"}  # fmt: skip
            town.people[who].send("POST", f"/api/tasks/{task['id']}/submit", body)
        cases.append(task["case"]["id"])
    return cases


def with_senior(town: Town, project: str, senior: str = "Lea") -> None:
    """Tick on the page of readers who adjudicates."""
    page = town.lead.page(f"/projects/{project}/members")
    page.get_by_label(re.compile(rf"{senior} .* adjudicates")).check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    page.close()


def consensus(town: Town, case: str) -> Any:
    return town.lead.get(f"/api/cases/{case}/consensus")


def test_decided_anew_and_sent_back(town: Town) -> None:
    project = town.project(BOXES, *[pictures.grey8] * 4, readers=("Rhea", "Otto"))
    a, b = box(30, 40, 90, 100), box(100, 30, 140, 80)
    first, second, third, agreed = readers_say(
        town, project, "fractures", [([a], []), ([a, b], [a]), ([a], [b]), ([a], [a])]
    )
    with_senior(town, project)
    senior = town.people["Lea"]
    page = senior.page(f"/projects/{project}/adjudication")
    assert "3 cases wait for a decision" in page.locator("main").inner_text()
    assert page.locator("ol.disputed > li").count() == 3
    shot(page, "adjudication-queue")
    page.get_by_role("link", name="Begin with the first").click()
    page.locator(".layers fieldset").nth(1).wait_for()
    told = page.locator("main").inner_text()
    for name in ("Rhea", "Otto", "rhea@", "otto@"):
        assert name not in told
    assert "Reader A" in told
    case = page.locator("[data-case]").get_attribute("data-case")
    assert case in {first, second, third}
    # by keys alone: take a read, say why, decide
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    assert "Say in a word why" in page.get_by_role("alert").inner_text()
    page.keyboard.type("the cortex is broken")
    shot(page, "adjudication-decide")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    eventually(lambda: consensus(town, case)["reference"], "the decision is kept")
    other = answered_anew(town, page, not_in={case, agreed})
    sent_back(page)
    asked_in_the_reading_page(town, project)
    case_page = town.lead.page(f"/cases/{case}")
    case_page.locator(".layers").get_by_text("Reference standard").wait_for()
    shot(case_page, "case")
    (drawn,) = consensus(town, other)["answer"]["fractures"]
    assert drawn["x1"] == pytest.approx(20, abs=0.6)


def answered_anew(town: Town, page: Any, *, not_in: set[str]) -> str:
    """The next one is there at once; answer it with the tools of the reading page."""
    page.locator(".layers fieldset").nth(1).wait_for()
    other = str(page.locator("[data-case]").get_attribute("data-case"))
    assert other not in not_in
    page.keyboard.press("n")
    page.locator("canvas").first.wait_for()
    page.get_by_text("You decide on this case").wait_for()
    page.get_by_role("button", name="I have read it").click()
    view = fitted(page, 512, 384)
    drag(page, view.at(20, 20), view.at(60, 70))
    page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Say in the comment why").wait_for()
    page.get_by_label("Comment").fill("none of the two; here it is")
    shot(page, "anew")
    with page.expect_navigation():
        page.get_by_role("button", name="Submit").click()
    eventually(lambda: consensus(town, other)["reference"], "the answer is kept")
    return other


def sent_back(page: Any) -> None:
    """The last one goes back to the readers."""
    page.get_by_role("link", name="Begin with the first").click()
    page.locator(".layers fieldset").nth(1).wait_for()
    page.keyboard.press("s")
    page.keyboard.type("Is the dark line a vessel?")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "1 sent back" in page.locator("main").inner_text()
    assert "No case waits" in page.locator("main").inner_text()
    shot(page, "empty")


def asked_in_the_reading_page(town: Town, project: str) -> None:
    reading = town.people["Rhea"].read(project)
    reading.get_by_text("A senior asks you to look again").wait_for()
    reading.get_by_text("Is the dark line a vessel?").wait_for()
    assert "Otto" not in reading.locator("body").inner_text()
    shot(reading, "asked")


@pytest.mark.parametrize("kind", ["classes", "outlines", "masks"])
def test_every_kind_is_laid_over_the_picture(town: Town, kind: str) -> None:
    protocol, question = {
        "classes": (CLASSES, "grade"), "outlines": (OUTLINES, "cells"), "masks": (MASKS, "cells"),
    }[kind]  # fmt: skip
    project = town.project(protocol, pictures.grey8, readers=("Rhea", "Otto"))
    task = town.task(project)["case"]
    pixels = task["rows"] * task["columns"]

    def mask(start: int) -> list[Any]:
        runs = [[0, start], [1, 900], [0, pixels - start - 900]]
        return [{"frame": 0, "rows": task["rows"], "columns": task["columns"], "runs": runs}]

    pair = {
        "classes": ("None", "Severe"),
        "outlines": ([outline(20, 20)], [outline(60, 50)]),
        "masks": (mask(1500), mask(2000)),
    }[kind]
    (case,) = readers_say(town, project, question, [pair])
    with_senior(town, project)
    page = town.people["Lea"].page(f"/projects/{project}/adjudication/{case}")
    page.locator(".layers fieldset").nth(1).wait_for()
    drawn = {"classes": 0, "outlines": 2, "masks": 2}[kind]
    assert page.locator(".overlays svg > *").count() == drawn
    if kind == "masks":
        fill = "path => getComputedStyle(path).fill"
        fills = {one.evaluate(fill) for one in page.locator(".overlays path").all()}
        assert len(fills - {"none"}) == 2  # each reader's paint in a colour of its own
    shot(page, kind)
    letter = page.locator(".layers fieldset").nth(0).inner_text()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.type("clear")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    eventually(lambda: consensus(town, case)["reference"], "the decision is kept")
    answer = consensus(town, case)["answer"][question]
    assert str(answer) in letter or isinstance(answer, list)
