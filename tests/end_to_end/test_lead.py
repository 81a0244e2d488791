"""A study lead's first day, on the pages alone: from a template to the exported consensus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import LOOK, Town
from tests.live.people import Person, exported, invitation, join
from tests.reading_page.hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

RHEA, OTTO = (30, 40, 90, 100), (34, 40, 94, 100)


def test_from_a_template_to_the_consensus(town: Town, browser: Any, tmp_path: Path) -> None:
    lead = town.people["Lea"]
    project = new_project(town)
    for at in range(2):
        pictures.grey8(tmp_path / f"{at}.png", seed=900 + at)
    pictures.series(tmp_path, seed=950)
    (tmp_path / "notes.dcm").write_bytes(b"no image at all" * 20)
    import_files(town, project, sorted(tmp_path.iterdir()))
    link = invitation(lead, "nora@example.org", "reader")
    nora = join(browser, link, "Nora New", "nora@example.org", **LOOK)
    page = lead.page(f"/projects/{project}/members")
    page.get_by_label("Rhea Reader", exact=True).check()
    page.get_by_label("Nora New", exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    for person, corners in ((town.people["Rhea"], RHEA), (nora, OTTO)):
        read_first_case(person, project, corners)
    eventually(lambda: len(town.reads(project)) == 2, "both reads are stored")
    overview = lead.page(f"/projects/{project}")
    said = " ".join(overview.locator("main").inner_text().split())
    assert "Rhea Reader" in said
    assert "Nora New" in said
    (row,) = [one for one in lead.get("/api/projects") if one["id"] == project]
    assert row["name"] == "Wrists"
    film = lead.page(f"/projects/{project}/cases").locator('a[href^="/cases/"]')
    assert film.count() == 3
    film.first.click()
    files(lead, project)
    nora.context.close()


def new_project(town: Town) -> str:
    page = town.people["Lea"].page("/projects/new?template=fracture-boxes")
    page.get_by_label("Name").fill("Wrists")
    page.get_by_role("button", name="YAML").click()
    text = page.locator("textarea[name=text]")
    text.fill(text.input_value().replace("kind: box", "kind: bax"))
    page.get_by_role("button", name="Make the project").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "line 6" in alert.inner_text()
    text.fill(text.input_value().replace("kind: bax", "kind: box"))
    page.get_by_role("button", name="Make the project").click()
    page.wait_for_url("**/projects/*-*")
    return str(page.url.split("/projects/")[1].split("/")[0])


def import_files(town: Town, project: str, files: list[Path]) -> None:
    lead = town.people["Lea"]
    page = lead.page(f"/projects/{project}/import")
    page.locator("input[type=file]").first.set_input_files(files)
    page.locator("form", has=page.locator("input[type=file]")).get_by_role(
        "button", name="Import"
    ).click()
    page.get_by_role("status").filter(has_text="Done").wait_for()
    assert len(town.cases(project)) == 3
    page.reload()
    assert "neither DICOM" in page.locator("main").inner_text()


def read_first_case(person: Any, project: str, corners: tuple[int, ...]) -> None:
    """One box on the first case."""
    page = person.read(project)
    reply = person.send("POST", f"/api/projects/{project}/claim", {"count": 1}).json()
    case = reply["tasks"][0]["case"]
    view = fitted(page, case["columns"], case["rows"])
    drag(page, view.at(*corners[:2]), view.at(*corners[2:]))
    page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("Enter")
    page.locator(".progress", has_text="1 of 3").wait_for()
    page.close()


def files(lead: Person, project: str) -> None:
    table = pl.read_csv(exported(lead, project, "history", "csv"))
    boxes = table.filter(pl.col("question") == "fractures")["value"].to_list()
    lefts = sorted(json.loads(one)[0]["x1"] for one in boxes)
    assert lefts == pytest.approx([30, 34], abs=0.5)
    assert set(table["protocol_version"]) == {1}
    coco = json.loads(exported(lead, project, "reads", "coco").read_text())
    lefts = sorted(one["bbox"][0] for one in coco["annotations"])
    assert lefts == pytest.approx([30, 34], abs=0.5)
    reached = json.loads(exported(lead, project, "consensus", "coco").read_text())
    lefts = sorted(one["bbox"][0] for one in reached["annotations"])
    assert lefts == pytest.approx([30, 32, 34], abs=1.5)  # the reads, and the consensus between
