"""A box that began as a hint is known as one: by the read, to the lead, in what is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.app.learning.pre_label import kept_hidden
from overread.app.learning.pre_label_anchoring import ProjectAnchoring
from overread.app.quality.truthing_blinding import blinding
from overread.app.study.export_labels import export_labels
from overread.app.study.project_protocol import protocol_of
from overread.client.shapes import CaseRead, shaped
from overread.store.learning.pre_labels import Hints, add_hints
from overread.store.learning.pre_labels_withdrawn import withdraw_hints
from tests.web.conftest import House, copied, open_house

TEXT = """
title: Spots
reads_per_case: 2
pre_label: {{show: on demand, keep_hidden: {hidden}, hints: {hints}}}
questions:
  - {{id: spots, prompt: Spots, kind: box, classes: [spot, scar]}}
  - {{id: grade, prompt: Grade, kind: ordinal, required: false, classes: ["0", "1"]}}
"""
SHARE = 0.5
FIRST = {"frame": 0, "x1": 4.25, "y1": 5.0, "x2": 20.0, "y2": 15.0}
SECOND = {"frame": 0, "x1": 30.0, "y1": 20.0, "x2": 50.0, "y2": 36.5}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    folder = tmp_path_factory.mktemp("spots")
    text = TEXT.format(hidden=SHARE, hints="true")
    made = open_house(folder, protocol=text, cases=24)
    yield folder, made
    made.store.close()


@pytest.fixture
def spots(model: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    made = copied(*model, tmp_path)
    hint(made)
    yield made
    made.store.close()


def hint(house: House) -> None:
    lead = house.people["lead"]
    found = lead.get(f"/api/projects/{house.project}/cases").json()["cases"]
    regions = tuple({**one, "score": 0.5} for one in (FIRST, SECOND))
    hints = [Hints(one["id"], regions) for one in found]
    add_hints(house.store, house.project, hints, method="by hand")


def box(key: str, place: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"id": key, "class": "spot", **place, **changed}


def ask(house: House, task: Any, who: str = "reader", **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        house.people[who].post(f"/api/tasks/{task['id']}/hints", body).json()["hints"]
    )
    return found


def from_hints(house: House, task: Any) -> list[Any]:
    """As a program gets it."""
    reads = house.people["lead"].get(f"/api/cases/{task['case']['id']}/reads").json()["reads"]
    return [list(shaped(CaseRead, one).from_hints) for one in reads]


def measured(house: House) -> Any:
    made = ProjectAnchoring(house.project)
    made.catch_up(house.store)
    return made.told_of_hints(protocol_of(house.store, house.project).protocol)


def shown_task(house: House, who: str = "reader") -> Any:
    """A task whose hints the lot does not hide."""
    while tasks := house.tasks(who):
        if not kept_hidden(house.project, tasks[0]["case"]["id"], SHARE):
            return tasks[0]
        assert house.read(who, tasks[0], {"spots": []}).status_code == 200
    pytest.fail("the lot hides all of them")


def test_a_read_tells_which_boxes_began_as_a_hint_and_which_were_changed(
    spots: House, tmp_path: Path
) -> None:
    task = shown_task(spots)
    assert [one["x1"] for one in ask(spots, task)] == [4.25, 30.0]
    drawn = [
        box("hint-2", SECOND, x1=24.0),
        box("own", FIRST),
        box("hint-1", FIRST, **{"class": "scar"}),
    ]
    assert spots.read("reader", task, {"spots": drawn}).status_code == 200
    (began,) = from_hints(spots, task)
    assert began == [
        {"question": "spots", "finding": "hint-2", "moved": True},
        {"question": "spots", "finding": "hint-1", "moved": False},  # a hint has no class
    ]
    path = export_labels(spots.store, spots.project, tmp_path, what="history", form="csv")
    exported = path.read_text(encoding="utf-8")
    assert exported.count('""id"":""hint-') == 2
    words = " ".join(blinding(spots.store, spots.project))
    assert "shown on request in 1 task. 2 boxes of the reads began as one, of which 1 was" in words


def test_a_name_alone_makes_no_hint(spots: House) -> None:
    """Of a reader who saw none, or saw them after the read, or of what a model proposed."""
    task = shown_task(spots)
    assert spots.read("reader", task, {"spots": [box("hint-1", FIRST)]}).status_code == 200
    assert from_hints(spots, task) == [[]]
    assert ask(spots, task) == []  # it was read
    lead, own = spots.people["lead"], shown_task(spots)
    body = {"model": "net", "version": "1", "proposals": [
        {"case": own["case"]["id"], "answer": {"spots": [box("hint-2", SECOND)]}}]}  # fmt: skip
    assert lead.post(f"/api/projects/{spots.project}/pre-labels", body).status_code == 201
    proposed = spots.people["reader"].post(f"/api/tasks/{own['id']}/pre-label", {}).json()
    ask(spots, own, marked=True)
    drawn = [*proposed["answer"]["spots"], box("hint-1", FIRST), box("hint-3", FIRST, y1=1.0)]
    assert spots.read("reader", own, {"spots": drawn}).status_code == 200
    assert [one["finding"] for one in from_hints(spots, own)[0]] == ["hint-1"]


def test_what_the_protocol_hides_cannot_be_taken(spots: House) -> None:
    lead = spots.people["lead"]
    made = {"protocol": TEXT.format(hidden=0.0, hints="false"), "base": 1}
    reply = lead.post(f"/api/projects/{spots.project}/protocol/versions", made)
    assert reply.status_code == 201, reply.text
    (task,) = spots.tasks("reader")
    assert ask(spots, task) == []
    assert spots.read("reader", task, {"spots": [box("hint-1", FIRST)]}).status_code == 200
    assert from_hints(spots, task) == [[]]
    assert measured(spots) == []


def test_the_pull_of_hints_is_measured_between_the_cases_of_the_lot(spots: House) -> None:
    """Readers who see hints box the first; where the lot hides them they box nothing."""
    seen = total = 0
    while tasks := spots.tasks("reader"):
        (task,), total = tasks, total + 1
        places = ask(spots, task)
        assert (not places) == kept_hidden(spots.project, task["case"]["id"], SHARE)
        seen += bool(places)
        drawn = [box("hint-1", FIRST, x2=21.0 if seen == 1 else 20.0)] if places else []
        assert spots.read("reader", task, {"spots": drawn}).status_code == 200
    lead = spots.people["lead"]
    for _ in range(2400):
        state = lead.get(f"/api/projects/{spots.project}/pre-labels").json()
        if (
            state["looked"]
            and state["hints"]
            and state["hints"][0]["hidden"]["reads"] == total - seen
        ):
            break
        time.sleep(0.05)
    (told,) = state["hints"]  # of boxes alone
    assert (told["question"], told["seen"]["cases"], told["hidden"]["cases"]) == (
        "spots", seen, total - seen)  # fmt: skip
    assert (told["seen"]["agreement"], told["hidden"]["agreement"]) == (0.5, 0.0)
    assert (told["kept"], told["moved"], told["left"]) == (seen - 1, 1, seen)
    assert (told["difference"], told["before"]) == (0.5, 1.0)
    assert told["low"] > 0
    assert "the hints draw them" in told["words"]
    for page in ("quality", "pre-labels"):
        text = lead.get(f"/projects/{spots.project}/{page}").text
        assert f"{seen} became boxes, {seen - 1} of them as they were" in text
    (last,) = spots.tasks("other")
    assert spots.read("other", last, {"spots": []}).status_code == 200
    known = ProjectAnchoring(spots.project)
    known.catch_up(spots.store)
    protocol = protocol_of(spots.store, spots.project).protocol
    (before,) = known.told_of_hints(protocol)
    assert before.offered.reads + before.hidden.reads == total + 1
    hint(spots)  # looked for anew: the reads before know nothing of these
    known.catch_up(spots.store)
    assert known.told_of_hints(protocol) == measured(spots) == []
    withdraw_hints(spots.store, spots.project, by=lead.id)
    assert measured(spots) == []
