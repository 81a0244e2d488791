"""The lead's pages in a real browser: a drawing by hand into the atlas, a case by keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import House, png
from tests.web.live import opened, visitor

BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 1, "y1": 2, "x2": 30, "y2": 20}


def drag(page: Any, frame: Any, points: list[tuple[float, float]]) -> None:
    """Drag through points of an element, given as shares of its size."""
    box = frame.bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for one in at[1:]:
        page.mouse.move(*one, steps=4)
    page.mouse.up()


@pytest.mark.browser
@pytest.mark.page
def test_a_picture_is_drawn_on_and_reaches_the_reader(house: House, browser: Any) -> None:
    base = f"/projects/{house.project}/atlas"
    with opened(house) as address:
        with visitor(browser, address, "lead@example.org") as page:
            page.goto(f"{address}{base}")
            page.set_input_files(
                "[name=image]", {"name": "x.png", "mimeType": "image/png", "buffer": png(9)}
            )
            page.select_option("[name=about]", label="fractures: Fracture")
            frame = page.locator("form.add .drawn")
            frame.scroll_into_view_if_needed()
            drag(page, frame, [(0.25, 0.25), (0.75, 0.5)])
            assert page.locator("form.add .drawn rect").count() == 1
            drag(page, frame, [(0.1, 0.8), (0.2, 0.9)])
            page.click("text=Take back the last drawing")
            page.fill("[name=why]", "This is the line.")
            page.click("text=Put into the atlas")
            page.wait_for_url("**/atlas?saved=yes")
            drawn = page.locator(".entry", has_text="This is the line.").locator("svg rect")
            assert drawn.count() == 1
        entry = house.people["reader"].get(f"/api/projects/{house.project}/protocol").json()
        (box,) = entry["atlas"][-1]["drawing"]["fractures"]
        found = [box[name] for name in ("x1", "y1", "x2", "y2")]
        assert found == pytest.approx([15, 10, 45, 20], abs=0.5)  # of 60 x 40 pixels
        with visitor(browser, address, "rhea@example.org") as page:
            page.goto(f"{address}/read/{house.project}")
            page.locator("canvas").first.wait_for()
            page.locator("body").press("g")
            side = page.locator("aside", has_text="This is the line.")
            side.wait_for()
            picture = side.locator("figure", has_text="This is the line.").locator("img")
            picture.scroll_into_view_if_needed()
            assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 60


@pytest.mark.browser
def test_the_case_page_is_worked_by_keys(house: House, browser: Any) -> None:
    for who in ("reader", "other"):
        (task,) = house.tasks(who)
        house.read(who, task, {"fractures": [BOX]})
    lead = house.people["lead"]
    cases = [one["id"] for one in lead.get(f"/api/projects/{house.project}/cases").json()["cases"]]
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(f"{address}/cases/{cases[0]}")
        page.locator("fieldset", has_text="Consensus").wait_for(timeout=60_000)
        count = page.locator("svg rect").count
        assert count() == 3
        for key, left in (("1", 2), ("0", 1), ("1", 2), ("h", 3), ("h", 0)):
            page.keyboard.press(key)
            assert count() == left
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**/cases/{cases[1]}")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(f"**/cases/{cases[0]}")


@pytest.mark.browser
def test_a_fault_stands_beside_its_line(house: House, browser: Any) -> None:
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(f"{address}/projects/{house.project}/protocol")
        text = page.input_value("#text").replace("reads_per_case: 2", "reads_per_case: -2")
        page.evaluate("text => { document.querySelector('#text').value = text; }", text)
        with page.expect_response(lambda one: one.request.method == "POST") as got:
            page.evaluate("document.querySelector('form.stack').requestSubmit()")
        assert got.value.status == 422
        note = page.locator(".notes span")
        note.wait_for()
        assert "reads_per_case must" in note.inner_text()
        line = page.locator(".gutter .bad")
        assert line.inner_text().strip() == "2"
        assert abs(note.bounding_box()["y"] - line.bounding_box()["y"]) < 6
