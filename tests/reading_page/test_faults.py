"""Nothing is lost: killed tabs, dead networks, ended sessions, two tabs."""

from __future__ import annotations

import pytest

from .hands import decoded, drag, eventually, fitted, read_on

pytestmark = [pytest.mark.browser, pytest.mark.page]


def kill(page):
    """Kill the tab's process, as the system does when memory is short."""
    page.context.new_cdp_session(page)
    page.goto("chrome://crash", wait_until="commit")


def test_a_tab_killed_in_the_middle_of_a_stroke(open_page, server):
    page = open_page("vessels")
    view = fitted(page, 2048, 2048)
    server.tell("set", fail=503)  # so that the browser's own store is the only place
    drag(page, view.at(400, 400), view.at(1200, 400))
    page.wait_for_timeout(300)
    drag(page, view.at(400, 800), view.at(800, 800), view.at(1200, 800), release=False)
    page.wait_for_timeout(400)
    page.mouse.move(*view.at(1250, 820))
    page.wait_for_timeout(500)
    with pytest.raises(Exception, match=r"crash|closed|ERR_"):
        kill(page)
    assert server.tell("state")["drafts"] == {}

    server.tell("set", fail=None)
    open_page("vessels")
    task = "vessels.large-0"
    eventually(lambda: server.draft(task).get("vessels", []) != [], "the draft comes back")
    mask = decoded(server.draft(task)["vessels"][0])
    assert mask[400, 800] == 1
    assert mask[800, 1100] == 1


def test_an_outline_half_done_comes_back(open_page):
    page = open_page("cells")
    view = fitted(page, 512, 512)
    for x, y in [(100, 100), (200, 100), (200, 200)]:
        page.mouse.click(*view.at(x, y))
    page.wait_for_timeout(400)
    with pytest.raises(Exception, match=r"crash|closed|ERR_"):
        kill(page)
    again = open_page("cells")
    again.keyboard.press("Enter")
    again.get_by_text("1 drawn").wait_for()


def test_a_dead_network_keeps_the_reads_and_sends_them_later(open_page, context, server):
    page = open_page("knee")
    page.wait_for_timeout(800)  # two cases ahead are loaded
    context.set_offline(True)
    for grade in "12":
        read_on(page, grade)
    page.get_by_text("2 reads kept here, sending").wait_for()
    page.keyboard.press("x")
    context.set_offline(False)
    eventually(lambda: len(server.reads()) == 2, "the reads arrive")
    assert [read["answer"]["grade"] for read in server.reads()] == ["1", "2"]
    eventually(
        lambda: any(d["flags"]["cannot_be_read"] for d in server.tell("state")["drafts"].values()),
        "the flag arrives",
    )
    page.get_by_text("Saved", exact=True).wait_for()


def test_reads_of_a_killed_tab_are_sent_by_the_next_one_once(open_page, server):
    page = open_page("knee")
    page.wait_for_timeout(800)
    server.tell("set", fail=503)
    page.keyboard.press("3")
    page.get_by_text("1 read kept here, sending").wait_for()
    with pytest.raises(Exception, match=r"crash|closed|ERR_"):
        kill(page)
    server.tell("set", fail=None)
    open_page("knee")
    eventually(lambda: len(server.reads()) == 1, "the read arrives")
    assert server.reads()[0]["answer"] == {"grade": "3"}


def test_a_session_that_ends_asks_calmly_and_loses_nothing(open_page, server):
    page = open_page("knee")
    page.wait_for_timeout(500)
    server.tell("set", signedIn=False)
    read_on(page, "4")
    form = page.get_by_role("form", name="Log in")
    form.wait_for()
    page.keyboard.press("2")  # reading goes on beside the note
    page.get_by_text("2 reads kept").or_(page.get_by_text("Logged out")).first.wait_for()
    form.get_by_label("E-mail").fill("reader@example.org")
    form.get_by_label("Password").fill("wrong")
    form.get_by_label("Password").press("Enter")
    form.get_by_text("E-mail or password is wrong.").wait_for()
    form.get_by_label("Password").fill("pass")
    form.get_by_label("Password").press("Enter")
    form.wait_for(state="hidden")
    eventually(lambda: len(server.reads()) == 2, "the reads arrive")
    assert [read["answer"]["grade"] for read in server.reads()] == ["4", "2"]


def test_two_tabs_on_one_case_choose(open_page, server):
    one = open_page("chest")
    two = open_page("chest")
    one.keyboard.press("1")
    one.get_by_text("Saved", exact=True).wait_for()
    eventually(lambda: server.draft("chest.chest-0") == {"findings": ["Effusion"]}, "saved")
    two.keyboard.press("3")
    note = two.get_by_label("Two versions")
    note.wait_for()
    assert "Effusion" in note.inner_text()
    assert "Nodule" in note.inner_text()
    note.get_by_role("button", name="Keep what is here").click()
    eventually(
        lambda: server.draft("chest.chest-0") == {"findings": ["Nodule"]}, "the choice holds"
    )
