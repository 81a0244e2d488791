"""Each tool with real pointer and key events; what the server gets is what the hand did."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .hands import decoded, drag, eventually, fitted, spots

pytestmark = [pytest.mark.browser, pytest.mark.page]


def test_one_key_a_grade_goes_on_to_the_next_case(open_page, server):
    page = open_page("knee")
    for grade in "0123":
        before = len(server.reads())
        page.keyboard.press(grade)
        eventually(lambda n=before: len(server.reads()) == n + 1, "the read arrives")
        answered = page.locator(".class[aria-pressed=true]")
        eventually(lambda a=answered: a.count() == 0, "the next case")  # a key before is not for it
    assert [read["answer"] for read in server.reads()] == [{"grade": grade} for grade in "0123"]
    assert len({read["task"] for read in server.reads()}) == 4
    assert all(read["seconds"] >= 0 for read in server.reads())
    assert "4 of 8" in page.locator(".progress").inner_text()


def test_checklist_by_digits_and_by_mouse(open_page, server):
    page = open_page("chest")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.get_by_role("button", name="Cardiomegaly").click()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    assert server.reads()[0]["answer"] == {"findings": ["Cardiomegaly", "Nodule"]}


def test_no_finding_is_an_answer(open_page, server):
    page = open_page("chest")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    assert server.reads()[0]["answer"] == {"findings": []}


def boxes(server, task):
    return server.draft(task).get("fractures", [])


def test_boxes_are_drawn_moved_resized_classed_and_deleted(open_page, server):
    page = open_page("fracture")
    view = fitted(page, 512, 512)
    task = "fracture.chest-0"
    drag(page, view.at(100, 120), view.at(200, 260))
    eventually(lambda: len(boxes(server, task)) == 1, "the box is saved")
    eventually(
        lambda: corners(boxes(server, task)[0]) == [100, 120, 200, 260], "where the hand was"
    )

    drag(page, view.at(200, 260), view.at(220, 240))
    drag(page, view.at(150, 180), view.at(160, 190))
    page.keyboard.press("2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Alt+ArrowLeft")
    eventually(lambda: boxes(server, task)[0]["class"] == "Old fracture", "the class is saved")
    wanted = [111, 140, 230, 260]

    def arrived():
        now = [boxes(server, task)[0][key] for key in ("x1", "y1", "x2", "y2")]
        return now == pytest.approx(wanted, abs=1)

    eventually(arrived, "move and resize are saved")
    page.keyboard.press("p")
    eventually(lambda: len(boxes(server, task)) == 2, "a box by key")
    page.keyboard.press("Delete")
    eventually(lambda: len(boxes(server, task)) == 1, "the box is gone")
    page.keyboard.press("Control+z")
    eventually(lambda: len(boxes(server, task)) == 2, "undo brings it back")
    page.keyboard.press("Control+y")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    assert len(server.reads()[0]["answer"]["fractures"]) == 1


def outlines(server):
    return server.draft("cells.chest-0").get("cells", [])


def to_nearest(server, x, y):
    """How far the nearest vertex of the first outline is from a place, in pixels."""
    return np.hypot(*(np.array(outlines(server)[0]["points"]) - [x, y]).T).min()


def test_outlines_by_clicks_freehand_and_vertices(open_page, server):
    page = open_page("cells")
    view = fitted(page, 512, 512)
    ring = [(100, 100), (200, 90), (210, 180), (110, 190)]
    for x, y in ring:
        page.mouse.click(*view.at(x, y))
        page.wait_for_timeout(20)
    page.keyboard.press("Enter")
    eventually(lambda: len(outlines(server)) == 1, "the outline is saved")
    assert np.allclose(outlines(server)[0]["points"], ring, atol=0.5)

    drag(page, view.at(200, 90), view.at(230, 70))  # a vertex
    drag(page, view.at(160, 185), view.at(160, 210))  # an edge: a new vertex
    eventually(lambda: len(outlines(server)[0]["points"]) == 5, "a vertex more")
    # a draft may be saved while the vertex is on its way
    eventually(lambda: to_nearest(server, 160, 210) < 2, "the new vertex lies where it was let go")
    assert to_nearest(server, 230, 70) < 0.5
    page.keyboard.down("Alt")
    page.mouse.click(*view.at(160, 210))
    page.keyboard.up("Alt")
    eventually(lambda: len(outlines(server)[0]["points"]) == 4, "the vertex is taken away")

    page.keyboard.press("Escape")
    circle = [(330 + 60 * math.sin(a), 300 - 60 * math.cos(a)) for a in np.linspace(0, 6.2, 60)]
    page.mouse.move(*view.at(*circle[0]))
    page.mouse.down()
    for x, y in circle[1:]:
        page.mouse.move(*view.at(x, y))
    page.mouse.up()
    eventually(lambda: len(outlines(server)) == 2, "the freehand outline is saved")
    away = np.hypot(*(np.array(outlines(server)[1]["points"]) - [330, 300]).T)
    assert np.abs(away - 60).max() < 1


def mask(server):
    masks = server.draft("vessels.large-0").get("vessels", [])
    return decoded(masks[0]) if masks else np.zeros((2048, 2048))


def test_brush_eraser_fill_and_undo(open_page, server):
    page = open_page("vessels")
    view = fitted(page, 2048, 2048)
    drag(page, view.at(600, 600), view.at(1000, 600))
    eventually(lambda: mask(server).any(), "the stroke is saved")
    rows, columns = np.nonzero(mask(server))
    assert (rows.min(), rows.max()) == pytest.approx((592, 607), abs=1.5)
    assert (columns.min(), columns.max()) == pytest.approx((592, 1007), abs=1.5)
    first = int(mask(server).sum())

    page.keyboard.press("2")
    for _ in range(3):
        page.keyboard.press("]")
    square = [(600, 1000), (1000, 1000), (1000, 1400), (600, 1400), (600, 1000)]
    drag(page, *(view.at(x, y) for x, y in square))
    page.keyboard.press("f")
    page.mouse.click(*view.at(800, 1200))
    eventually(lambda: mask(server)[1200, 800] == 2, "the inside is filled")
    assert mask(server)[600, 800] == 1

    page.keyboard.press("e")
    drag(page, view.at(800, 1100), view.at(800, 1300))
    eventually(lambda: mask(server)[1200, 800] == 0, "the eraser erases")
    for _ in range(3):
        page.keyboard.press("Control+z")
    eventually(lambda: int(mask(server).sum()) == first, "three steps back")
    page.keyboard.press("Control+y")
    eventually(lambda: int(mask(server).sum()) > first, "one step forth")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")


def test_every_kind_in_one_protocol_with_frames(open_page, server):
    page = open_page("mixed")
    view = fitted(page, 256, 256)
    page.keyboard.press("2")  # quality, then on to findings
    page.keyboard.press("1")
    page.keyboard.press("q")  # boxes
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    drag(page, view.at(50, 60), view.at(90, 110))
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("y")
    for _ in range(3):
        page.keyboard.press("q")
    page.keyboard.type("73")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    answer = server.reads()[0]["answer"]
    assert answer["quality"] == "Fair"
    assert answer["findings"] == ["Fluid"]
    assert [box["frame"] for box in answer["lesions"]] == [2, 3]
    assert answer["lesions"][0]["x1"] == answer["lesions"][1]["x1"] == pytest.approx(50, abs=0.5)
    assert answer["organ"] == []
    assert answer["mask"] == []
    assert answer["certainty"] == 73


def far_ends(points):
    return max(((a, b) for a in points for b in points), key=lambda pair: math.dist(*pair))


def corners(box):
    return pytest.approx([box[key] for key in ("x1", "y1", "x2", "y2")], abs=0.5)


@pytest.mark.parametrize(
    ("case", "rendering"),
    [(0, "cpu"), (0, "gpu"), (1, "cpu"), (2, "cpu")],
    ids=["square", "graphics-card", "oblong", "no-geometry"],
)
def test_coordinates_are_true_at_any_zoom_and_turn(open_page, server, case, rendering):
    """A box drawn from one painted pixel to another: the pixels are found on the screen alone."""
    known = [[(10, 10), (30, 70), (100, 60)], [(10, 10), (50, 60)], [(10, 10), (70, 50)]][case]
    page = open_page(f"marks?rendering={rendering}")
    for _ in range(case):
        page.keyboard.press("Enter")
        page.wait_for_timeout(400)
    task = f"marks.marks-{case}"
    seen: list[list[str]] = [[]]
    for view in ([], ["-", "-", "-"], ["r"], ["l", "-"], ["r", "r", "-", "i"]):
        page.keyboard.press("Space")
        for key in view:
            page.keyboard.press(key)
        page.wait_for_timeout(150)
        if "i" in view:
            page.keyboard.press("i")
            page.wait_for_timeout(150)
        page.keyboard.press("o")
        page.wait_for_timeout(100)
        found = spots(page)
        page.keyboard.press("o")
        assert len(found) == len(known), view
        ends = far_ends(found)
        drag(page, *ends)
        xs, ys = zip(*far_ends(known), strict=True)
        wanted = [min(xs) + 0.5, min(ys) + 0.5, max(xs) + 0.5, max(ys) + 0.5]

        def saved(wanted=wanted):
            now = server.draft(task).get("boxes", [])
            return [b["id"] for b in now] not in seen and corners(now[-1]) == wanted

        eventually(saved, f"{wanted} within half a pixel, {view}; got {server.draft(task)}")
        seen.append([box["id"] for box in server.draft(task)["boxes"]])
        page.keyboard.press("Control+z")
