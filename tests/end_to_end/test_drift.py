"""The seed's story through the real server: a reader's boxes shrink by 20 % while three read.

Three programs read by the API as the page does; the lead sees it in a browser, has the reader
checked on another overlap, and releases them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.shots import shot
from tests.live.drift import browser_of, drifting_study, lead_at, told
from tests.live.server import Server
from tests.reading_page.hands import eventually

pytestmark = [pytest.mark.browser, pytest.mark.page]

IN_CONTROL = 45  # cases read by all three before anything changes
LOOK = {"viewport": {"width": 1440, "height": 1000}}
MOST = 25  # overlap reads within which the change must be seen


def test_a_drifting_reader_is_paused_shown_checked_and_released(
    tmp_path: Path, browser: Any
) -> None:
    with drifting_study(tmp_path / "home") as (running, readers):
        readers.read(IN_CONTROL)
        page = lead_at(browser, running, readers.project, **LOOK)
        eventually(lambda: "No change seen" in told(page), "all three are steady")
        assert "waits" not in told(page)
        # the page is left as it is: it comes up to date by itself
        more = page.locator("section[aria-label='Reader 1'] details").first
        more.locator("summary").click()
        page.locator("section[aria-label='Reader 1'] h2 a").focus()
        reads = 0
        while readers.read(1, shrink=0.2) == 3:
            reads += 1
            assert reads <= MOST
        assert reads >= 3
        page.get_by_text("1 alarm waits").wait_for()
        assert more.get_attribute("open") is not None
        focused = "document.activeElement.textContent.trim()"
        assert page.evaluate(focused) == "Reader 1"
        shot(page, "quality-alarm")
        page.locator("section[aria-label='Reader 0'] h2 a").click()
        page.get_by_role("heading", name="What was done").wait_for()
        assert page.locator(".large-chart").count() >= 6
        assert "Alarm: boxes" in page.locator(".done").inner_text()
        shot(page, "reader")
        page.go_back()
        page.get_by_role("link", name="Look at it").first.click()
        page.wait_for_load_state()
        said = " ".join(page.locator("main").inner_text().split())
        assert "Reader 0, paused" in said
        assert "smaller" in said
        assert "reads set aside" in said
        eventually(lambda: page.locator(".worst svg rect").count() > 3, "boxes side by side")
        look_again(browser, running, readers.project)
        assert "They have seen all of them" in told(page)
        # the others go on, and read the queued cases too
        readers.read(14, (1, 2))
        page.reload()
        page.get_by_role("button", name="Ask for the check").click()
        page.wait_for_load_state()
        assert readers.read(30, (0,)) == 12
        assert readers.clients[0].claim(readers.project) == []
        # by an interval of 95 %: of readers who are in line one in twenty is told to be off still
        eventually(lambda: "fresh cases they are" in told(page), "the check says how it went")
        page.get_by_role("radio", name="Release").check()
        page.get_by_label("Why").fill("Twelve fresh cases in line; the atlas was looked at again.")
        page.get_by_role("button", name="Decide").click()
        page.wait_for_load_state()
        assert "Released" in told(page)
        assert readers.read(10, (0,)) == 10
        page.goto(page.url.split("/alarms/")[0] + f"/projects/{readers.project}/quality")
        assert "waits" not in told(page)
        assert page.faults == []
        page.context.close()


def look_again(browser: Any, running: Server, project: str) -> None:
    """The paused reader sees their boxes beside the others', and says so of each case."""
    page = browser_of(browser, running, "reader0@example.org", "/home", **LOOK)
    page.get_by_role("link", name="Look again").click()
    page.get_by_text("The others together").first.wait_for()
    cards = page.locator("article[data-case]")
    count = cards.count()
    assert count >= 2
    eventually(lambda: page.locator(".again svg rect").count() == 2 * count, "both are drawn")
    mine, others = (
        cards.first.locator(f"figure[data-side={side}] rect").bounding_box()
        for side in ("mine", "others")
    )
    assert mine["width"] * mine["height"] < 0.9 * others["width"] * others["height"]
    words = page.locator("main").inner_text()
    assert "smaller" in words
    assert "holds both cortices" in words
    assert "dim room" not in words
    assert not any(name in words for name in ("Reader 1", "Reader 2"))
    eventually(lambda: page.locator(".concerned svg rect").count() == 1, "the atlas is drawn")
    shot(page, "feedback")
    for _ in range(count):
        page.locator("#next").get_by_role("button", name="I have seen this").click()
        page.wait_for_load_state()
    page.get_by_text(f"You have seen all {count}").wait_for()
    page.goto(page.url.split("/projects/")[0] + f"/read/{project}")
    page.get_by_role("heading", name="You are paused here").wait_for()
    assert page.faults == []
    page.context.close()
