"""Classes, grades, check lists, scores: one key a case, and exactly that is stored."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.end_to_end.protocols import SERIES
from tests.live.people import exported
from tests.reading_page.hands import drag, eventually, fitted, read_on

pytestmark = [pytest.mark.browser, pytest.mark.page]


def read_each(page: Any, keys: str) -> None:
    """Answer cases one after the other; each next case is seen before it is answered."""
    for done, key in enumerate(keys, 1):
        page.keyboard.press(key)
        page.locator(".end h1, .progress", has_text=f"{done} of").first.wait_for()
        answered = page.locator(".class[aria-pressed=true]").locator("visible=true")
        eventually(lambda a=answered: a.count() == 0, "the next case")


def test_yes_or_no_by_one_key_a_case(town: Town) -> None:
    project = town.project("mitosis", *[pictures.colour] * 3)
    page = town.people["Rhea"].read(project)
    read_each(page, "12")
    page.keyboard.press("1")
    page.locator(".end h1", has_text="All done").wait_for()
    eventually(lambda: len(town.reads(project)) == 3, "every read is stored")
    reads = sorted(town.reads(project), key=lambda one: one["submitted"])
    assert [one["answer"] for one in reads] == [
        {"mitosis": "Yes"},
        {"mitosis": "No"},
        {"mitosis": "Yes"},
    ]
    assert {(one["protocol_version"], one["revision"]) for one in reads} == {(1, 1)}
    assert len({one["case"] for one in reads}) == 3


def test_a_grade_by_one_key_on_sixteen_bits_and_its_correction(town: Town) -> None:
    project = town.project("knee-grade", *[pictures.grey16] * 3)
    page = town.people["Rhea"].read(project)
    read_each(page, "3")
    page.keyboard.press("x")  # cannot be read
    page.keyboard.press("t")
    page.keyboard.type("implant")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Submit").click()
    page.locator(".progress", has_text="2 of").wait_for()
    eventually(lambda: len(town.reads(project)) == 2, "both reads are stored")
    page.keyboard.press("d")
    page.get_by_role("button", name="Save the correction").wait_for()
    page.keyboard.press("d")
    page.get_by_role("button", name="3", pressed=True).wait_for()
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    eventually(
        lambda: sorted(one["revision"] for one in town.reads(project)) == [1, 2], "a new revision"
    )
    said = [(r["answer"], r["flags"]["cannot_be_read"], r["comment"]) for r in town.reads(project)]
    assert ({"grade": "4"}, False, "") in said
    assert ({}, True, "implant") in said


def test_several_findings_and_none(town: Town) -> None:
    project = town.project("chest-findings", pictures.grey8, pictures.grey16)
    page = town.people["Rhea"].read(project)
    for key in "161":
        page.keyboard.press(key)
    page.get_by_role("button", name="Cardiomegaly").click()
    read_on(page, "Enter")
    page.locator(".progress", has_text="1 of 2").wait_for()
    page.keyboard.press("Enter")
    page.locator(".end h1", has_text="All done").wait_for()
    eventually(lambda: len(town.reads(project)) == 2, "both reads are stored")
    answers = [one["answer"]["findings"] for one in town.reads(project)]
    assert sorted(map(sorted, answers)) == [[], ["Cardiomegaly", "Nodule or mass"]]


def test_every_slice_of_a_series(town: Town) -> None:
    project = town.project(SERIES, pictures.series)
    page = town.people["Rhea"].read(project)
    view = fitted(page, 128, 128)
    assert page.locator(".place").inner_text() == "1 / 4"
    page.keyboard.press("2")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.locator(".place", has_text="3 / 4").wait_for()
    drag(page, view.at(30, 40), view.at(60, 90))
    page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("q")
    page.keyboard.type("73")
    page.keyboard.press("Enter")
    eventually(lambda: len(town.reads(project)) == 1, "the read is stored")
    answer = town.reads(project)[0]["answer"]
    (box,) = answer["lesions"]
    assert (answer["quality"], answer["sure"], box["frame"]) == ("Fair", 73, 2)
    assert [box[k] for k in ("x1", "y1", "x2", "y2")] == pytest.approx([30, 40, 60, 90], abs=0.5)


def test_no_reader_sees_another_and_the_lead_exports_both(town: Town) -> None:
    project = town.project("knee-grade", pictures.grey8, readers=("Rhea", "Otto"))
    for who, grade in (("Rhea", "1"), ("Otto", "3")):
        page = town.people[who].read(project)
        assert page.get_by_role("group", name="Kellgren-Lawrence grade").is_visible()
        assert page.locator(".class[aria-pressed=true]").count() == 0
        page.keyboard.press(grade)
        page.locator(".end h1", has_text="All done").wait_for()
    eventually(lambda: len(town.reads(project)) == 2, "both reads are stored")
    otto, (case,) = town.people["Otto"], town.cases(project)
    mine = otto.get(f"/api/projects/{project}/reads/mine")
    assert [one["answer"] for one in mine] == [{"grade": "3"}]
    for path in ("reads", "consensus"):
        assert not otto.send("GET", f"/api/cases/{case['id']}/{path}").ok
    assert not otto.send("GET", f"/projects/{project}/export").ok
    table = pl.read_parquet(exported(town.lead, project, "history", "parquet"))
    assert sorted(table["value"].to_list()) == ["1", "3"]
    assert table["protocol_version"].to_list() == [1, 1]
    latest = pl.read_csv(exported(town.lead, project, "reads", "csv"))
    assert len(latest) == 2
