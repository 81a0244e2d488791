"""A disputed right answer goes to a senior, blind; what they decide marks anew who was scored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.store import (
    list_certificates,
    list_disputes,
    list_gold,
    list_runs,
    list_trials,
    open_store,
    read_events,
    rebuild,
    retire_gold,
    state_digests,
)
from tests.end_to_end.shots import shot
from tests.web.conftest import House, copied
from tests.web.live import opened as served
from tests.web.live import visitor
from tests.web.test_onboarding import RIGHT, WRONG, ask, fill_in, gated_model, run, send

__all__ = ["gated_model"]
OTHER = WRONG


@pytest.fixture
def gated(gated_model: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    house = copied(*gated_model, tmp_path)
    senior = house.join("reader", "sena@example.org", "Sena Senior")
    house.people["senior"] = senior
    lead = house.people["lead"]
    ids = [house.people[one].id for one in ("reader", "other")]
    fields = {"reader": ids, "lead": [lead.id], "leads": "yes", "senior": [senior.id]}
    assert lead.form(f"/projects/{house.project}/members", **fields).status_code == 303
    for who in ("reader", "other"):
        fill_in(house, who)
    yield house
    house.store.close()


def disputed(house: House, who: str = "reader", answer: Any = OTHER) -> str:
    """A run in which every answer is the other one; the first right answer is disputed."""
    first = ask(house, who, begin=True).json()["trial"]
    assert send(house, first, answer, who).status_code == 200
    words = {"words": "The line is on the other side, says Rhea Reader."}
    reply = house.people[who].post(f"/api/trials/{first['id']}/dispute", words)
    assert reply.status_code == 200, reply.text
    return first["case"]["id"]


def opened(house: House, case: str | None = None, who: str = "senior") -> Any:
    path = f"/api/projects/{house.project}/adjudications"
    return house.people[who].post(path, {"case": case})


def decide(house: House, found: Any, **said: Any) -> Any:
    body = {"reason": "Seen on the lateral view.", "seconds": 40, **said}
    return house.people["senior"].post(f"/api/adjudications/{found['id']}/decide", body)


def test_a_senior_sees_it_among_the_queue_and_not_which_is_the_gold(gated: House) -> None:
    case = disputed(gated)
    path = f"/api/projects/{gated.project}/adjudications"
    queue = gated.people["senior"].get(path).json()
    assert [one["case"] for one in queue["waiting"]] == [case]
    found = opened(gated).json()
    assert not found["returnable"]
    assert sorted(one["letter"] for one in found["reads"]) == ["A", "B"]
    told = json.dumps(found)
    for secret in ("gold", "trial", "dispute", "Rhea", gated.people["reader"].id, "other side"):
        assert secret not in told, secret
    # neither who disputes it nor who answered it decides; a reader is no senior
    assert opened(gated, case, "reader").status_code == 404
    back = f"/api/adjudications/{found['id']}/send-back"
    refused = gated.people["senior"].post(back, {"question": "Sure?", "seconds": 1})
    assert refused.status_code == 422
    page = gated.people["senior"].get(f"/projects/{gated.project}/adjudication/{case}")
    assert page.status_code == 200
    assert "It waits for a senior" in gated.people["lead"].get(
        f"/projects/{gated.project}/onboarding?show=disputes"
    ).text  # fmt: skip


def test_gold_that_was_wrong_is_corrected_and_its_reader_qualified(
    gated: House, tmp_path: Path
) -> None:
    """Who failed by wrong gold alone has passed once it is right."""
    first = disputed(gated)
    second = ask(gated).json()["trial"]
    assert send(gated, second, RIGHT).status_code == 200
    assert list_certificates(gated.store, gated.project) == {}
    (before,) = list_runs(gated.store, gated.project)
    assert before.state == "failed"
    found = opened(gated, first).json()
    mine = next(one for one in found["reads"] if one["answer"]["fractures"][0]["x1"] == 30)
    assert decide(gated, found, pick=mine["letter"]).status_code == 200
    gold = next(one for one in list_gold(gated.store, gated.project) if one.case == first)
    assert gold.answer["fractures"][0]["x1"] == 30
    assert gold.source == found["id"]
    (dispute,) = list_disputes(gated.store, gated.project, settled=True)
    assert (dispute.state, dispute.decision) == ("wrong", "Seen on the lateral view.")
    (after,) = list_runs(gated.store, gated.project)
    assert after.state == "passed"
    marks = [one.marks for one in list_trials(gated.store, gated.project, after.reader)]
    assert [one["fractures"][0]["found"] for one in marks] == [1, 1]
    certificate = list_certificates(gated.store, gated.project)[gated.people["reader"].id]
    assert "marked anew" in certificate.how
    assert not gated.people["senior"].get(
        f"/api/projects/{gated.project}/adjudications"
    ).json()["waiting"]  # fmt: skip
    whole = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(gated.store), whole)
    assert state_digests(whole) == state_digests(gated.store)
    whole.close()


def test_a_certificate_stays_with_a_note(gated: House) -> None:
    gold = list_gold(gated.store, gated.project, pool="training")
    for one in gold[2:]:  # so that both read the same two
        retire_gold(gated.store, one.id, "Not needed.", "system")
    run(gated, RIGHT, "other")
    who = gated.people["other"].id
    assert who in list_certificates(gated.store, gated.project)
    case = disputed(gated)
    found = opened(gated, case).json()
    assert decide(gated, found, answer=OTHER, pick="").status_code == 200
    kept = list_certificates(gated.store, gated.project)[who]
    assert "would no longer reach the mark" in kept.note
    assert kept.score["questions"][0]["whole"]["estimate"] == 1.0  # as it was earned
    standing = gated.people["other"].get(f"/api/projects/{gated.project}/onboarding").json()
    assert standing["qualified"]
    assert "corrected" in standing["words"]


@pytest.mark.parametrize("says", ["gold", "unreadable"])
def test_it_stands_or_is_gold_no_more(gated: House, says: str) -> None:
    case = disputed(gated)
    found = opened(gated, case).json()
    same = next(one for one in found["reads"] if one["answer"]["fractures"][0]["x1"] == 4)
    if says == "gold":
        assert decide(gated, found, pick=same["letter"]).status_code == 200
    else:
        said = {"pick": "", "answer": {}, "cannot_be_read": True}
        assert decide(gated, found, **said).status_code == 200
    here = [one for one in list_gold(gated.store, gated.project) if one.case == case]
    (dispute,) = list_disputes(gated.store, gated.project, settled=True)
    assert (len(here), dispute.state) == ((1, "kept") if says == "gold" else (0, "wrong"))
    assert decide(gated, found, pick="A").status_code == 409
    assert opened(gated, case).status_code in {404, 409, 422}


def test_the_lead_may_settle_it_too_and_it_counts_for_nobody(gated: House) -> None:
    disputed(gated)
    (dispute,) = list_disputes(gated.store, gated.project)
    path = f"/projects/{gated.project}/disputes/{dispute.id}/settle"
    reply = gated.people["lead"].form(path, decision="It was.", state="wrong")
    assert reply.status_code == 303
    (trial,) = list_trials(gated.store, gated.project, gated.people["reader"].id)
    assert trial.marks == {}


@pytest.mark.browser
def test_a_narrow_window_shows_all_of_it(gated: House, browser: Any) -> None:
    disputed(gated)
    disputed(gated, "other")
    faults = (Path(__file__).parent / "page_faults.js").read_text(encoding="utf-8")
    path = f"/projects/{gated.project}/onboarding"
    with served(gated) as address, visitor(browser, address, "lead@example.org") as page:
        page.set_viewport_size({"width": 820, "height": 1000})
        for tab in ("disputes", "gold", "readers"):
            page.goto(f"{address}{path}?show={tab}")
            page.wait_for_load_state("networkidle")
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            shot(page, f"narrow-onboarding-{tab}")
            assert page.evaluate(faults) == [], tab
