"""The gate before production by the API and the pages: profile, dry run, gold, decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from overread.app.quality import gold_cases
from overread.app.quality.gold_scores import gold_scores
from tests.web.conftest import House, copied, open_house

PROTOCOL = """title: Fractures
reads_per_case: 2
questions:
  - id: fractures
    prompt: Draw a box round each fracture
    kind: box
    classes: [Fracture, Callus]
qualification:
  professions: [radiologist]
  least_years: 2
  pass_mark: 0.8
  least_cases: 2
  most_runs: 2
atlas:
  - {id: good, question: fractures, class: Fracture, do: true, why: From cortex to cortex.}
  - {id: callus, question: fractures, class: Callus, do: true, why: Old bone.}
"""
BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 4, "y1": 4, "x2": 24, "y2": 24}
RIGHT: dict[str, Any] = {"fractures": [BOX]}
WRONG: dict[str, Any] = {"fractures": [BOX | {"x1": 30, "x2": 50}]}
GOOD_PROFILE = {"profession": "Radiologist", "years": "4", "modalities": "CR, CT"}


@pytest.fixture(scope="session")
def gated_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    """Eight cases, six of them gold of the training pool, one hidden; nobody uses it."""
    folder = tmp_path_factory.mktemp("gated")
    house = open_house(folder, protocol=PROTOCOL, cases=8)
    lead = house.people["lead"]
    cases = lead.get(f"/api/projects/{house.project}/cases").json()["cases"]
    for pool, part in (("training", cases[:6]), ("hidden", cases[6:7])):
        answers = {one["id"]: RIGHT for one in part}
        gold_cases.gold_from_answers(house.store, house.project, answers, pool=pool, by=lead.id)
    yield folder, house
    house.store.close()


@pytest.fixture
def gated(gated_model: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    """A server of its own."""
    house = copied(*gated_model, tmp_path)
    yield house
    house.store.close()


def ask(house: House, who: str = "reader", *, begin: bool = False) -> Any:
    path = f"/api/projects/{house.project}/dry-run"
    return house.people[who].post(path, {"begin": begin})


def send(house: House, trial: Any, answer: Any, who: str = "reader", **more: Any) -> Any:
    body = {"read_id": str(uuid4()), "answer": answer, "seconds": 5, **more}
    return house.people[who].post(f"/api/trials/{trial['id']}/submit", body)


def fill_in(house: House, who: str = "reader") -> None:
    assert house.people[who].form("/account/profile", **GOOD_PROFILE).status_code == 303


def run(house: House, answer: Any, who: str = "reader") -> list[str]:
    """A whole run; ids of its cases."""
    cases = []
    reply = ask(house, who, begin=True)
    while trial := reply.json()["trial"]:
        cases.append(trial["case"]["id"])
        assert send(house, trial, answer, who).status_code == 200
        reply = ask(house, who)
    return cases


def claim(house: House, who: str = "reader") -> Any:
    return house.people[who].post(f"/api/projects/{house.project}/claim", {"count": 1})


def stands(house: House, who: str = "reader") -> Any:
    return house.people[who].get(f"/api/projects/{house.project}/onboarding").json()


def test_from_the_profile_to_production(gated: House) -> None:
    refused = claim(gated)
    assert refused.status_code == 403
    assert refused.json()["error"]["rule"] == "be qualified for this project"
    first = stands(gated)
    assert (first["action"], first["qualified"]) == ("profile", False)
    assert "profession is not told; wanted: radiologist" in first["misfits"]
    assert ask(gated, begin=True).json()["trial"] is None
    home = gated.people["reader"].get("/home").text
    assert "Your profile first" in home
    fill_in(gated)
    assert stands(gated)["action"] == "begin"
    assert "Begin the dry run" in gated.people["reader"].get("/home").text

    failed = run(gated, WRONG)
    again = stands(gated)
    assert (again["title"], again["action"], again["runs_left"]) == ("Not passed yet", "begin", 1)
    assert "F1 0.00" in again["words"]
    assert claim(gated).status_code == 403
    passed = run(gated, RIGHT)
    assert not set(failed) & set(passed)
    assert stands(gated)["qualified"]
    (task,) = claim(gated).json()["tasks"]
    assert task["case"]["id"] not in {*failed, *passed}
    assert claim(gated, "other").status_code == 403


def test_the_right_answer_comes_after_the_readers_own(gated: House) -> None:
    fill_in(gated)
    trial = ask(gated, begin=True).json()["trial"]
    assert "right" not in str(trial)
    assert (trial["number"], trial["cases"], trial["run"]) == (1, 2, 1)
    assert ask(gated).json()["trial"]["id"] == trial["id"]  # a reload
    assert send(gated, trial, {"fractures": [BOX | {"x2": 500}]}).status_code == 422
    name = str(uuid4())
    reply = send(gated, trial, {"fractures": [BOX | {"x2": 26}]}, read_id=name)
    found = reply.json()
    assert found["right"] == RIGHT
    assert found["marks"][0]["right"]
    assert found["marks"][0]["words"] == "1 of 1 found, mean IoU 0.91."
    assert found["atlas"] == ["good"]
    again = send(gated, trial, {"fractures": [BOX | {"x2": 26}]}, read_id=name)
    assert again.json()["right"] == RIGHT
    assert send(gated, trial, RIGHT).status_code == 409
    assert send(gated, trial, RIGHT, "other").status_code == 404
    base = f"/api/trials/{trial['id']}/dispute"
    assert gated.people["other"].post(base, {"words": "no"}).status_code == 404
    assert gated.people["reader"].post(base, {"words": "a second one"}).status_code == 200
    lead = gated.people["lead"]
    page = lead.get(f"/projects/{gated.project}/onboarding?show=disputes").text
    assert "a second one" in page
    path = re.search(r'action="([^"]+/settle)"', page)
    assert path
    assert lead.form(path[1], state="wrong", decision="indeed").status_code == 303
    assert "disputed: indeed" in lead.get(f"/projects/{gated.project}/onboarding?show=gold").text
    assert lead.form(path[1], state="kept", decision="no").status_code == 409


def test_exceptions_need_a_reason(gated: House) -> None:
    lead, reader = gated.people["lead"], gated.people["reader"].id
    base = f"/projects/{gated.project}/onboarding"
    page = lead.get(f"{base}?show=readers&reader={reader}").text
    assert "profession is not told" in page
    refused = lead.form(f"{base}/exempt", reader=reader, what="profile", reason=" ")
    assert refused.status_code == 422
    assert "reason must not be empty" in refused.text
    done = lead.form(f"{base}/exempt", reader=reader, what="profile", reason="a fellow")
    assert done.status_code == 303
    assert "exception, profile: a fellow" in lead.get(base).text
    assert stands(gated)["action"] == "begin"
    for what, then in (("certificate", 200), ("withdraw", 403)):
        assert lead.form(f"{base}/exempt", reader=reader, what=what, reason="r").status_code == 303
        assert claim(gated).status_code == then
    assert lead.form(f"{base}/exempt", reader="none", what="run", reason="r").status_code == 409


def test_the_lead_keeps_profiles(gated: House) -> None:
    lead, reader = gated.people["lead"], gated.people["reader"].id
    base = f"/projects/{gated.project}/onboarding/profile"
    assert lead.form(base, reader=reader, **GOOD_PROFILE).status_code == 303
    assert stands(gated)["misfits"] == []
    assert lead.form(base, reader=reader, years="many").status_code == 422
    assert lead.form(base, reader=gated.people["admin"].id, years="3").status_code == 409
    assert "Radiologist" in gated.people["reader"].get("/account").text
    refused = gated.people["reader"].form("/account/profile", years="900")
    assert "refused" in refused.headers["location"]


def test_gold_of_a_read_and_its_retirement(gated: House) -> None:
    fill_in(gated)
    run(gated, RIGHT)
    (task,) = claim(gated).json()["tasks"]
    read = gated.read("reader", task, RIGHT).json()["read_id"]
    lead, case = gated.people["lead"], task["case"]["id"]
    assert "Make it gold" in lead.get(f"/cases/{case}").text
    for pool, status in (("nonsense", 422), ("hidden", 303)):
        reply = lead.form(f"/cases/{case}/gold", read=read, pool=pool, atlas="good")
        assert reply.status_code == status
    assert lead.form(f"/cases/{case}/gold", read=read, atlas="none").status_code == 422
    page = lead.get(f"/projects/{gated.project}/onboarding?show=gold").text
    assert "atlas: good" in page
    path = re.search(r'action="([^"]+/retire)"', page)
    assert path
    assert lead.form(path[1], reason="").status_code == 422
    assert lead.form(path[1], reason="too easy").status_code == 303
    assert "too easy" in lead.get(f"/projects/{gated.project}/onboarding?show=gold").text


def test_hidden_gold_is_read_like_any_other(gated: House) -> None:
    fill_in(gated)
    run(gated, RIGHT)
    lead = gated.people["lead"]
    path = f"/projects/{gated.project}/onboarding/hidden"
    assert lead.form(path, percent="60").status_code == 422
    assert lead.form(path, percent="50").status_code == 303
    keys = set()
    while tasks := claim(gated).json()["tasks"]:
        keys.add(tuple(sorted(tasks[0])))
        assert gated.read("reader", tasks[0], WRONG).status_code == 200
    assert len(keys) == 1  # nothing tells one task from another
    (score,) = gold_scores(gated.store, gated.project).values()
    assert (score.cases, score.questions[0].whole.estimate) == (1, 0)
    assert "F1 0.00" in lead.get(f"/projects/{gated.project}/onboarding").text


def test_reads_of_a_dry_run_are_not_exported(gated: House) -> None:
    fill_in(gated)
    cases = run(gated, WRONG)
    lead = gated.people["lead"]
    for case in cases:
        assert lead.get(f"/api/cases/{case}/reads").json() == {"reads": []}
    assert gated.people["reader"].get(f"/api/projects/{gated.project}/reads/mine").json() == []


def test_pages_teach_where_nothing_is_asked(house: House) -> None:
    lead = house.people["lead"]
    for show, words in (
        ("readers", "Anybody may read here"),
        ("gold", "No gold case yet"),
        ("disputes", "No dispute"),
    ):
        assert words in lead.get(f"/projects/{house.project}/onboarding?show={show}").text
    assert stands(house) == {
        "demanded": False, "qualified": True, "title": "", "words": "", "action": "read",
        "done": 0, "cases": 0, "runs_left": 0, "misfits": [],
    }  # fmt: skip
    assert ask(house, begin=True).json()["trial"] is None
    assert house.tasks("reader")


def test_a_lead_of_another_project_decides_nothing_here(gated: House) -> None:
    stranger = gated.join("lead", "max@example.org", "Max Lead")
    page = gated.people["lead"].get(f"/projects/{gated.project}/onboarding?show=gold").text
    path = re.search(r'action="([^"]+/gold/([^"/]+)/retire)"', page)
    assert path
    assert stranger.form(path[1], reason="mine now").status_code == 404
    made = stranger.form("/projects/new", name="His", text=PROTOCOL).headers["location"]
    assert stranger.form(f"{made}/gold/{path[2]}/retire", reason="mine now").status_code == 409
