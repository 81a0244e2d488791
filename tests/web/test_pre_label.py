"""Pre-labels reach a reader as the protocol says; looks are logged; their pull is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.app.learning.pre_label import kept_hidden
from overread.app.learning.pre_label_anchoring import anchoring
from overread.app.learning.pre_label_hints import find_hints
from overread.app.quality.truthing_blinding import blinding
from overread.store import NewGold, add_gold
from overread.store.learning.pre_labels import each_shown
from tests.web.conftest import House, copied, open_house

TEXT = """
title: Grades
reads_per_case: 2
pre_label: {{show: {show}, keep_hidden: {hidden}, hints: {hints}}}
questions:
  - {{id: grade, prompt: Grade, kind: ordinal, classes: ["0", "1", "2"]}}
  - {{id: spots, prompt: Spots, kind: box, classes: [spot]}}
"""


def text(show: str = "on demand", *, hidden: float = 0.0, hints: bool = True) -> str:
    return TEXT.format(show=show, hidden=hidden, hints=str(hints).lower())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    folder = tmp_path_factory.mktemp("grades")
    made = open_house(folder, protocol=text(), cases=12)
    yield folder, made
    made.store.close()


@pytest.fixture
def grades(model: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    made = copied(*model, tmp_path)
    yield made
    made.store.close()


def box(x: float = 4.0) -> dict[str, Any]:
    return {"id": "p1", "class": "spot", "frame": 0, "x1": x, "y1": 5.0, "x2": 20.0, "y2": 15.0}


def bring(house: House, who: str = "lead", **more: Any) -> Any:
    lead = house.people["lead"]
    cases = lead.get(f"/api/projects/{house.project}/cases").json()["cases"]
    body = {
        "model": "net",
        "version": "1.2",
        "proposals": [
            {"case": one["name"], "answer": {"grade": "1", "spots": [box()]}, "confidence": 0.8}
            for one in cases
        ],
    }
    return house.people[who].post(f"/api/projects/{house.project}/pre-labels", body | more)


def ask(house: House, task: Any, what: str = "pre-label", who: str = "reader", **body: Any) -> Any:
    return house.people[who].post(f"/api/tasks/{task['id']}/{what}", body)


def protocol(house: House, made: str, base: int = 1) -> None:
    lead = house.people["lead"]
    body = {"protocol": made, "base": base}
    reply = lead.post(f"/api/projects/{house.project}/protocol/versions", body)
    assert reply.status_code == 201, reply.text


def test_on_demand_it_is_given_and_logged_once(grades: House) -> None:
    assert bring(grades).json() == {"cases": 12, "strange": 0}
    (task,) = grades.tasks("reader")
    assert task["draft"] is None
    told = ask(grades, task, marked=True).json()
    assert told["answer"] == {"grade": "1", "spots": [box()]}
    by = {"model": "net", "version": "1.2", "confidence": 0.8}
    assert told["by"] == [{"question": "grade", **by}, {"question": "spots", **by}]
    assert ask(grades, task).json() == told
    words = " ".join(blinding(grades.store, grades.project))
    assert "(the proposal of a model: net 1.2) was shown as an editable start in 1 task" in words
    assert "in 0 of them before" in words
    assert "a model's guess" not in words
    (shown,) = each_shown(grades.store, grades.project)
    assert (shown.task, shown.reader, shown.how, shown.marked) == (
        task["id"],
        grades.people["reader"].id,
        "asked",
        True,
    )
    assert grades.read("reader", task, {"grade": "2", "spots": []}).status_code == 200
    (read,) = grades.people["lead"].get(f"/api/cases/{task['case']['id']}/reads").json()["reads"]
    assert read["pre_label"] == "after"
    assert ask(grades, task, who="other").status_code == 404
    assert ask(grades, task, who="nobody").status_code == 401


def test_a_reader_may_not_bring_or_look_over_them(grades: House) -> None:
    assert bring(grades, "reader").status_code == 403
    assert (
        grades.people["reader"].get(f"/api/projects/{grades.project}/pre-labels").status_code == 403
    )


NOTHING = {"answer": None, "by": []}


HIDDEN = (text("hidden"), text("shown", hidden=0.999999), text("on demand", hidden=0.999999))


def test_hidden_is_hidden_in_the_api(grades: House) -> None:
    bring(grades)
    for base, made in enumerate(HIDDEN, start=1):
        protocol(grades, made, base)
        (task,) = grades.tasks("reader")
        assert ask(grades, task).json() == NOTHING
        assert list(each_shown(grades.store, grades.project)) == []
        assert "net" not in str(task)
        assert "a model's guess" in blinding(grades.store, grades.project)[0]


def test_gold_and_finished_reads_are_blind(grades: House) -> None:
    bring(grades)
    first, second = grades.tasks("reader", 2)
    gold = NewGold(first["case"]["id"], {"grade": "1"}, 1, "hidden")
    add_gold(grades.store, grades.project, [gold], grades.people["lead"].id)
    assert ask(grades, first).json() == NOTHING
    assert ask(grades, first, "hints").json() == {"hints": []}
    assert grades.read("reader", second, {"grade": "1", "spots": []}).status_code == 200
    assert ask(grades, second).json() == NOTHING


def test_without_a_pre_label_there_is_none(grades: House) -> None:
    (task,) = grades.tasks("reader")
    assert ask(grades, task).json() == NOTHING


def test_what_no_longer_fits_the_protocol_is_left_out(grades: House) -> None:
    bring(grades)
    protocol(grades, text().replace('["0", "1", "2"]', '["0", "2"]'))
    (task,) = grades.tasks("reader")
    assert set(ask(grades, task).json()["answer"]) == {"spots"}


BAD: tuple[tuple[list[Any], str], ...] = (
    ([{"answer": {"grade": "7"}}], "grade"),
    ([{"answer": {"spots": [{**box(), "x2": 900.0}]}}], "spots"),
    ([{"answer": {"grade": "1"}}] * 2, "once"),
    ([{"case": "nowhere", "answer": {"grade": "1"}}], "cases of the project"),
    ([{"answer": {}}], "answer a question"),
    ([{"answer": {"grade": "1"}, "confidence": 2}], "confidence"),
    ([], "proposals"),
)


def test_bad_proposals_are_named_and_nothing_is_kept(grades: House) -> None:
    lead = grades.people["lead"]
    name = lead.get(f"/api/projects/{grades.project}/cases").json()["cases"][0]["name"]
    for proposals, words in BAD:
        reply = bring(grades, proposals=[{"case": name, **one} for one in proposals])
        assert reply.status_code == 422
        assert words in reply.text
    (task,) = grades.tasks("reader")
    assert ask(grades, task).json() == NOTHING


def test_hints_are_places_and_logged_apart(grades: House) -> None:
    assert find_hints(grades.store, grades.blobs, grades.project) == 12
    (task,) = grades.tasks("reader")
    found = ask(grades, task, "hints").json()["hints"]
    for one in found:
        assert 0 <= one["x1"] < one["x2"] <= 60
        assert 0 <= one["y1"] < one["y2"] <= 40
    kept = list(each_shown(grades.store, grades.project, what="hints"))
    assert len(kept) == (1 if found else 0)
    assert list(each_shown(grades.store, grades.project)) == []


def test_its_pull_is_measured_between_the_cases_of_the_lot(grades: House) -> None:
    """Readers take what they are shown; where the lot hides it, they say something else."""
    bring(grades)
    share = 0.5
    protocol(grades, text("shown", hidden=share))
    seen = 0
    while tasks := grades.tasks("reader"):
        (task,) = tasks
        told = ask(grades, task).json()["answer"]
        assert (told is None) == kept_hidden(grades.project, task["case"]["id"], share)
        seen += told is not None
        answer = told or {"grade": "2", "spots": []}
        assert grades.read("reader", task, answer).status_code == 200
    protocol(grades, text("hidden"), 2)
    (last,) = grades.tasks("other")
    assert grades.read("other", last, {"grade": "0", "spots": []}).status_code == 200
    lead = grades.people["lead"]
    for _ in range(2400):
        state = lead.get(f"/api/projects/{grades.project}/pre-labels").json()
        if state["looked"] and len(state["anchoring"]) == 2:
            break
        time.sleep(0.05)
    assert state["models"][0]["cases"] == 12
    (grade, spots) = state["anchoring"]
    assert (grade["seen"]["cases"], grade["hidden"]["cases"]) == (seen, 12 - seen)
    assert (grade["seen"]["agreement"], grade["hidden"]["agreement"]) == (1.0, 0.0)
    assert grade["offered"] == grade["seen"]  # what was read while all is hidden says nothing
    assert (spots["unchanged"], spots["before"]) == (1.0, 1.0)
    page = lead.get(f"/projects/{grades.project}/quality").text
    assert "Pre-labels" in page
    assert "net 1.2" in page
    gold = NewGold(last["case"]["id"], {"grade": "1"}, 1, "hidden")
    add_gold(grades.store, grades.project, [gold], lead.id)
    (fewer, _) = anchoring(grades.store, grades.project)
    assert fewer.seen.cases + fewer.hidden.cases == 11  # gold is blind by a rule, not by lot


def until(house: House, words: str) -> str:
    """The page, when it says so."""
    path, shown = f"/projects/{house.project}/pre-labels", ""
    for _ in range(2400):
        shown = house.people["lead"].get(path).text
        if words in shown:
            return shown
        time.sleep(0.05)
    pytest.fail(f"the page does not say {words!r}: {shown[-3000:]}")


def send(house: House, name: str, content: bytes, **fields: str) -> Any:
    lead = house.people["lead"]
    data = {"csrf": lead.csrf, "question": "grade", "model": "grader", "version": "3", **fields}
    path = f"/projects/{house.project}/pre-labels/file"
    files = [("files", (name, content, "application/octet-stream"))]
    return lead.client.post(path, data=data, files=files, follow_redirects=False)


def test_the_page_teaches_brings_shows_and_withdraws(grades: House) -> None:
    lead, path = grades.people["lead"], f"/projects/{grades.project}/pre-labels"
    empty = lead.get(path).text
    assert "A first guess that readers correct" in empty
    assert "This project learns no classes yet" in empty
    cases = lead.get(f"/api/projects/{grades.project}/cases").json()["cases"]
    rows = [f"{one['name']},1,0.{7 + at % 2}" for at, one in enumerate(cases)]
    table = "\n".join(["case,label,confidence", *rows, "elsewhere,2,0.5"])
    for name, content, fields, words in (
        ("a.csv", table.encode(), {"model": " "}, "model must have a name"),
        ("a.csv", table.encode(), {"question": "none"}, "question must be one of grade, spots"),
    ):
        refused = send(grades, name, content, **fields)
        assert refused.status_code == 422
        assert words in refused.text
    assert send(grades, "a.csv", table.replace(",1,", ",7,").encode()).status_code == 303
    assert "Nothing was brought" in until(grades, "label must")
    assert send(grades, "a.csv", table.encode()).status_code == 303
    shown = until(grades, "12 cases have a pre-label of it. 1 named in the file")
    assert "grader" in shown
    assert "12 of 12 cases have one" in shown
    show = {"do": "show", "show": "shown", "keep_hidden": "25"}
    assert lead.form(path, **show).status_code == 303
    assert "at once, except in 25 % of the cases" in lead.get(path).text
    assert ask(grades, grades.tasks("reader")[0]).status_code == 200
    for fields in ({"do": "show", "show": "always", "keep_hidden": "2"}, {"do": "x"},
                   {"do": "train", "steps": "none"}, {"do": "earlier", "model": "x"}):  # fmt: skip
        assert lead.form(path, **fields).status_code == 422
    of = {"do": "withdraw", "question": "grade", "model": "grader", "version": "3"}
    assert lead.form(path, **of).status_code == 303
    assert "A first guess that readers correct" in lead.get(path).text
    assert lead.form(path, **of).status_code == 404
    assert lead.form(path, do="hints").status_code == 303
    assert "Hints for 12 cases" in until(grades, "12 images looked at")
    assert lead.form(path, do="withdraw-hints").status_code == 303
    assert grades.people["reader"].get(path).status_code == 403
