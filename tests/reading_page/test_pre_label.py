"""In a browser: a key asks for the pre-label, a start to change; hints are dotted places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.reading_page.conftest import Server
from tests.reading_page.hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

BOX = {"id": "b1", "class": "Fracture", "frame": 0, "x1": 40, "y1": 50, "x2": 140, "y2": 150}
PLACE = {"frame": 0, "x1": 300, "y1": 200, "x2": 420, "y2": 330, "score": 0.8}


def test_a_key_asks_for_the_start_and_the_reader_changes_it(
    open_page: Callable[[str], Any], server: Server
) -> None:
    server.tell("set", show="on demand", places=[PLACE])
    page = open_page("fracture")
    task = page.locator("main.image").get_attribute("data-task")
    server.tell("set", proposed={task: {"fractures": [BOX]}})
    part = page.get_by_role("region", name="Pre-label")
    part.get_by_role("button", name="Pre-label").wait_for()
    page.keyboard.press("a")
    part.get_by_text("Proposed by net 1.2, 83 % sure.").wait_for()
    page.get_by_role("button", name="1. Fracture").wait_for()
    page.keyboard.press("u")
    part.get_by_text("Dotted: places that stand out.").wait_for()
    assert page.get_by_role("button", name="2. Fracture").count() == 0  # a hint is no answer
    size = page.evaluate("[innerWidth, innerHeight]")
    assert size == [1440, 900]
    place = fitted(page, *image_size(page, server))
    drag(page, place.at(260, 60), place.at(330, 160))
    page.get_by_role("button", name="2. Fracture").wait_for()
    page.keyboard.press("u")
    part.get_by_text("Dotted: places that stand out.").wait_for(state="hidden")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read is sent")
    (read,) = server.reads()
    assert read["answer"]["fractures"][0]["id"] == "b1"
    assert len(read["answer"]["fractures"]) == 2
    shown = server.tell("state")["shown"]
    assert [(one["what"], one["marked"]) for one in shown] == [
        ("pre-label", False),
        ("hints", True),
    ]
    part.get_by_role("button", name="Pre-label").wait_for()  # of the next case


def test_a_hint_becomes_a_box_by_a_key_and_by_a_click(
    open_page: Callable[[str], Any], server: Server
) -> None:
    far = {"frame": 0, "x1": 40.5, "y1": 60, "x2": 140, "y2": 150, "score": 0.6}
    server.tell("set", places=[PLACE, far])
    page = open_page("fracture")
    task = page.locator("main.image").get_attribute("data-task")
    part = page.get_by_role("region", name="Pre-label")
    page.keyboard.press("Shift+U")  # shows the hints, and chooses the first
    part.get_by_role("button", name="Make the hint a box").wait_for()
    page.keyboard.press("m")
    page.get_by_role("button", name="1. Fracture").wait_for()
    page.keyboard.press("2")  # a box like any: here its class is changed, there a side
    page.get_by_role("button", name="1. Old fracture").wait_for()
    page.keyboard.press("Shift+ArrowRight")
    eventually(lambda: bool(server.draft(task)), "the draft is saved")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.locator(".found .finding").wait_for(state="detached")
    for _ in range(3):
        page.keyboard.press("Control+y")
    page.get_by_role("button", name="1. Old fracture").wait_for()
    place = fitted(page, *image_size(page, server))
    page.mouse.move(*place.at(100, 100))
    page.keyboard.down("Alt")
    page.mouse.click(*place.at(100, 100))
    page.keyboard.up("Alt")
    page.get_by_role("button", name="2. Old fracture").wait_for()
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read is sent")
    (read,) = server.reads()
    moved, whole = read["answer"]["fractures"]
    assert moved == {
        "id": "hint-1", "class": "Old fracture", "frame": 0,
        "x1": 310, "y1": 200, "x2": 430, "y2": 330,
    }  # fmt: skip
    sides = {side: far[side] for side in ("frame", "x1", "y1", "x2", "y2")}
    assert whole == {"id": "hint-2", "class": "Old fracture", **sides}


def test_hints_that_the_protocol_hides_have_no_key(
    open_page: Callable[[str], Any], server: Server
) -> None:
    page = open_page("fracture")
    page.keyboard.press("Shift+U")
    page.get_by_text("There is no hint layer here.").wait_for()
    page.keyboard.press("m")
    assert page.locator(".found .finding").count() == 0
    assert page.get_by_role("button", name="Make the hint a box").is_hidden()
    assert server.tell("state")["shown"] == []


def image_size(page: Any, server: Server) -> tuple[int, int]:
    """Columns and rows of the first case."""
    path = f"{server.url}/api/projects/fracture/claim"
    script = """async (path) => (await (await fetch(path, {method: "POST", body: '{"count": 1}',
        headers: {"X-CSRF-Token": "dev-csrf"}})).json()).tasks[0].case"""
    case = page.evaluate(script, path)
    return case["columns"], case["rows"]
