"""A look before sending: beside the finding, calm, and never in the way."""

from __future__ import annotations

import pytest

from .hands import drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

WORDS = "Box 2: much of it looks like background."


def two_boxes(page):
    view = fitted(page, 512, 512)
    drag(page, view.at(60, 60), view.at(140, 140))
    page.get_by_text("1 drawn").wait_for()
    drag(page, view.at(200, 200), view.at(420, 400))
    page.get_by_text("2 drawn").wait_for()
    return view


def test_a_hint_stands_beside_its_box_and_enter_sends_it_as_it_is(open_page, server):
    server.tell("set", told={"fractures": {"1": WORDS}})
    page = open_page("fracture")
    case = page.locator("main.image").get_attribute("data-task")
    two_boxes(page)
    page.keyboard.press("Enter")
    page.locator(".found li", has_text=WORDS).wait_for()
    assert page.locator(".found li").nth(1).locator(".told").inner_text() == WORDS
    assert page.locator(".ends .hint").inner_text() == f"{WORDS} Enter sends it as it is."
    assert page.locator(".finding[aria-pressed='true']").inner_text().startswith("2.")
    assert server.reads() == []
    page.keyboard.press("Enter")
    page.locator(f"main.image:not([data-task='{case}'])").wait_for()
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    (read,) = server.reads()
    assert len(read["answer"]["fractures"]) == 2
    assert [one["followed"] for one in read["advice"]] == [False]
    assert page.locator(".told:not(:empty)").count() == 0


def test_a_hint_that_is_followed_goes_and_the_read_tells_so(open_page, server):
    server.tell("set", told={"fractures": {"1": WORDS}})
    page = open_page("fracture")
    two_boxes(page)
    page.keyboard.press("Enter")
    page.locator(".found li", has_text=WORDS).wait_for()
    page.keyboard.press("Delete")  # the box that it is about is chosen
    page.get_by_text("1 drawn").wait_for()
    assert page.locator(".told:not(:empty)").count() == 0
    assert page.locator(".ends .hint").inner_text() == ""
    page.keyboard.press("Enter")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    assert [one["followed"] for one in server.reads()[0]["advice"]] == [True]


def test_nobody_waits_for_a_look_and_none_is_needed(open_page, context, server):
    server.tell("set", told={"fractures": {"1": WORDS}}, slow=60_000)
    page = open_page("fracture")
    case = page.locator("main.image").get_attribute("data-task")
    page.wait_for_timeout(800)  # the next cases are loaded
    two_boxes(page)
    page.keyboard.press("Enter")
    page.locator(f"main.image:not([data-task='{case}'])").wait_for()
    case = page.locator("main.image").get_attribute("data-task")
    context.set_offline(True)
    two_boxes(page)
    page.keyboard.press("Enter")
    page.locator(f"main.image:not([data-task='{case}'])").wait_for()
    context.set_offline(False)
    eventually(lambda: len(server.reads()) == 2, "both reads arrive")
    assert [one["advice"] for one in server.reads()] == [[], []]
