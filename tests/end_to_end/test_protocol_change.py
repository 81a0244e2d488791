"""A class is split mid-way: what it touches is read again, and the proof says 100 %."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.end_to_end.shots import shot
from tests.reading_page.hands import eventually

pytestmark = [pytest.mark.browser, pytest.mark.page]

KNEES = """title: Knees
reads_per_case: 2
questions:
  - {id: grade, prompt: Which grade, kind: nominal, classes: [None, Mild, Severe]}
"""
SAID = [("None", "None"), ("Mild", "Severe"), ("Severe", "Severe")]


def read_all(town: Town, project: str) -> None:
    for pair in SAID:
        for who, grade in zip(("Rhea", "Otto"), pair, strict=True):
            task = town.task(project, who)
            body = {"read_id": str(uuid4()), "answer": {"grade": grade}, "seconds": 4}
            town.people[who].send("POST", f"/api/tasks/{task['id']}/submit", body)


def test_a_class_is_split_and_read_again(town: Town) -> None:
    project = town.project(KNEES, *[pictures.grey8] * 3, readers=("Rhea", "Otto"))
    read_all(town, project)
    page = town.lead.page(f"/projects/{project}/protocol")
    text = page.locator("textarea[name=text]")
    text.fill(text.input_value().replace("Severe]", "Moderate, Grave]"))
    page.get_by_role("button", name="Save as version 2").click()
    page.get_by_text("Not saved yet").wait_for()
    assert "class 'Severe' was removed" in page.locator("main").inner_text()
    boxes = {one.get_attribute("value"): one for one in page.locator("[name=touched]").all()}
    assert boxes["grade|Severe"].is_checked()
    assert not boxes["grade|Mild"].is_checked()
    page.get_by_label("Why, and what readers are told").fill("Severe is Moderate or Grave now")
    shot(page, "protocol-change")
    page.get_by_role("button", name="Save as version 2").click()
    page.get_by_text("Saved.").wait_for()
    proof = page.locator(".proof")
    assert "3 stale labels left out" in proof.inner_text()
    assert "0 of 3 reads made again" in proof.inner_text()
    for who, count in (("Rhea", 1), ("Otto", 2)):
        reading = town.people[who].read(project)
        for _ in range(count):
            reading.get_by_text("Severe is Moderate or Grave now").wait_for()
            if who == "Rhea":
                shot(reading, "protocol-again")
            before = len(again(town, project))
            reading.get_by_role("button", name="Grave").click()
            reading.keyboard.press("Enter")
            eventually(lambda n=before: len(again(town, project)) > n, "the new read is stored")
        reading.close()
    page.reload()
    assert "100 % of 6 exported labels conform to version 2" in page.locator(".proof").inner_text()
    assert "3 of 3 reads made again" in page.locator(".proof").inner_text()
    shot(page, "protocol-proof")
    overview = town.lead.page(f"/projects/{project}")
    assert "of labels conform to version 2" in overview.locator("main").inner_text()
    shot(overview, "protocol-overview")
    export = town.lead.page(f"/projects/{project}/export")
    row = export.locator("tr", has_text="each reader's latest read")
    row.get_by_label("final").check()
    row.get_by_role("button", name="csv").click()
    export.get_by_role("link", name="Download").wait_for()
    assert "100 % of 6 exported labels" in export.locator("main").inner_text()
    shot(export, "protocol-export")


def again(town: Town, project: str) -> list[Any]:
    """Reads made under the new version."""
    return [one for one in town.reads(project) if one["protocol_version"] == 2]
