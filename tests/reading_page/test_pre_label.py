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


def image_size(page: Any, server: Server) -> tuple[int, int]:
    """Columns and rows of the first case."""
    path = f"{server.url}/api/projects/fracture/claim"
    script = """async (path) => (await (await fetch(path, {method: "POST", body: '{"count": 1}',
        headers: {"X-CSRF-Token": "dev-csrf"}})).json()).tasks[0].case"""
    case = page.evaluate(script, path)
    return case["columns"], case["rows"]
