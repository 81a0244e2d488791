"""The page around the image: keys, guideline, frames, going back, the end; texts stay texts."""

from __future__ import annotations

import pytest

from .hands import eventually, read_on

pytestmark = [pytest.mark.browser, pytest.mark.page]


def test_keys_are_shown_changed_and_conflicts_refused(open_page):
    page = open_page("chest")
    page.keyboard.press("?")
    sheet = page.get_by_label("Keys", exact=True).locator("visible=true").first
    sheet.get_by_text("Digits answer the question at hand").wait_for()
    change = page.get_by_role("button", name="Change the key of Invert")
    change.click()
    page.keyboard.press("z")
    page.get_by_text("Z is taken: Zoom tool. The key stays as it was.").wait_for()
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    page.keyboard.press("Escape")
    invert = page.locator(".bar").get_by_role("button", name="Invert")
    assert invert.locator("kbd").inner_text() == "J"
    page.keyboard.press("i")
    assert invert.get_attribute("aria-pressed") == "false"
    page.keyboard.press("j")
    assert invert.get_attribute("aria-pressed") == "true"
    page.reload()
    page.locator(".card").first.wait_for()
    assert invert.locator("kbd").inner_text() == "J"


def test_guideline_and_atlas_are_one_key_away(open_page):
    page = open_page("chest")
    page.keyboard.press("g")
    guide = page.get_by_label("Guideline and atlas")
    guide.get_by_text("Look at the whole image first").wait_for()
    picture = guide.locator("figure.do img")
    eventually(lambda: picture.evaluate("image => image.naturalWidth") > 0, "the picture is there")
    assert guide.locator("figure.dont").count() == 1
    page.keyboard.press("g")
    guide.wait_for(state="hidden")


def test_hostile_texts_are_inert(open_page):
    page = open_page("hostile")
    page.keyboard.press("g")
    guide = page.get_by_label("Guideline and atlas")
    guide.get_by_text("a link").wait_for()
    assert guide.locator("script, svg, a[href^=javascript], [onerror]").count() == 0
    assert page.title() == "Hostile texts"
    assert page.get_by_role("button", name="<img src=x onerror=alert(1)>").count() == 1
    assert page.locator(".panel img, .panel script").count() == 0


def test_windows_by_shift_and_digit(open_page):
    page = open_page("mixed")
    facts = page.locator(".facts")
    for key, wanted in [("2", "W 1500 L -600"), ("5", "W 80 L 40"), ("1", "W 400 L 40")]:
        page.keyboard.press(f"Shift+Digit{key}")
        eventually(lambda w=wanted: w in facts.inner_text(), wanted)
    box = page.locator("main.image").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 400, box["y"] + 300, steps=4)
    page.mouse.up(button="right")
    assert "W 400 " not in facts.inner_text()


def test_frames_by_keys_wheel_and_cine(open_page):
    page = open_page("mixed")
    place = page.locator(".place")
    page.wait_for_timeout(500)
    page.keyboard.press("ArrowDown")
    eventually(lambda: place.inner_text() == "2 / 24", "the second frame")
    page.mouse.move(500, 400)
    page.mouse.wheel(0, 100)
    eventually(lambda: place.inner_text() == "3 / 24", "the third frame")
    page.keyboard.press("c")
    eventually(lambda: int(place.inner_text().split(" ")[0]) > 6, "it plays")
    page.keyboard.press("c")
    stopped = place.inner_text()
    page.wait_for_timeout(400)
    assert place.inner_text() == stopped


def test_going_back_makes_a_new_revision(open_page, server):
    page = open_page("knee")
    page.keyboard.press("1")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    page.keyboard.press("d")
    page.get_by_role("button", name="Save the correction").wait_for()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 2, "the correction arrives")
    assert [(r["revision"], r["answer"]["grade"]) for r in server.reads()] == [(1, "1"), (2, "3")]
    assert len({r["task"] for r in server.reads()}) == 1


def test_flags_comment_and_the_calm_end(open_page, server):
    page = open_page("knee")
    page.keyboard.press("s")
    page.keyboard.press("t")
    page.keyboard.type("Rotated <b>film</b>")
    page.keyboard.press("Escape")
    read_on(page, "2")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    read = server.reads()[0]
    assert read["flags"] == {"cannot_be_read": False, "ask_a_senior": True}
    assert read["comment"] == "Rotated <b>film</b>"
    read_on(page, "x", "Enter")
    eventually(lambda: len(server.reads()) == 2, "the read arrives")
    assert server.reads()[1]["answer"] == {}
    read_on(page, "Shift+S")
    for n in range(5):
        read_on(page, "0")
        eventually(lambda k=n: len(server.reads()) == 3 + k, "the read arrives")
    page.get_by_text("All done. Thank you.").wait_for()
    assert "8 of 8" in page.locator(".progress").inner_text()


def test_the_cases_ahead_are_loaded_before_they_are_wanted(open_page):
    page = open_page("knee")
    page.wait_for_timeout(1200)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("1")
    page.locator(".class[aria-pressed=true]").wait_for(state="detached")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "/knee-1/frames" in url or "/knee-2/frames" in url]
    assert page.evaluate("performance.getEntriesByName('next-case').length") == 1


def test_everything_can_be_reached_and_is_named(open_page):
    page = open_page("mixed")
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea")]
        .filter((each) => each.offsetParent !== null)
        .filter((each) => !(each.textContent || each.getAttribute("aria-label")
            || each.labels?.length)).length"""
    )
    assert unnamed == 0
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
