"""Nothing is lost on a real server: killed tabs, ended sessions, dead networks, a killed server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end import pictures
from tests.end_to_end.conftest import Town
from tests.live.people import Person
from tests.live.study import PASSWORD
from tests.reading_page.hands import decoded, drag, eventually, fitted

pytestmark = [pytest.mark.browser, pytest.mark.page]

ROWS, COLUMNS = 384, 512
_KEPT = """() => new Promise((resolve) => {
  const open = indexedDB.open("overread-reading");
  open.onsuccess = () => {
    const all = open.result.transaction("drafts").objectStore("drafts").getAll();
    all.onsuccess = () => {
      open.result.close();
      resolve(all.result.map((one) => one.work.answer));
    };
  };
})"""


def painted(answers: list[Any], *pixels: tuple[int, int]) -> bool:
    """Whether one of the answers has paint on all of these pixels (x, y)."""
    masks = [decoded(one["vessels"][0]) for one in answers if one.get("vessels")]
    return any(all(mask[y, x] for x, y in pixels) for mask in masks)


def on_server(town: Town, project: str, *pixels: tuple[int, int]) -> bool:
    draft = town.task(project)["draft"]
    return draft is not None and painted([draft["answer"]], *pixels)


def in_threads(count: int, act: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(min(count, 10)) as pool:
        return list(pool.map(act, range(count)))


def asker(person: Person) -> Callable[..., tuple[int, Any]]:
    """What sends to the API from any thread, with the session of a person."""
    csrf = person.get("/api/me")["csrf"]
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in person.context.cookies())
    headers = {"Cookie": cookie, "X-CSRF-Token": csrf, "Content-Type": "application/json"}

    def send(method: str, path: str, value: Any) -> tuple[int, Any]:
        url = f"{person.address}{path}"
        request = urllib.request.Request(url, json.dumps(value).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return send


def test_a_tab_killed_in_the_middle_of_a_stroke(town: Town) -> None:
    project = town.project("vessel-mask", pictures.grey8)
    rhea = town.people["Rhea"]
    page = rhea.read(project)
    view = fitted(page, COLUMNS, ROWS)
    drag(page, view.at(100, 100), view.at(300, 100))
    drag(page, view.at(100, 200), view.at(200, 200), view.at(300, 200), release=False)
    eventually(lambda: painted(page.evaluate(_KEPT), (200, 100), (250, 200)), "it is kept here")
    rhea.context.new_cdp_session(page)
    with pytest.raises(Exception, match=r"crash|closed|ERR_"):
        page.goto("chrome://crash", wait_until="commit")
    again = rhea.read(project)
    eventually(lambda: on_server(town, project, (200, 100), (250, 200)), "the draft is back")
    again.keyboard.press("Enter")
    again.locator(".end h1", has_text="All done").wait_for()
    eventually(lambda: len(town.reads(project)) == 1, "the read is stored")
    assert painted([town.reads(project)[0]["answer"]], (200, 100), (250, 200))


def test_a_session_that_ends_in_the_middle(town: Town) -> None:
    project = town.project("knee-grade", *[pictures.grey16] * 3, readers=("Otto",))
    otto = town.people["Otto"]
    page = otto.read(project)
    page.keyboard.press("1")
    page.locator(".progress", has_text="1 of 3").wait_for()
    eventually(lambda: page.locator(".class[aria-pressed=true]").count() == 0, "the next case")
    # logged out elsewhere: the server forgets the session, this browser knows nothing of it
    csrf = otto.get("/api/me")["csrf"]
    state = otto.context.cookies()
    assert asker(otto)("POST", "/api/logout", {"csrf": csrf})[0] == 200
    assert otto.context.cookies() == state
    page.keyboard.press("3")
    form = page.get_by_role("form", name="Log in")
    form.wait_for()
    assert len(town.reads(project)) == 1
    form.get_by_label("E-mail").fill(otto.email)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_label("Password").press("Enter")
    form.wait_for(state="hidden")
    eventually(lambda: len(town.reads(project)) == 2, "the read arrives")
    assert sorted(one["answer"]["grade"] for one in town.reads(project)) == ["1", "3"]
    otto.forget()


def test_a_dead_network(town: Town) -> None:
    project = town.project("vessel-mask", pictures.grey8)
    rhea = town.people["Rhea"]
    page = rhea.read(project)
    view = fitted(page, COLUMNS, ROWS)
    drag(page, view.at(50, 50), view.at(150, 50))
    eventually(lambda: on_server(town, project, (100, 50)), "the first stroke is saved")
    rhea.context.set_offline(True)
    drag(page, view.at(50, 150), view.at(150, 150))
    page.get_by_text("Kept here", exact=True).wait_for()
    page.keyboard.press("2")
    drag(page, view.at(50, 250), view.at(150, 250))
    rhea.context.set_offline(False)
    page.get_by_text("Saved", exact=True).wait_for()
    assert on_server(town, project, (100, 50), (100, 150), (100, 250))


def test_a_server_killed_and_started_again(town: Town) -> None:
    project = town.project("knee-grade", *[pictures.grey8] * 3)
    page = town.people["Rhea"].read(project)
    eventually(lambda: len(ahead(page)) >= 2, "the next cases are here")
    town.server.kill()
    page.keyboard.press("2")
    page.get_by_text("1 read kept here, sending").wait_for()
    page.keyboard.press("x")
    town.server.start()
    town.server.wait()
    page.get_by_text("Saved", exact=True).wait_for()
    (read,) = town.reads(project)
    assert (read["answer"], read["revision"]) == ({"grade": "2"}, 1)
    assert town.task(project)["draft"]["flags"]["cannot_be_read"]


def ahead(page: Any) -> list[str]:
    """Frames that the page has fetched."""
    asked: list[str] = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    return [one for one in asked if "/frames/" in one]


def test_the_same_submission_a_hundred_times_is_one_read(town: Town) -> None:
    project = town.project("mitosis", pictures.colour)
    send, task = asker(town.people["Rhea"]), town.task(project)
    body = {"read_id": str(uuid4()), "answer": {"mitosis": "No"}, "seconds": 3}
    replies = in_threads(100, lambda _: send("POST", f"/api/tasks/{task['id']}/submit", body))
    assert {status for status, _ in replies} == {200}
    assert {json.dumps(receipt, sort_keys=True) for _, receipt in replies} == {
        json.dumps({"read_id": body["read_id"], "revision": 1, "surplus": False}, sort_keys=True)
    }
    assert len(town.reads(project)) == 1


def test_two_readers_at_once_get_different_cases(town: Town) -> None:
    once = (
        "title: Once\nreads_per_case: 1\nquestions:\n"
        "  - {id: q, prompt: Which, kind: nominal, classes: [A, B]}\nguideline: Look.\n"
    )
    project = town.project(once, *[pictures.grey8] * 6, readers=("Rhea", "Otto"))
    senders = [asker(town.people[one]) for one in ("Rhea", "Otto")]
    path = f"/api/projects/{project}/claim"
    replies = in_threads(2, lambda at: senders[at]("POST", path, {"count": 3}))
    cases = [task["case"]["id"] for _, reply in replies for task in reply["tasks"]]
    assert len(cases) == len(set(cases)) == 6


def test_a_stale_edit_is_shown_and_never_overwrites(town: Town) -> None:
    project = town.project("chest-findings", pictures.grey8)
    rhea = town.people["Rhea"]
    one, two = rhea.read(project), rhea.read(project)
    one.keyboard.press("1")
    eventually(lambda: town.task(project)["draft"] is not None, "the first tab has saved")
    task = town.task(project)
    stale = {"version": 0, "answer": {"findings": ["Consolidation"]}}
    reply = rhea.send("PUT", f"/api/tasks/{task['id']}/draft", stale)
    assert reply.status == 409
    assert reply.json()["current"]["answer"] == {"findings": ["Pleural effusion"]}
    two.keyboard.press("3")
    note = two.get_by_label("Two versions")
    note.wait_for()
    assert "Pleural effusion" in note.inner_text()
    assert town.task(project)["draft"]["answer"] == {"findings": ["Pleural effusion"]}
    note.get_by_role("button", name="Take the server's").click()
    note.wait_for(state="hidden")
    two.keyboard.press("6")
    kept = {"findings": ["Pleural effusion", "Nodule or mass"]}
    eventually(lambda: town.task(project)["draft"]["answer"] == kept, "both go on from there")
