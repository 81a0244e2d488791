"""Re-alignment by the pages and the API: what a paused reader is shown, and never is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from overread.store import decide_alarm, list_alarms, raise_alarm, read_events
from tests.web.conftest import House, open_house
from tests.web.test_quality import TOLD

PROTOCOL = """title: Fractures
reads_per_case: 3
questions:
  - {id: q, prompt: Box each fracture, kind: box, classes: [fracture]}
  - {id: side, prompt: Which side, kind: nominal, classes: [left, right], required: no}
watch: {on_alarm: pause, feedback: lead}
guideline: |
  # Fractures
  The box holds both cortices.
  # Light
  Dim the room.
atlas:
  - {id: whole, question: q, class: fracture, do: true, why: Both cortices are inside.}
"""
OFF = {"reader": 0.0, "other": 3.0, "third": 5.0}


def answer(who: str, side: float = 12.0) -> dict[str, Any]:
    """A box whose corners tell whose it is."""
    at = 10 + OFF[who]
    box = {"id": who, "class": "fracture", "frame": 0}
    return {"q": [{**box, "x1": at, "y1": at, "x2": at + side, "y2": at + side}], "side": "left"}


@pytest.fixture
def house(tmp_path: Any) -> Any:
    made = open_house(tmp_path, protocol=PROTOCOL, cases=4)
    made.people["third"] = made.join("reader", "tom@example.org", "Tom Third")
    ids = [made.people[who].id for who in OFF]
    made.people["lead"].form(f"/projects/{made.project}/members", reader=ids)
    yield made
    made.store.close()


def read(house: House, who: str, count: int) -> list[Any]:
    tasks = []
    for _ in range(count):
        tasks += house.tasks(who)
        reply = house.read(who, tasks[-1], answer(who), comment=f"secret of {who}")
        assert reply.status_code == 200, reply.text
    return tasks


def alarm(house: House, cases: list[str]) -> str:
    told = TOLD | {"worst": [{"case": one, "score": 3.0} for one in cases]}
    made = raise_alarm(house.store, house.project, house.people["reader"].id, told, pause="Look.")
    assert made is not None
    return made


def shown(house: House, who: str = "reader") -> Any:
    reply = house.people[who].get(f"/api/projects/{house.project}/feedback")
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_paused_reader_sees_their_answer_beside_the_others_together(house: House) -> None:
    lead, reader = house.people["lead"], house.people["reader"]
    tasks = read(house, "reader", 4)
    read(house, "other", 4)
    read(house, "third", 2)
    cases = [task["case"]["id"] for task in tasks]
    both = [one["case"] for one in _with_three(house, cases)]
    key = alarm(house, cases)
    assert shown(house)["cases"] == []  # the protocol waits for the lead
    assert lead.form(f"/alarms/{key}/feedback").status_code == 303
    assert lead.form(f"/alarms/{key}/feedback").status_code == 422

    told = shown(house)
    assert (told["words"], told["question"], told["left"]) == (TOLD["words"], "q", 2)
    # of the two cases that one other has read nothing is told
    assert sorted(one["case"] for one in told["cases"]) == sorted(both)
    one = told["cases"][0]
    assert one["mine"] == answer("reader")["q"]
    (box,) = one["others"]
    assert [box[side] for side in ("x1", "y1", "x2", "y2")] == [14, 14, 26, 26]
    assert (one["count"], told["atlas"]) == (2, ["whole"])
    assert "both cortices" in told["guideline"]
    assert "Dim the room" not in told["guideline"]

    page = reader.get(f"/projects/{house.project}/feedback").text
    assert "The others together" in page
    path = f"/projects/{house.project}/feedback"
    assert f"{path}" in reader.get("/home").text
    assert reader.form(path, case=both[0]).status_code == 303
    assert reader.post(f"/api{path}/{both[1]}/seen").status_code == 200
    assert shown(house)["left"] == 0
    assert "You have seen all 2" in reader.get(path).text
    assert "They have seen all of them" in lead.get(f"/alarms/{key}").text
    seen = [one for one in read_events(house.store) if one.action == "feedback_seen"]
    assert {one.actor for one in seen} == {reader.id}
    assert {json.loads(one.body)["case"] for one in seen} == set(both)


def _with_three(house: House, cases: list[str]) -> list[dict[str, Any]]:
    lead = house.people["lead"]
    found = [(one, lead.get(f"/api/cases/{one}/reads").json()["reads"]) for one in cases]
    return [{"case": one, "reads": reads} for one, reads in found if len(reads) == 3]


def test_no_name_no_id_and_no_single_read_of_another_is_told(house: House) -> None:
    tasks = read(house, "reader", 4)
    read(house, "other", 4)
    read(house, "third", 4)
    cases = [task["case"]["id"] for task in tasks]
    reads = [one for each in _with_three(house, cases) for one in each["reads"]]
    key = alarm(house, cases)
    house.people["lead"].form(f"/alarms/{key}/feedback")
    path = f"/projects/{house.project}/feedback"
    mine = house.people["reader"].id
    for text in (
        house.people["reader"].get(f"/api{path}").text,
        house.people["reader"].get(path).text,
    ):
        for who in ("other", "third"):
            assert house.people[who].id not in text
            assert house.people[who].email not in text
            assert f"secret of {who}" not in text
        for name in ("Otto", "Tom Third"):
            assert name not in text
        assert not any(one["read_id"] in text for one in reads)
        assert "west" not in text  # the other question is not shown
    others = [one["answer"]["q"] for one in reads if one["reader"] != mine]
    for one in json.loads(house.people["reader"].get(f"/api{path}").text)["cases"]:
        corners = [{side: box[side] for side in ("x1", "y1")} for box in one["others"]]
        assert all(
            {side: theirs[0][side] for side in ("x1", "y1")} not in corners for theirs in others
        )


def test_what_is_let_out_is_for_its_reader_alone_and_only_while_the_alarm_stands(
    house: House,
) -> None:
    tasks = read(house, "reader", 4)
    read(house, "other", 4)
    read(house, "third", 4)
    cases = [task["case"]["id"] for task in tasks]
    key = alarm(house, cases[:2])
    lead = house.people["lead"]
    assert house.people["reader"].form(f"/alarms/{key}/feedback").status_code == 403
    lead.form(f"/alarms/{key}/feedback")
    assert len(shown(house)["cases"]) == 2
    for who in ("other", "third"):
        assert shown(house, who)["cases"] == []
        reply = house.people[who].post(f"/api/projects/{house.project}/feedback/{cases[0]}/seen")
        assert reply.status_code == 404
    reply = house.people["reader"].post(f"/api/projects/{house.project}/feedback/{cases[3]}/seen")
    assert reply.status_code == 404
    # all other ways to another's read stay closed
    for path in (f"/api/cases/{cases[0]}/reads", f"/api/cases/{cases[0]}/consensus"):
        assert house.people["reader"].get(path).status_code == 403
    decide_alarm(house.store, key, "released", reason="Good.", by="system")
    assert shown(house)["cases"] == []
    reply = house.people["reader"].post(f"/api/projects/{house.project}/feedback/{cases[0]}/seen")
    assert reply.status_code == 404


def test_who_knows_what_the_others_said_corrects_their_read_no_more(house: House) -> None:
    tasks = read(house, "reader", 4)
    read(house, "other", 4)
    read(house, "third", 4)
    key = alarm(house, [tasks[0]["case"]["id"]])
    again = answer("reader", side=13)
    assert house.read("reader", tasks[0], again, base_revision=1).status_code == 200
    house.people["lead"].form(f"/alarms/{key}/feedback")
    reply = house.read("reader", tasks[0], again, base_revision=2)
    assert reply.status_code == 409
    assert "shown what the others said" in reply.text
    assert house.read("reader", tasks[1], again, base_revision=1).status_code == 200


def test_a_protocol_that_lets_nothing_out(tmp_path: Any) -> None:
    made = open_house(tmp_path, protocol=PROTOCOL.replace("feedback: lead", "feedback: none"))
    told = TOLD | {"worst": []}
    raise_alarm(made.store, made.project, made.people["reader"].id, told, pause="Look.")
    (row,) = list_alarms(made.store, made.project)
    lead = made.people["lead"]
    assert "shows readers nothing" in lead.get(f"/alarms/{row.id}").text
    reply = lead.form(f"/alarms/{row.id}/feedback")
    assert reply.status_code == 422
    assert "not let out by this protocol" in reply.text
    made.store.close()
