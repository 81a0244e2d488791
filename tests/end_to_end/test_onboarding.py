"""Nobody reads before they have shown that they can: the whole way, by a real reader and a lead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town, _command
from tests.end_to_end.test_drawings import POSTGRES
from tests.reading_page.hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

PROTOCOL = """title: Fractures, after a dry run
reads_per_case: 1
questions:
  - {id: fractures, prompt: Box each fracture, kind: box, classes: [Fracture, Callus]}
guideline: From cortex to cortex.
qualification:
  professions: [radiologist]
  least_years: 2
  pass_mark: 0.8
  least_cases: 2
atlas:
  - {id: whole, question: fractures, class: Fracture, do: true, why: The box holds both cortices.}
"""
BOX = (60, 50, 180, 150)
ROWS, COLUMNS = 384, 512


def gold(town: Town, project: str, count: int) -> list[str]:
    """Make the first cases gold by the command; the names of all cases."""
    cases = town.cases(project)
    lines = [f"{c['id']},Fracture,{','.join(map(str, BOX))}" for c in cases[:count]]
    table = town.folder / f"gold-{project}.csv"
    table.write_text("\n".join(["case,label,x1,y1,x2,y2", *lines]), encoding="utf-8")
    done = _command(town.server.home, town.server.database, "gold", project, table)
    assert done == {"gold": count, "pool": "training"}
    return [one["id"] for one in cases]


def answer(page: Any, box: tuple[float, float, float, float] | None) -> None:
    """Draw a box (or none) on the case of a dry run, and submit it."""
    page.get_by_role("group", name="Box each fracture").wait_for()
    view = fitted(page, COLUMNS, ROWS)
    if box:
        drag(page, view.at(*box[:2]), view.at(*box[2:]))
        page.get_by_text("1 drawn").wait_for()
    page.keyboard.press("Enter")
    page.locator(".review:visible").wait_for()


def begin(page: Any) -> None:
    """From the gate over one's profile to the first case of the dry run."""
    page.get_by_role("heading", name="Your profile first").wait_for()
    page.get_by_role("link", name="My profile").click()
    page.get_by_label("Profession").fill("Radiologist")
    page.get_by_label("Years of experience").fill("4")
    page.get_by_role("button", name="Save my profile").click()
    page.get_by_text("Your profile is saved.").wait_for()
    page.get_by_role("link", name="My reading").click()
    card = page.locator("section.card", has_text="A dry run comes first").last
    card.get_by_role("link", name="Begin the dry run").click()
    page.get_by_role("button", name="Begin the dry run").click()


def dispute(review: Any) -> None:
    review.get_by_text("The right answer is wrong").click()
    review.get_by_label("Why the right answer is wrong").fill("It is a growth plate")
    review.get_by_role("button", name="Dispute it").click()
    review.get_by_text("Told. A senior decides.").wait_for()


def decide(town: Town, project: str) -> None:
    """The lead sees the certificate, and settles the dispute."""
    board = town.lead.page(f"/projects/{project}/onboarding")
    row = board.locator("tr", has_text="Rhea Reader")
    for words in ("qualified", "F1 1.00", "2 runs"):
        assert words in row.inner_text()
    board.get_by_role("link", name="Disputes").click()
    board.get_by_text("It is a growth plate").wait_for()
    board.get_by_text("Settle it here instead").click()
    board.get_by_label("Decision").fill("It is; thank you")
    board.get_by_role("button", name="It was wrong: retire the gold").click()
    board.get_by_role("heading", name="No dispute").wait_for()


@pytest.mark.parametrize("any_town", POSTGRES, indirect=True)
def test_a_reader_fails_tries_again_on_other_gold_and_reads(any_town: Town) -> None:
    town, rhea = any_town, any_town.people["Rhea"]
    project = town.project(PROTOCOL, *[pictures.grey8] * 6)
    ids = gold(town, project, 4)
    claim = f"/api/projects/{project}/claim"
    refused = rhea.send("POST", claim, {"count": 1})
    assert (refused.status, refused.json()["error"]["name"]) == (403, "reader")

    page = rhea.page(f"/read/{project}")
    begin(page)
    for number, words in ((1, "0 of 1 found; 1 too many"), (2, "0 of 1 found")):
        page.locator(".progress", has_text=f"Dry run: case {number} of 2").wait_for()
        answer(page, (250, 200, 300, 260) if number == 1 else None)
        review = page.locator(".review")
        assert words in review.locator(".marks").inner_text()
        assert "The box holds both cortices." in review.locator(".atlas").inner_text()
        if number == 1:
            dispute(review)
        if number == 2:
            assert "Not passed yet" in review.locator(".run").inner_text()
        page.keyboard.press("Enter")
    page.get_by_role("heading", name="Not passed yet").wait_for()
    assert rhea.send("POST", claim, {"count": 1}).status == 403

    page.get_by_role("button", name="Try again on other cases").click()
    for number in (1, 2):
        page.locator(".progress", has_text=f"Dry run: case {number} of 2").wait_for()
        answer(page, BOX)
        assert "1 of 1 found" in page.locator(".review .marks").inner_text()
        if number == 1:
            page.keyboard.press("Enter")
    assert "You are qualified" in page.locator(".review .run").inner_text()
    page.get_by_role("button", name="Begin reading").click()
    page.locator(".progress", has_text="0 of 2").wait_for()
    page.locator(".review").wait_for(state="hidden")
    task = town.task(project)
    assert task["case"]["id"] in ids[4:]
    page.keyboard.press("Enter")
    eventually(lambda: len(town.reads(project)) == 1, "the first read of production")
    assert {one["case"] for one in town.reads(project)} <= set(ids[4:])

    decide(town, project)
