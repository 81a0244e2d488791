"""A loose box, through the real server: told before it is sent, sent all the same, found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import Town
from tests.end_to_end.shots import shot
from tests.reading_page.hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

ROWS, COLUMNS = 384, 512


def disc(path: Path, *, seed: int) -> None:
    """A bright disc of radius 40 about (200, 160), on noise."""
    y, x = np.mgrid[:ROWS, :COLUMNS] + 0.5
    inside = np.hypot(x - 200, y - 160) <= 40
    noise = np.random.default_rng(seed).normal(0, 6, inside.shape)
    Image.fromarray(np.clip(90 + 80 * inside + noise, 0, 255).astype(np.uint8)).save(path)


def test_a_loose_box_is_told_and_sent_and_found_again(town: Town) -> None:
    project = town.project("fracture-boxes", *[disc] * 6)
    page = town.people["Rhea"].read(project)
    told = page.locator(".found li .told")
    # a server that is busy answers too late, and the read is sent without a look: the next case
    for done in range(6):
        loose_box(page)
        page.keyboard.press("Enter")
        sent = page.locator(".progress", has_text=f"{done + 1} of 6")
        eventually(lambda s=sent: told.count() or s.count(), "a hint, or the next case")
        if told.count():
            break
    assert told.inner_text() == "Box 1: much of it looks like background."
    assert len(town.reads(project)) == done
    shot(page, "label-rules-hint")
    page.keyboard.press("Enter")  # as it is
    eventually(lambda: len(town.reads(project)) == done + 1, "the read is stored")
    lead = town.lead.page(f"/projects/{project}/label-rules")
    lead.get_by_role("button", name="Ask the rules").click()
    lead.locator(".verdict").wait_for()
    row = lead.locator("tr", has_text="loose contour")
    row.wait_for(timeout=120_000)
    assert row.locator("td").all_inner_texts()[1:] == ["1", "0 (0 %)", "1"]
    loose = lead.locator("#fractures-loose .hint")
    assert loose.count() == done + 1
    assert "Rhea Reader" in loose.first.inner_text()
    shot(lead, "label-rules-found")


def loose_box(page: Any) -> None:
    view = fitted(page, COLUMNS, ROWS)
    drag(page, view.at(130, 90), view.at(270, 230))
    page.get_by_text("1 drawn").wait_for()
