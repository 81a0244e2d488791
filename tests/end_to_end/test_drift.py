"""The seed's story through the real server: a reader's boxes shrink by 20 % while three read.

Three programs read by the API as the page does; the lead sees it in a browser, has the reader
checked on another overlap, and releases them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.drift import drifting_study, lead_at, told
from tests.reading_page.hands import eventually

pytestmark = [pytest.mark.browser, pytest.mark.page]

IN_CONTROL = 45  # cases read by all three before anything changes
MOST = 25  # overlap reads within which the change must be seen


def test_a_drifting_reader_is_paused_shown_checked_and_released(
    tmp_path: Path, browser: Any
) -> None:
    with drifting_study(tmp_path / "home") as (running, readers):
        readers.read(IN_CONTROL)
        look = {"viewport": {"width": 1440, "height": 1000}}
        page = lead_at(browser, running, readers.project, **look)
        eventually(lambda: "No change seen" in told(page), "all three are steady")
        assert "waits" not in told(page)
        reads = 0
        while readers.read(1, shrink=0.2) == 3:
            reads += 1
            assert reads <= MOST
        assert reads >= 3
        eventually(lambda: "1 alarm waits" in told(page), "the page tells of it")
        page.get_by_role("link", name="Look at it").first.click()
        page.wait_for_load_state()
        said = " ".join(page.locator("main").inner_text().split())
        assert "Reader 0, paused" in said
        assert "smaller" in said
        assert "reads set aside" in said
        eventually(lambda: page.locator(".worst svg rect").count() > 3, "boxes side by side")
        # the others go on, and read the queued cases too
        readers.read(14, (1, 2))
        page.reload()
        page.get_by_role("button", name="Ask for the check").click()
        page.wait_for_load_state()
        assert readers.read(30, (0,)) == 12
        assert readers.clients[0].claim(readers.project) == []
        eventually(lambda: "in line with the others" in told(page), "the check says how it went")
        page.get_by_role("radio", name="Release").check()
        page.get_by_label("Why").fill("Twelve fresh cases in line; the atlas was looked at again.")
        page.get_by_role("button", name="Decide").click()
        page.wait_for_load_state()
        assert "Released" in told(page)
        assert readers.read(10, (0,)) == 10
        page.goto(page.url.split("/alarms/")[0] + f"/projects/{readers.project}/quality")
        assert "waits" not in told(page)
        page.context.close()
