"""Label rules over a project: asked as a job, kept, shown with pictures; told when they fail."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from overread.app.study.check_project import check_project, words_of
from overread.monitoring.rules import RULES, Hint, RuleContext, Severity
from overread.store.errors import NotFoundError
from overread.store.quality.label_checks import latest_label_check
from tests.end_to_end.shots import shot
from tests.web.conftest import House, bring_in, open_house
from tests.web.live import opened, visitor

ROWS, COLUMNS = 240, 320
PLACES = [(x, y) for x in (50, 125, 200, 275) for y in (60, 180)]


def field(seed: int) -> bytes:
    """Eight bright discs of radius 16 on noise."""
    y, x = np.mgrid[:ROWS, :COLUMNS] + 0.5
    inside = np.any([np.hypot(x - a, y - b) <= 16 for a, b in PLACES], axis=0)
    noise = np.random.default_rng(seed).normal(0, 7, inside.shape)
    made = io.BytesIO()
    Image.fromarray(np.clip(90 + 70 * inside + noise, 0, 255).astype(np.uint8)).save(made, "PNG")
    return made.getvalue()


def around(at: int, half: float) -> dict[str, Any]:
    x, y = PLACES[at]
    sides = {"x1": x - half, "y1": y - half, "x2": x + half, "y2": y + half}
    return {"id": f"b{at}", "class": "Fracture", "frame": 0, **sides}


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Four cases, read by two; one of 64 boxes is far too wide, one disc is twice boxed."""
    made = open_house(tmp_path_factory.mktemp("discs"), cases=0)
    bring_in(made, 0, **{f"field-{at}.png": field(at) for at in range(4)})
    rng = np.random.default_rng(1)
    for who in ("reader", "other"):
        for number, task in enumerate(made.tasks(who, 4)):
            boxes = [around(at, 16 + rng.uniform(-0.5, 0.5)) for at in range(8)]
            if (who, number) == ("other", 2):
                boxes[3] = around(3, 28)
                boxes.append(boxes[0] | {"id": "again"})
            assert made.read(who, task, {"fractures": boxes}).status_code == 200
    return made


def asked(house: House) -> Any:
    """Ask the rules by the page, and wait."""
    lead, path = house.people["lead"], f"/projects/{house.project}/label-rules"
    assert lead.form(path).status_code == 303
    for _ in range(1200):
        told = lead.get(f"/api{path}").json()
        if told["under_way"] is None:
            return told
        time.sleep(0.05)
    pytest.fail("the rules do not end")


def test_before_the_first_time_the_page_says_what_to_do(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/label-rules"
    page = lead.get(path).text
    assert "Not asked yet" in page
    assert "Nothing was read yet." in page
    told = lead.get(f"/api{path}").json()
    assert told == {"latest": None, "under_way": None, "failed": None, "before_sending": []}
    assert lead.get(f"/api{path}/found").status_code == 404


def test_without_reads_it_is_told_that_there_are_none(house: House) -> None:
    told = asked(house)
    assert "reads" in told["failed"]
    assert told["latest"] is None
    page = house.people["lead"].get(f"/projects/{house.project}/label-rules").text
    assert "The rules were not asked to the end" in page


def test_what_they_find_is_kept_and_shown_with_pictures(discs: House) -> None:
    told = asked(discs)
    assert told["failed"] is None
    lead, path = discs.people["lead"], f"/projects/{discs.project}/label-rules"
    (question,) = lead.get(f"/api{path}/found").json()["found"]["questions"]
    rules = {one["name"]: one for one in question["rules"]}
    assert list(rules)[: len(RULES)] == list(RULES)
    loose = rules["loose"]["hints"][0]
    assert (loose["reader"], loose["finding"]) == (discs.people["other"].id, 4)
    assert loose["drawing"]["box"] == [22.0, 152.0, 78.0, 208.0] or loose["drawing"]["path"]
    (twice,) = rules["contradictions"]["hints"]
    assert twice["case"] == loose["case"]
    assert (question["reads"], question["cases"], question["drawings"]) == (8, 4, 65)
    page = lead.get(path).text
    assert "Loosely drawn" in page
    assert f'href="/api/cases/{loose["case"]}/pictures/0"' in page
    assert "Otto Other" in page
    row = latest_label_check(discs.store, discs.project)
    assert row is not None
    assert row.made_by == lead.id


def test_a_new_read_makes_it_old(discs: House) -> None:
    asked(discs)
    lead, path = discs.people["lead"], f"/projects/{discs.project}/label-rules"
    assert "reads came since" not in lead.get(path).text
    (read, *_) = discs.people["reader"].get(f"/api/projects/{discs.project}/reads/mine").json()
    reply = discs.read("reader", {"id": read["task"]}, read["answer"], base_revision=1)
    assert reply.status_code == 200
    assert "reads came since" in lead.get(path).text


def test_a_rule_that_fails_is_told_and_the_others_are_asked(discs: House) -> None:
    def own(context: RuleContext) -> tuple[Hint, ...]:
        """Reads by the clock."""
        return (context.hint("own", Severity.NOTE, "was looked at.", 0),)

    def broken(_: RuleContext) -> tuple[Hint, ...]:
        raise NotFoundError("thing", "x")

    rules = {"broken": broken, "own": own}
    found = check_project(discs.store, discs.blobs, discs.project, rules=rules)
    first, second = found["questions"][0]["rules"]
    assert first["failed"]
    assert (second["count"], second["about"]) == (1, "Reads by the clock.")
    assert words_of(found).endswith("not asked: broken")


def test_it_is_stopped(discs: House) -> None:
    lead, path = discs.people["lead"], f"/api/projects/{discs.project}/label-rules"
    job = lead.post(path, {"check_id": "a-check-to-stop"}).json()
    assert lead.post(f"{path}/{job['id']}/stop").json()["stopping"]  # before its process is up
    assert lead.post(path, {"check_id": "a-check-to-stop"}).json()["id"] == job["id"]
    assert "Stopping" in lead.get(f"/projects/{discs.project}/label-rules").text
    for _ in range(600):
        told = lead.get(path).json()
        if told["under_way"] is None:
            break
        time.sleep(0.05)
    assert "stopped" in told["failed"]
    assert lead.post(f"{path}/nothing-of-this/stop").status_code == 404


@pytest.mark.browser
def test_a_lead_asks_and_sees_in_a_browser(discs: House, browser: Any) -> None:
    with opened(discs) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(f"{address}/projects/{discs.project}/quality")
        page.get_by_role("link", name="Label rules").click()
        page.get_by_role("button", name="Ask").click()
        page.locator(".verdict", has_text="second look").wait_for(timeout=60_000)
        card = page.locator("#fractures-loose .hint").first
        assert "Otto Other" in card.inner_text()
        picture = card.locator("svg").first.bounding_box()
        line = card.locator("path").last.bounding_box()
        # the drawing stands within its picture, and fills a good part of it
        assert picture["x"] < line["x"]
        assert line["x"] + line["width"] < picture["x"] + picture["width"]
        assert line["width"] > picture["width"] / 4
        shot(page, "label-rules")
        card.locator("a.cut").click()
        page.locator(".case").wait_for()
