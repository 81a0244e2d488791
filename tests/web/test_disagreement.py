"""The page of disagreement: what is shown, filtered, and sent to adjudication."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import House

BOX = {"id": "b", "class": "Fracture", "frame": 0, "x1": 2, "y1": 3, "x2": 20, "y2": 30}


@pytest.fixture
def disputed(house: House) -> House:
    """Three cases of four are disputed; one of these weighs less."""
    for who in ("reader", "other"):
        for at, task in enumerate(sorted(house.tasks(who, 4), key=lambda one: one["case"]["id"])):
            boxes = [BOX] if who == "reader" or at == 0 else []
            boxes += [BOX | {"x1": 30, "x2": 50, "id": "c"}] if at == 1 and who == "reader" else []
            reply = house.read(who, task, {"fractures": boxes, "certainty": "Sure"})
            assert reply.status_code == 200, reply.text
    return house


def test_an_empty_project_says_what_will_stand_here(house: House) -> None:
    path = f"/projects/{house.project}/disagreement"
    assert "Nothing was read twice yet" in house.people["lead"].get(path).text
    for who in ("reader", "other"):
        assert house.people[who].get(path).status_code == 403
        assert house.people[who].form(path).status_code == 403


def test_cases_classes_and_pairs_are_told_and_filtered(disputed: House) -> None:
    lead, path = disputed.people["lead"], f"/projects/{disputed.project}/disagreement"
    page = lead.get(path).text
    assert "3 of 4 cases that several read are disputed." in page
    assert "3 of 4</span>" in page  # of those where anybody named a fracture
    assert len(re.findall(r'<li class="card">', page)) == 3
    assert "Rhea Reader and Otto Other" in page or "Otto Other and Rhea Reader" in page
    none = lead.get(path, params={"question": "certainty"}).text
    assert "No case like this is disputed." in none
    some = lead.get(path, params={"class": "Fracture", "after": 2}).text
    assert len(re.findall(r'<li class="card">', some)) == 1
    assert lead.get(path, params={"pair": "x"}).status_code == 422
    assert lead.get(path, params={"after": -1}).status_code == 422


def test_what_is_sent_comes_first_in_adjudication(disputed: House) -> None:
    lead, path = disputed.people["lead"], f"/projects/{disputed.project}/disagreement"
    queue = f"/api/projects/{disputed.project}/adjudications"
    before = [one["case"] for one in lead.get(queue).json()["waiting"]]
    last = before[-1]
    reply = lead.form(path, case=last)
    assert reply.status_code == 303
    assert "One case was sent" in lead.get(reply.headers["location"]).text
    assert [one["case"] for one in lead.get(queue).json()["waiting"]] == [last, *before[:-1]]
    assert "in adjudication" in lead.get(path).text
    assert "sent by the lead" in lead.get(f"/projects/{disputed.project}/adjudication").text
    reply = lead.form(f"{path}?class=Fracture", least="0", **{"class": "Fracture"})
    assert reply.headers["location"].endswith("class=Fracture&sent=2")
    for wrong in ({"least": "x"}, {"least": "-1"}, {"case": "0" * 36}, {"least": "9"}):
        assert lead.form(path, **wrong).status_code == 422, wrong
