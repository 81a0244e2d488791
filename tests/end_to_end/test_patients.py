"""A lead says on the Import page which patient a picture is of, and sees it before it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import ok
from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.end_to_end.shots import shot
from tests.reading_page.hands import eventually

PROTOCOL = """title: Polyps in frames of videos
questions:
  - {id: polyp, prompt: Is there a polyp, kind: nominal, classes: [yes_, no_]}
learning: {question: polyp}
"""

pytestmark = [pytest.mark.browser, pytest.mark.page]


def test_a_folder_is_grouped_by_its_names_and_then_by_a_table(town: Town, tmp_path: Path) -> None:
    lead, project = town.lead, town.project("fracture-boxes", name="Frames of videos")
    folder = tmp_path / "endoscopy"
    folder.mkdir()
    for at in range(6):
        pictures.grey8(folder / f"{17 + at // 2}_frame{at}.png", seed=1_900 + at)
    page = lead.page(f"/projects/{project}/import")
    page.get_by_label("choose a whole folder").check()
    form = page.locator("form", has=page.locator("input[name=files]"))
    form.get_by_text("Which patient each image is of").click()
    form.locator("[name=pattern]").fill("(")
    form.locator("[name=files]").set_input_files(folder)
    found = form.locator(".found")
    found.filter(has_text="must be a regular expression with one group").wait_for()
    form.locator("[name=pattern]").fill(r"^(\d+)_")
    found.filter(has_text="3 patients, the largest with 2 files.").wait_for()
    shot(page, "import-patients")
    form.get_by_role("button", name="Import").click()
    done = page.locator(".jobs .state").filter(has_text="Done")
    done.filter(has_text="3 patients stated").wait_for()
    rows = [f"endoscopy/{one.name},{'Doe' if k < 5 else 'Roe'}" for k, one in
            enumerate(sorted(folder.iterdir()))]  # fmt: skip
    (folder / "patients.csv").write_text("\n".join(["file,video", *rows]))
    page = lead.page(f"/projects/{project}/import")
    page.get_by_label("choose a whole folder").check()
    form = page.locator("form", has=page.locator("input[name=files]"))
    form.get_by_text("Which patient each image is of").click()
    form.locator("[name=files]").set_input_files(folder)
    form.locator(".found").filter(has_text="2 patients, the largest with 5 files.").wait_for()
    form.get_by_role("button", name="Import").click()
    eventually(
        lambda: (lead.get(f"/api/projects/{project}/imports")["imports"][0]["counts"])
        .get("now of another patient") == 6,
        "all cases have another patient",
    )  # fmt: skip
    assert "Doe" not in page.content()


def test_one_patient_cannot_test_a_model_and_the_page_says_so(town: Town) -> None:
    project = town.project(PROTOCOL, *[pictures.grey8] * 6, name="One video")
    images = town.folder / f"images-{town.count}"
    home = ["--home", town.server.home]
    ok("import", "One video", images, *home, "--pattern", r"/(a)\.png$")
    page = town.lead.page(f"/projects/{project}/learning")
    told = page.locator(".warn").filter(has_text="needed to set one apart to test")

    def said() -> int:
        page.reload()
        return told.count()

    eventually(said, "the page says that the model cannot be tested")
    assert "The images are of 1 patient " in told.inner_text()
    shot(page, "learning-not-testable")
    told.get_by_role("link", name="Import").click()
    page.get_by_text("Which patient each image is of").first.wait_for()
