"""The page of the plan: looked at, written, planned again; what is refused keeps the form."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import pytest

from overread.app.study.project_readers import set_readers
from overread.store import add_protocol_version
from overread.store.work.demands import Decision, decide_cases
from overread.store.work.plan_view import view_tasks
from overread.store.work.plans import get_plan
from tests.web.conftest import House
from tests.web.live import opened, visitor

FIELDS = {
    "reads": "1", "overlap": "50", "overlap_readers": "2", "batches": "1", "size": "2",
    "gold": "0", "repeats": "0", "distance": "1", "groups": "free", "seed": "7", "seconds": "30",
}  # fmt: skip


def fields(house: House, **more: Any) -> dict[str, Any]:
    ids = [house.people[one].id for one in ("reader", "other")]
    return FIELDS | {"reader": ids} | more


def test_a_plan_is_looked_at_before_it_is_written(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    first = lead.get(path).text
    assert "tasks go to whoever comes first" in first
    assert "Write the plan" not in first
    before = view_tasks(house.store, house.project)
    looked = lead.form(path, act="preview", **fields(house)).text
    assert "6 reads: 2 cases read by one, 2 cases by 2 (overlap); 2 sub-batches." in looked
    assert "0.1 reader hours" in looked
    assert "The protocol asks for 2 reads of each case" in looked
    assert "<svg" in looked
    assert view_tasks(house.store, house.project) == before
    assert get_plan(house.store, house.project) is None
    reply = lead.form(path, act="write", **fields(house))
    assert reply.status_code == 303
    tasks = view_tasks(house.store, house.project)
    assert Counter(one.role for one in tasks) == {"only": 2, "overlap": 4}
    page = lead.get(reply.headers["location"]).text
    assert "Written: plan 1" in page
    assert "0 of 6 reads done" in page


def test_each_reader_reads_what_the_plan_gives_them(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    lead.form(path, act="write", **fields(house))
    mine = {
        who: [one.case for one in view_tasks(house.store, house.project)
              if one.planned_for == house.people[who].id]
        for who in ("reader", "other")
    }  # fmt: skip
    for who, cases in mine.items():
        got = []
        while tasks := house.tasks(who):
            assert house.read(who, tasks[0], {"fractures": []}).status_code == 200
            got.append(tasks[0]["case"]["id"])
        assert got == cases
    assert "6 of 6 reads done" in lead.get(path).text


def test_who_comes_and_goes_is_told_and_planned_again(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    lead.form(path, act="write", **fields(house, overlap="0"))
    (task,) = house.tasks("reader")
    house.read("reader", task, {"fractures": []})
    lead_id, other = house.people["lead"].id, house.people["other"].id
    set_readers(house.store, house.project, [other], by=lead_id)
    page = lead.get(path).text
    assert "Since it was written: 1 reader left with cases to read." in page
    assert lead.form(path, act="again").status_code == 303
    tasks = view_tasks(house.store, house.project)
    assert {one.planned_for for one in tasks if one.state == "open"} == {other}
    assert len({one.case for one in tasks}) == len(tasks) == 4
    assert "Since it was written" not in lead.get(path).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"overlap": "much"}, "overlap must be a number"),
        ({"overlap": "101"}, "overlap must be between 0 and 100 %"),
        ({"overlap_readers": "9"}, "overlap must have 9 readers qualified"),
        ({"gold": "5"}, "gold rate must be 0 where there is no hidden gold"),
        ({"reader": []}, "readers must be 1 or more"),
        ({"reader": ["nobody"]}, "readers must read in the project"),
        ({"seed": "-1"}, "seed must be a whole number"),
        ({"repeats": "50", "distance": "500"}, "distance"),
    ],
)
def test_what_cannot_be_is_refused_in_words(house: House, change: Any, words: str) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    before = view_tasks(house.store, house.project)
    for act in ("preview", "write"):
        reply = lead.form(path, act=act, **(fields(house) | change))
        assert reply.status_code == 422
        assert words in reply.text
    assert view_tasks(house.store, house.project) == before


def test_without_a_token_or_a_plan_nothing_is_written(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    reply = lead.client.post(path, data=fields(house) | {"act": "write"}, follow_redirects=False)
    assert reply.status_code == 403
    reply = lead.form(path, act="again")
    assert reply.status_code == 422
    assert "plan must be written before" in reply.text
    assert get_plan(house.store, house.project) is None


def test_sizes_are_told(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    query = "measure=kappa&expected=0.6&half_width=0.1&prevalence=30&readers=2"
    page = lead.get(f"{path}?{query}").text
    assert "304" in page
    assert "fewest" in page
    refused = lead.get(f"{path}?{query.replace('0.6', 'lots')}").text
    assert "expected must be a number" in refused
    refused = lead.get(f"{path}?{query.replace('readers=2', 'readers=1')}").text
    assert "must be 2 or more for agreement" in refused


def test_reads_on_demand_are_told(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    assert "Reads on demand" not in lead.get(path).text
    text = """title: Fractures
reads: {on_demand: {at_least: 1, at_most: 2, sure: 0.9}}
questions:
  - {id: seen, prompt: Seen, kind: nominal, classes: [no, yes]}
"""
    add_protocol_version(house.store, house.project, text, lead.id, base_version=1)
    page = lead.get(path).text
    assert "No case is decided yet" in page
    for who in ("reader", "other"):
        for task in house.tasks(who, 4):
            house.read(who, task, {"seen": "no"})
    case = view_tasks(house.store, house.project)[0].case
    decide_cases(house.store, house.project, [Decision(case, "sure", 1, 0.97)])
    page = lead.get(path).text
    assert "1 case is decided with 1 read: 50 % fewer than 2 for each." in page
    assert "until its consensus is 90 % sure" in page


@pytest.mark.browser
def test_the_plan_in_a_browser(house: House, browser: Any) -> None:
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(f"{address}/projects/{house.project}")
        page.get_by_role("link", name="Plan", exact=True).click()
        page.get_by_label("Overlap, % of the cases").fill("50")
        page.get_by_label("Readers of the overlap").fill("2")
        page.get_by_label("Reads of each case").fill("1")
        page.get_by_label("Reads of a sub-batch").fill("1")
        page.get_by_role("button", name="Show what this gives").click()
        page.get_by_role("button", name="Write the plan").wait_for()
        assert "2 cases by 2 (overlap)" in page.locator("main").inner_text()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= page.viewport_size["width"]
        page.get_by_role("button", name="Write the plan").click()
        page.wait_for_url("**/plan?written=yes")
        figure = page.locator(".plan-picture svg").first
        assert "0 of 6 reads done" in str(figure.get_attribute("aria-label"))
        assert figure.locator("rect.overlap").count() >= 2
        house.read("reader", house.tasks("reader")[0], {"fractures": []})
        page.reload()
        done = figure.locator("rect.done")
        shares = [float(done.nth(k).get_attribute("fill-opacity")) for k in range(done.count())]
        assert sum(one > 0 for one in shares) == 1
        told = re.search(r"(\d) of 6 reads done", page.locator("main").inner_text())
        assert told
        assert told[1] == "1"


def test_a_large_project_is_counted_beside_the_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/plan"
    lead.form(path, act="write", **fields(house))
    small = lead.get(path).text
    monkeypatch.setattr("overread.app.study.plan_counts.FEW_CASES", 2)
    first = lead.get(path).text
    assert "Counting 4 cases" in first
    assert "live.js" in first
    page = first
    for _ in range(600):
        if "Counting" not in page:
            break
        time.sleep(0.05)
        page = lead.get(path).text
    assert page == small
    house.read("reader", house.tasks("reader")[0], {"fractures": []})
    assert "live.js" not in lead.get(path).text  # the last count, until the next is made
    # of another plan than the one in force nothing is shown
    lead.form(path, act="write", **fields(house, overlap="0"))
    assert "of 6 reads done" not in lead.get(path).text
