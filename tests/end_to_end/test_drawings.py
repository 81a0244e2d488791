"""Boxes, outlines and masks drawn at known pixels, at any zoom; stored where the hand was."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.end_to_end.protocols import OUTLINES
from tests.reading_page.hands import Fitted, decoded, drag, eventually, fitted, read_on

pytestmark = [pytest.mark.browser, pytest.mark.page]

ROWS, COLUMNS = 384, 512
POSTGRES = [pytest.param("postgres", marks=pytest.mark.postgres)]
SIDES = ("x1", "y1", "x2", "y2")


def nearer(page: Any, view: Fitted) -> Fitted:
    """Where pixels lie after one step of zoom about the middle of the image room."""
    box = page.locator("main.image").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    left = middle[0] + (view.left - middle[0]) * 1.25
    return Fitted(left, middle[1] + (view.top - middle[1]) * 1.25, view.zoom * 1.25)


# boxes on SQLite: test_label_rules; keys on PostgreSQL: test_onboarding; both at once: tests/store
@pytest.mark.parametrize("any_town", POSTGRES, indirect=True)
def test_boxes_drawn_zoomed_resized_moved(any_town: Town) -> None:
    project = any_town.project("fracture-boxes", *[pictures.grey8] * 2, readers=("Rhea", "Otto"))
    page = any_town.people["Rhea"].read(project)
    view = fitted(page, COLUMNS, ROWS)
    drag(page, view.at(100, 80), view.at(200, 160))
    page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("+")
    view = nearer(page, view)
    drag(page, view.at(200, 160), view.at(230, 190))
    drag(page, view.at(150, 120), view.at(165, 130))
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    drag(page, view.at(300, 200), view.at(380, 300))
    page.get_by_text("2 drawn").wait_for()
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    page.get_by_text("2 drawn").wait_for()
    read_on(page, "Enter")
    page.locator(".progress", has_text="1 of 2").wait_for()
    page.keyboard.press("Enter")  # no fracture
    page.locator(".end h1", has_text="All done").wait_for()
    eventually(lambda: len(any_town.reads(project)) == 2, "both reads are stored")
    first, second = sorted(any_town.reads(project), key=lambda one: one["submitted"])
    boxes = first["answer"]["fractures"]
    assert boxes[0]["class"] == "Healed fracture"
    assert [boxes[0][k] for k in SIDES] == pytest.approx([115, 90, 245, 200], abs=0.5)
    assert [boxes[1][k] for k in SIDES] == pytest.approx([300, 200, 380, 300], abs=0.5)
    assert second["answer"]["fractures"] == []
    assert first["protocol_version"] == second["protocol_version"] == 1
    assert first["case"] != second["case"]
    look_at_case(any_town, project, first)


def look_at_case(town: Town, project: str, first: Any) -> None:
    """The lead sees both readers' boxes over the case, and COCO holds them."""
    otto = town.people["Otto"]
    tasks = otto.send("POST", f"/api/projects/{project}/claim", {"count": 2}).json()["tasks"]
    (task,) = [one for one in tasks if one["case"]["id"] == first["case"]]
    boxes = [
        one | {"id": str(uuid4()), "x1": one["x1"] - 4} for one in first["answer"]["fractures"]
    ]
    body = {"read_id": str(uuid4()), "answer": {"fractures": boxes}, "seconds": 9}
    assert otto.send("POST", f"/api/tasks/{task['id']}/submit", body).ok
    page = town.lead.page(f"/cases/{first['case']}")
    # the first model of a fresh machine is compiled before it is fitted
    page.locator("fieldset", has_text="Consensus").wait_for(timeout=120_000)
    shown = page.eval_on_selector_all(
        ".picture svg rect", "all => all.map(e => [e.getAttribute('class'), +e.getAttribute('x')])"
    )
    lefts = {name: sorted(x for one, x in shown if one == name) for name, _ in shown}
    assert len(lefts) == 3
    assert sorted(lefts["reader-1"] + lefts["reader-2"]) == pytest.approx(
        [111, 115, 296, 300], abs=0.5
    )
    assert lefts["consensus"] == pytest.approx([113, 298], abs=2.5)


def test_outlines_by_clicks_and_their_corners(town: Town) -> None:
    draw = partial(pictures.colour, size=(ROWS, COLUMNS))
    project = town.project(OUTLINES, draw)
    page = town.people["Rhea"].read(project)
    view = fitted(page, COLUMNS, ROWS)
    ring = [(100, 100), (200, 90), (210, 180), (150, 220), (110, 190)]
    for x, y in ring:
        page.mouse.click(*view.at(x, y))
    page.keyboard.press("Enter")
    page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("+")
    view = nearer(page, view)
    drag(page, view.at(200, 90), view.at(230, 70))
    page.keyboard.down("Alt")
    page.mouse.click(*view.at(150, 220))
    page.keyboard.up("Alt")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    eventually(lambda: len(town.reads(project)) == 1, "the read is stored")
    (outline,) = town.reads(project)[0]["answer"]["cells"]
    assert outline["class"] == "Tumour cell"
    wanted = [(100, 100), (230, 70), (210, 180), (110, 190)]
    assert np.allclose(outline["points"], wanted, atol=0.5)


def test_a_mask_painted_erased_and_undone(town: Town) -> None:
    project = town.project("vessel-mask", pictures.grey8)
    page = town.people["Rhea"].read(project)
    view = fitted(page, COLUMNS, ROWS)
    drag(page, view.at(100, 100), view.at(300, 100))
    page.keyboard.press("2")
    drag(page, view.at(100, 200), view.at(200, 280))
    page.keyboard.press("e")
    drag(page, view.at(200, 60), view.at(200, 140))
    drag(page, view.at(150, 240), view.at(160, 260))
    page.keyboard.press("Control+z")
    page.keyboard.press("Enter")
    eventually(lambda: len(town.reads(project)) == 1, "the read is stored")
    (painted,) = town.reads(project)[0]["answer"]["vessels"]
    mask = decoded(painted)
    artery, vein = away((100, 100), (300, 100)), away((100, 200), (200, 280))
    wiped = away((200, 60), (200, 140))
    radius = 8
    wanted = np.where(vein < radius, 2, np.where((artery < radius) & (wiped >= radius), 1, 0))
    rim = np.min([np.abs(one - radius) for one in (artery, vein, wiped)], axis=0) <= 1
    assert (mask[~rim] == wanted[~rim]).all()
    assert set(np.unique(mask)) == {0, 1, 2}


def away(one: tuple[float, float], other: tuple[float, float]) -> np.ndarray:
    """Distance of every pixel's middle from a stroke."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] + 0.5
    (x1, y1), (x2, y2) = one, other
    along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
    along = np.clip(along, 0, 1)
    return np.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))
