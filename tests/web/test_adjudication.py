"""Adjudication by the API: who may, what they see of whom, what comes of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from overread.app.study.export_labels import export_labels
from overread.exchange import read_table
from overread.store import list_users, reads_of_case
from tests.web.conftest import House, open_house

GRADES = """title: Knees
reads_per_case: 2
questions:
  - id: grade
    prompt: Which grade?
    kind: nominal
    classes:
      - {name: None, weight: 1}
      - {name: Mild}
      - {name: Severe, weight: 5}
"""


def box(x: float = 5.0, **more: Any) -> dict[str, Any]:
    return {"id": "made-by-rhea", "class": "Fracture", "frame": 0, "x1": x, "y1": 5.0,
            "x2": x + 10, "y2": 15.0, **more}  # fmt: skip


def with_senior(house: House) -> None:
    """A senior of no other role; the readers Rhea and Otto stay."""
    senior = house.people.setdefault("senior", house.join("reader", "sena@example.org", "Sena"))
    lead = house.people["lead"]
    ids = [house.people[one].id for one in ("reader", "other")]
    fields = {"reader": ids, "lead": [lead.id], "leads": "yes", "senior": [senior.id]}
    assert lead.form(f"/projects/{house.project}/members", **fields).status_code == 303


def differing(house: House, answers: list[tuple[Any, Any]], question: str) -> list[str]:
    """Both readers read the cases in the same order; what they say differs."""
    cases: list[str] = []
    for pair in answers:
        for who, answer in zip(("reader", "other"), pair, strict=True):
            (task,) = house.tasks(who)
            comment = f"{who} was here: Rhea Reader and otto@example.org"
            reply = house.read(who, task, {question: answer}, comment=comment)
            assert reply.status_code == 200, reply.text
        cases.append(task["case"]["id"])
    return cases


@pytest.fixture
def boxes(house: House) -> tuple[House, list[str]]:
    with_senior(house)
    return house, differing(house, [([box()], []), ([box()], [box()])], "fractures")


def queue(house: House, who: str = "senior") -> Any:
    return house.people[who].get(f"/api/projects/{house.project}/adjudications")


def opened(house: House, case: str | None = None, who: str = "senior") -> Any:
    path = f"/api/projects/{house.project}/adjudications"
    return house.people[who].post(path, {"case": case})


def test_what_waits_is_what_readers_differ_on(boxes: tuple[House, list[str]]) -> None:
    house, (disputed, _) = boxes
    found = queue(house).json()
    assert [one["case"] for one in found["waiting"]] == [disputed]
    (row,) = found["waiting"]
    assert "1, 0 drawn" in row["why"][0]
    assert (found["count"], found["own"], found["decided"], found["ready"]) == (1, 0, 0, True)
    assert queue(house, "lead").json()["count"] == 1
    assert queue(house, "reader").status_code == 404
    page = house.people["senior"].get(f"/projects/{house.project}/adjudication").text
    assert "One case waits" in page
    assert f"/projects/{house.project}/adjudication" in house.people["senior"].get("/home").text


def test_nothing_a_senior_gets_tells_who_read(boxes: tuple[House, list[str]]) -> None:
    house, (case, _) = boxes
    reply = opened(house, case)
    assert reply.status_code == 200, reply.text
    path = f"/api/adjudications/{reply.json()['id']}"
    senior = house.people["senior"]
    told = [reply.text, queue(house).text, senior.get(path).text,
            senior.get(f"/projects/{house.project}/adjudication/{case}").text,
            senior.get(f"/projects/{house.project}/adjudication").text]  # fmt: skip
    secret = ["made-by-rhea"]
    for one in reads_of_case(house.store, case):
        secret += [one.id, one.task, one.reader, one.submitted[:19]]
    for one in list_users(house.store):
        if one.id not in {senior.id, house.people["lead"].id}:
            secret += [one.name, one.email, one.name.split()[0]]
    for text in told:
        for word in secret:
            assert not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE), word
    assert [one["letter"] for one in reply.json()["reads"]] == ["A", "B"]
    assert {json.dumps(one["flags"]) for one in reply.json()["reads"]}
    for what in ("reads", "consensus"):
        assert senior.get(f"/api/cases/{case}/{what}").status_code == 403
    frame = senior.get(f"/api/cases/{case}/frames/0")
    assert frame.status_code == 200


def test_who_read_a_case_does_not_decide_on_it(boxes: tuple[House, list[str]]) -> None:
    house, (case, _) = boxes
    lead = house.people["lead"]
    ids = [house.people[one].id for one in ("reader", "other")]
    fields = {"reader": ids, "lead": [lead.id], "leads": "yes", "senior": [ids[0]]}
    assert lead.form(f"/projects/{house.project}/members", **fields).status_code == 303
    found = queue(house, "reader").json()
    assert (found["count"], found["own"]) == (0, 1)
    reply = opened(house, case, "reader")
    assert reply.status_code == 409
    assert "read by you" in reply.json()["error"]["rule"]
    assert opened(house, None, "reader").status_code == 404
    assert opened(house, case, "other").status_code == 404


def test_a_senior_who_reads_is_told_nothing_of_what_they_may_be_given(tmp_path: Any) -> None:
    house = open_house(tmp_path, protocol=GRADES, cases=2)
    with_senior(house)
    disputed = differing(house, [("None", "Mild")], "grade")
    lead, senior = house.people["lead"], house.people["senior"]
    assert queue(house).json()["count"] == 1
    text = GRADES.replace("reads_per_case: 2", "reads_per_case: 3")
    path = f"/projects/{house.project}"
    assert lead.form(f"{path}/protocol", text=text, base="1").status_code == 303
    ids = [house.people[one].id for one in ("reader", "other", "senior")]
    fields = {"reader": ids, "lead": [lead.id], "leads": "yes", "senior": [senior.id]}
    assert lead.form(f"{path}/members", **fields).status_code == 303
    assert queue(house).json()["waiting"] == []  # a third read of it is still to be given
    assert set(disputed) < {one["case"]["id"] for one in house.tasks("senior", 5)}
    assert queue(house).json()["own"] == 1
    house.store.close()


def test_a_pick_becomes_the_reference_standard(
    boxes: tuple[House, list[str]], tmp_path: Any
) -> None:
    house, (case, agreed) = boxes
    senior = house.people["senior"]
    look = opened(house).json()
    assert look["case"]["id"] == case
    letter = next(one["letter"] for one in look["reads"] if not one["answer"]["fractures"])
    path = f"/api/adjudications/{look['id']}/decide"
    assert senior.post(path, {"pick": letter, "reason": ""}).status_code in {400, 422}
    assert senior.post(path, {"reason": "neither"}).status_code in {400, 422}
    assert senior.post(path, {"pick": "Z", "reason": "x"}).status_code in {400, 422}
    assert house.people["lead"].post(path, {"pick": letter, "reason": "x"}).status_code == 404
    body = {"pick": letter, "reason": "only a vessel", "seconds": 4}
    assert senior.post(path, body).status_code == 200
    assert senior.post(path, body).status_code == 200  # the same again is kept once
    assert queue(house).json()["decided"] == 1
    said = house.people["lead"].get(f"/api/cases/{case}/consensus").json()
    assert said["reference"] is True
    assert said["answer"] == {"fractures": []}
    assert "decided by a senior" in said["posterior"]["fractures"]
    file = export_labels(house.store, house.project, tmp_path, what="consensus", form="csv")
    table = read_table(file)
    of = {row["case"]: row for row in table.iter_rows(named=True)}
    assert of[case]["label"] == "no finding"
    assert {name: str(row["reference"]).lower() for name, row in of.items()} == {
        case: "true", agreed: "false",
    }  # fmt: skip
    assert json.loads(of[case]["consensus"])["references"] == 1
    lead = house.people["lead"]
    reply = lead.form(f"/cases/{case}/reference/withdraw", words="the wrong wrist")
    assert reply.status_code == 303
    assert lead.get(f"/api/cases/{case}/consensus").json()["reference"] is False
    assert queue(house).json()["count"] == 1


def test_an_answer_anew_is_checked_as_every_answer(boxes: tuple[House, list[str]]) -> None:
    house, (case, _) = boxes
    path = f"/api/adjudications/{opened(house, case).json()['id']}/decide"
    senior = house.people["senior"]
    wrong = {"answer": {"fractures": [box(class_="x") | {"class": "Nonsense"}]}, "reason": "x"}
    assert senior.post(path, wrong).status_code == 422
    right = {"answer": {"fractures": [box(7)]}, "reason": "a hairline"}
    assert senior.post(path, right).status_code == 200
    said = house.people["lead"].get(f"/api/cases/{case}/consensus").json()
    assert said["answer"]["fractures"][0]["x1"] == 7


def test_sent_back_the_readers_see_the_question_and_no_other_read(
    boxes: tuple[House, list[str]],
) -> None:
    house, (case, _) = boxes
    look = opened(house, case).json()
    path = f"/api/adjudications/{look['id']}/send-back"
    senior = house.people["senior"]
    reply = senior.post(path, {"question": "Is the dark line a vessel?"})
    assert (reply.status_code, reply.json()) == (200, {"asked": 2})
    assert senior.post(path, {"question": "again"}).status_code == 409
    found = queue(house).json()
    assert (found["count"], found["sent_back"]) == (0, 1)
    for who, own in (("reader", [box()]), ("other", [])):
        tasks = house.tasks(who, 5)
        (task,) = [one for one in tasks if one["case"]["id"] == case]
        assert task["asked"] == {"why": "adjudication", "words": "Is the dark line a vessel?"}
        assert task["draft"]["answer"] == {"fractures": own}
        assert all(one["asked"] is None for one in tasks if one is not task)
        assert house.read(who, task, {"fractures": [box(9)]}).status_code == 200
    # both agree now: nothing waits, and what they say now is the consensus
    assert queue(house).json()["count"] == 0
    said = house.people["lead"].get(f"/api/cases/{case}/consensus").json()
    assert said["answer"]["fractures"][0]["x1"] == 9
    look = opened(house, case).json()
    assert look["asked"] == ["Is the dark line a vessel?"]


def test_the_weight_of_a_class_orders_the_queue(tmp_path: Any) -> None:
    house = open_house(tmp_path, protocol=GRADES, cases=2)
    with_senior(house)
    light, heavy = differing(house, [("None", "Mild"), ("Mild", "Severe")], "grade")
    found = queue(house).json()["waiting"]
    assert [(one["case"], one["weight"]) for one in found] == [(heavy, 5.0), (light, 1.0)]
    assert found[0]["why"] == ["Which grade? 1 says Mild, 1 says Severe"]
    house.store.close()
