"""A new version changes what readers were qualified on: who is asked, what they read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.app.quality import gold_cases
from overread.app.quality.requalify import behind
from overread.store import (
    list_certificates,
    list_gold,
    open_store,
    read_events,
    rebuild,
    state_digests,
)
from overread.store.quality.requalify import list_requalifications
from tests.web.conftest import House, open_house
from tests.web.test_onboarding import ask, claim, fill_in, send, stands

TWO = """title: Fractures
reads_per_case: 2
questions:
  - {id: side, prompt: Which side, kind: nominal, classes: [left, right]}
  - id: grade
    prompt: Which grade
    kind: nominal
    classes: [none, some]
qualification:
  professions: [radiologist]
  least_cases: 2
  most_runs: 1
  on_change: WISH
"""
OLD: dict[str, Any] = {"side": "left", "grade": "some"}
NEW: dict[str, Any] = {"side": "left", "grade": "much"}


def changed(wish: str) -> str:
    return TWO.replace("WISH", wish).replace("[none, some]", "[none, some, much]")


@pytest.fixture(params=["ask", "again", "keep"])
def qualified(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, str]]:
    """Rhea is qualified under version 1; Otto by the lead's word."""
    house = open_house(tmp_path, protocol=TWO.replace("WISH", request.param), cases=8)
    lead = house.people["lead"]
    cases = lead.get(f"/api/projects/{house.project}/cases").json()["cases"]
    answers = {one["id"]: OLD for one in cases[:2]}
    gold_cases.gold_from_answers(house.store, house.project, answers, pool="training", by=lead.id)
    fill_in(house)
    passing(house, OLD)
    words = {"reader": house.people["other"].id, "what": "certificate", "reason": "Made the gold."}
    assert lead.form(f"/projects/{house.project}/onboarding/exempt", **words).status_code == 303
    assert claim(house).status_code == 200
    yield house, request.param
    house.store.close()


def passing(house: House, answer: Any) -> list[str]:
    cases = []
    reply = ask(house, begin=True)
    while trial := reply.json()["trial"]:
        cases.append(trial["case"]["id"])
        assert send(house, trial, answer).status_code == 200
        reply = ask(house)
    return cases


def save(house: House, text: str) -> None:
    body = {"protocol": text, "base": 1}
    body["ruling"] = {"choice": "none", "reason": "Nothing was much before.", "touched": {}}
    path = f"/api/projects/{house.project}/protocol/versions"
    reply = house.people["lead"].post(path, body)
    assert reply.status_code == 201, reply.text


def test_the_protocol_says_what_becomes_of_certificates(qualified: tuple[House, str]) -> None:
    house, wish = qualified
    lead, reader = house.people["lead"], house.people["reader"].id
    save(house, changed(wish))
    path = f"/projects/{house.project}/onboarding"
    found = behind(house.store, house.project)
    if wish == "keep":
        assert found is None
        assert reader in list_certificates(house.store, house.project)
        return
    if wish == "ask":
        assert found is not None
        assert [who for who, _ in found.readers] == [reader]  # Otto's is no matter of a score
        assert set(found.part) == {"grade"}
        page = lead.get(path).text
        assert "1 certificate is older than a change" in page
        assert "Which grade" in page
        assert claim(house).status_code == 200  # they read on until somebody decides
        done = lead.form(f"{path}/certificates", choice="again", reason="Much is new.")
        assert done.status_code == 303
    assert behind(house.store, house.project) is None
    assert reader not in list_certificates(house.store, house.project)
    assert house.people["other"].id in list_certificates(house.store, house.project)
    told = stands(house)
    assert not told["qualified"]
    assert told["action"] == "wait"  # no gold of the changed part, given under this version
    again_on_the_changed_part(house, reader)


def again_on_the_changed_part(house: House, reader: str) -> None:
    lead = house.people["lead"]
    cases = lead.get(f"/api/projects/{house.project}/cases").json()["cases"]
    fresh = [one["id"] for one in cases[4:8]]
    answers = {fresh[0]: NEW, fresh[1]: NEW, fresh[2]: {"side": "left"}}
    gold_cases.gold_from_answers(house.store, house.project, answers, pool="training", by=lead.id)
    told = stands(house)
    assert (told["action"], told["runs_left"]) == ("begin", 1)  # runs of before do not count
    assert "Which grade" in told["words"]
    # the side is wrong in both: it did not change, and is not scored again
    read = passing(house, NEW | {"side": "right"})
    assert set(read) == set(fresh[:2])
    assert stands(house)["qualified"]
    certificate = list_certificates(house.store, house.project)[reader]
    assert certificate.protocol_version == 2
    assert [one["id"] for one in certificate.score["questions"]] == ["grade"]
    assert list_requalifications(house.store, house.project) == {}


@pytest.mark.parametrize("qualified", ["ask"], indirect=True)
def test_certificates_may_stand_with_a_reason(qualified: tuple[House, str], tmp_path: Path) -> None:
    house, _ = qualified
    lead, path = house.people["lead"], f"/projects/{house.project}/onboarding"
    save(house, changed("ask"))
    form = f"{path}/certificates"
    assert lead.form(form, choice="stands", reason=" ").status_code == 422
    assert lead.form(form, choice="other", reason="x").status_code == 422
    assert house.people["reader"].form(form, choice="stands", reason="x").status_code == 403
    assert lead.form(form, choice="stands", reason="They knew it before.").status_code == 303
    assert behind(house.store, house.project) is None
    assert house.people["reader"].id in list_certificates(house.store, house.project)
    assert "older than a change" not in lead.get(path).text
    whole = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(house.store), whole)
    assert state_digests(whole) == state_digests(house.store)
    whole.close()


@pytest.mark.parametrize("qualified", ["ask"], indirect=True)
def test_gold_given_again_is_confirmed_under_the_new_version(qualified: tuple[House, str]) -> None:
    house, _ = qualified
    save(house, changed("ask"))
    before = list_gold(house.store, house.project)
    answers = {before[0].case: OLD}
    gold_cases.gold_from_answers(house.store, house.project, answers, pool="training", by="system")
    after = {one.case: one.protocol_version for one in list_gold(house.store, house.project)}
    assert sorted(after.values()) == [1, 2]
