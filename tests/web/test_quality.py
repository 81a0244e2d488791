"""The quality page and an alarm: what a lead sees and decides, and who else may not."""

from __future__ import annotations

from typing import Any

from overread.store import list_alarms, list_pauses, raise_alarm
from tests.web.conftest import House

TOLD: dict[str, Any] = {
    "question": "q",
    "prompt": "What is seen",
    "metric": "log_area",
    "name": "size of the boxes",
    "scale": "log",
    "chart": "change",
    "side": "down",
    "words": "boxes 31 % smaller (than before), over the last 24 overlap reads",
    "reads": 24,
    "effect": {"metric": "log_area", "name": "size", "unit": "", "value": -0.37, "low": -0.4,
               "high": -0.3, "reads": 24, "words": "boxes 31 % smaller"},
    "effects": [],
    "worst": [],
    "points": [
        {"number": 0, "case": "a", "value": 0.01, "evidence": 0.1},
        {"number": 1, "case": "b", "value": -0.4, "evidence": 1.1},
    ],
    "since": 1,
    "last_good_event": None,
}  # fmt: skip


def alarm(house: House, *, pause: str = "Paused: look at the atlas again.") -> str:
    reader = house.people["reader"].id
    made = raise_alarm(house.store, house.project, reader, TOLD, pause=pause)
    assert made is not None
    return made


def test_an_alarm_is_the_first_thing_on_the_overview_and_leads_to_its_decision(
    house: House,
) -> None:
    lead, key = house.people["lead"], alarm(house)
    overview = lead.get(f"/projects/{house.project}").text
    assert "boxes 31 % smaller" in overview
    assert f'href="/projects/{house.project}/quality">Look at it</a>' in overview
    assert f'href="/alarms/{key}"' in lead.get(f"/projects/{house.project}/quality").text
    page = lead.get(f"/alarms/{key}").text
    assert "Boxes 31 % smaller" in page
    assert "No case was read by two others yet" in page
    form = {"decision": "released", "reason": ""}
    assert lead.form(f"/alarms/{key}/decide", **form).status_code == 422
    form["reason"] = "Talked it over <script>alert(1)</script>."
    assert lead.form(f"/alarms/{key}/decide", **form).status_code == 303
    assert "<script>alert" not in lead.get(f"/alarms/{key}").text
    assert list_pauses(house.store, house.project) == {}
    assert list_alarms(house.store, house.project)[0].state == "released"
    again = lead.form(f"/alarms/{key}/decide", **form)
    assert again.status_code == 422
    assert "was decided" in again.text


def test_a_paused_reader_is_told_and_gets_nothing_new(house: House) -> None:
    reader = house.people["reader"]
    alarm(house)
    path = f"/api/projects/{house.project}"
    assert reader.post(f"{path}/claim", {"count": 2}).json()["tasks"] == []
    told = reader.get(f"{path}/progress").json()
    assert told["paused"] == "Paused: look at the atlas again."


def test_a_check_without_cases_and_a_wrong_number_are_refused_in_words(house: House) -> None:
    lead, key = house.people["lead"], alarm(house)
    for count, words in (("5", "two others read"), ("0", "must be 1 to 1000"), ("x", "1 to 1000")):
        reply = lead.form(f"/alarms/{key}/check", count=count)
        assert reply.status_code == 422
        assert words in reply.text


def test_a_lead_pauses_and_releases_by_hand(house: House) -> None:
    lead = house.people["lead"]
    reader = house.people["reader"].id
    path = f"/projects/{house.project}/readers/{reader}/pause"
    assert lead.form(path, what="pause", reason="On leave.").status_code == 303
    assert list_pauses(house.store, house.project)[reader].reason == "On leave."
    assert "On leave." in lead.get(f"/projects/{house.project}/quality").text
    assert lead.form(path, what="pause", reason="Twice.").status_code == 422
    assert lead.form(path, what="release", reason="Back.").status_code == 303
    assert list_pauses(house.store, house.project) == {}


def test_another_lead_finds_no_such_alarm(house: House) -> None:
    key = alarm(house)
    assert house.people["reader"].get(f"/alarms/{key}").status_code == 403
    assert (
        house.people["lead"].get("/alarms/0d9ad75d-37a7-4fb4-9d2c-5b5f8b0f2f11").status_code == 404
    )
