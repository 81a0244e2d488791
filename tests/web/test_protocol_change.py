"""A new version of the protocol: what it touches, what is read again, and the proof at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overread.app.study.conformity import conformity, require_whole
from overread.app.study.export_labels import export_labels
from overread.app.study.project_tables import project_table, recoded
from overread.app.study.protocol_change import touched_by
from overread.errors import InputError
from overread.exchange import read_table
from overread.protocol import Protocol, read_protocol
from overread.store.quality.stale import list_rulings, standings
from tests.web.conftest import House, copied, open_house

OLD = """title: Knees
reads_per_case: 2
questions:
  - {id: grade, prompt: Which grade, kind: nominal, classes: [None, Mild, Severe]}
  - {id: side, prompt: Which side, kind: nominal, classes: [Left, Right]}
guideline: Look twice.
"""
NEW = OLD.replace("[None, Mild, Severe]", "[None, Mild, Moderate, Grave]")
SAID = [("None", "None"), ("Mild", "Severe"), ("Severe", "Severe")]


@pytest.fixture(scope="module")
def read_knees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    """Three cases that two readers read under version 1."""
    folder = tmp_path_factory.mktemp("knees")
    house = open_house(folder, protocol=OLD, cases=3)
    for pair in SAID:
        for who, grade in zip(("reader", "other"), pair, strict=True):
            (task,) = house.tasks(who)
            assert house.read(who, task, {"grade": grade, "side": "Left"}).status_code == 200
    yield folder, house
    house.store.close()


@pytest.fixture
def knees(read_knees: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    """The same, of its own."""
    house = copied(*read_knees, tmp_path)
    yield house
    house.store.close()


def save(house: House, text: str, **fields: Any) -> Any:
    path = f"/projects/{house.project}/protocol"
    return house.people["lead"].form(path, text=text, base="1", **fields)


def proof(house: House) -> Any:
    return conformity(house.store, house.project)


def test_the_diff_proposes_the_classes_that_are_gone() -> None:
    def of(text: str) -> dict[str, tuple[str, ...]]:
        return touched_by(read_protocol(OLD), read_protocol(text))

    assert of(NEW) == {"grade": ("Severe",)}
    assert of(OLD) == {}
    assert of(OLD.replace("Severe]", "Severe, Grave]")) == {"grade": ("",)}
    assert of(OLD.replace("Which side", "Which knee")) == {"side": ("",)}
    assert of(OLD.replace("[Left, Right]", "[Right, Left]")) == {"side": ("",)}
    assert of(OLD.replace("kind: nominal, classes: [None", "kind: ordinal, classes: [None")) == {
        "grade": ("",)
    }
    more = OLD.replace("guideline", "  - {id: sure, prompt: Sure, kind: score}\nguideline")
    assert of(more) == {"sure": ("",)}
    assert of(OLD.replace("Look twice", "Look once")) == {}


def test_nothing_is_saved_before_the_lead_says_what_it_means(knees: House) -> None:
    reply = save(knees, NEW)
    assert reply.status_code == 200
    assert "Not saved yet" in reply.text
    assert "was removed" in reply.text
    assert 'value="grade|Severe" checked' in reply.text
    assert "3 labels" in reply.text
    assert proof(knees).version == 1
    for fields in ({"choice": "none"}, {"choice": "affected"}):
        assert save(knees, NEW, **fields).status_code == 409
        assert proof(knees).version == 1


def test_affected_reads_are_made_again_by_the_same_readers(knees: House, tmp_path: Path) -> None:
    before = proof(knees)
    assert (before.labels, before.conforming, before.whole) == (12, 12, True)
    words = "Severe is Moderate or Grave now"
    reply = save(knees, NEW, choice="affected", touched=["grade|Severe"], words=words)
    assert reply.status_code == 303, reply.text
    (ruling,) = list_rulings(knees.store, knees.project).values()
    assert (ruling.choice, ruling.words, ruling.touched) == (
        "affected", words, {"grade": ["Severe"]},
    )  # fmt: skip
    now = proof(knees)
    # what the new version cannot hold is in no export; the rest conforms
    assert (now.version, now.labels, now.left_out, now.whole) == (2, 9, 3, True)
    done = []
    for who in ("reader", "other"):
        for task in knees.tasks(who, 5):
            assert task["asked"] == {"why": "protocol", "words": words}
            assert task["draft"]["answer"] == {"side": "Left"}  # what is not touched stays
            assert knees.read(who, task, {"grade": "Grave", "side": "Left"}).status_code == 200
            done.append((who, task["case"]["id"]))
    assert len(done) == 3
    assert [one[0] for one in done] == ["reader", "other", "other"]
    last = proof(knees)
    assert (last.labels, last.conforming, last.left_out) == (12, 12, 0)
    assert last.words == "100 % of 12 exported labels conform to version 2"
    require_whole(last)
    page = knees.people["lead"].get(f"/projects/{knees.project}/protocol").text
    assert last.words in page
    assert "3 of 3 reads made again" in page
    file = export_labels(knees.store, knees.project, tmp_path, what="reads", form="csv",
                         questions=["grade"])  # fmt: skip
    table = read_table(file)
    assert sorted(table["label"].to_list()) == ["Grave"] * 3 + ["Mild", "None", "None"]
    history = export_labels(knees.store, knees.project, tmp_path, what="history", form="csv")
    assert read_table(history).filter(question="grade").height == 9  # nothing is lost


def test_a_class_that_was_split_is_marked_until_it_is_read_again(knees: House) -> None:
    text = OLD.replace("Look twice.", "An osteophyte alone is not Mild.")
    fields = {"choice": "affected", "touched": ["grade|Mild"], "words": "see Mild anew"}
    assert save(knees, text, **fields).status_code == 303
    now = proof(knees)
    assert (now.labels, now.conforming) == (12, 11)
    assert now.reasons == {"waits to be read again under version 2": 1}
    with pytest.raises(InputError, match="1 that do not"):
        require_whole(now)
    (task,) = knees.tasks("reader", 5)
    assert knees.read("reader", task, {"grade": "None", "side": "Left"}).status_code == 200
    assert proof(knees).whole


def test_labels_that_stand_need_a_reason(knees: House) -> None:
    text = OLD.replace("Which grade", "Which grade is it")
    assert save(knees, text, choice="none").status_code == 409
    fields = {"choice": "none", "touched": ["grade|"], "words": "a matter of wording"}
    assert save(knees, text, **fields).status_code == 303
    assert proof(knees).whole
    assert {one[1] for one in standings(knees.store, knees.project).values()} == {"stands"}
    assert knees.tasks("reader", 5) == []


def test_everything_by_whoever_has_not_read_it(knees: House) -> None:
    fields = {"choice": "all", "who": "any", "words": "all anew"}
    assert save(knees, NEW, **fields).status_code == 303
    assert proof(knees).labels == 0
    assert proof(knees).left_out == 12
    assert knees.tasks("reader", 5) == []  # who read a case does not get it
    nora = knees.join("reader", "nora@example.org", "Nora New")
    knees.people["nora"] = nora
    ids = [knees.people[one].id for one in ("reader", "other", "nora")]
    knees.people["lead"].form(f"/projects/{knees.project}/members", reader=ids)
    assert len(knees.tasks("nora", 5)) == 3


def test_a_guideline_that_was_saved_asks_what_it_means(knees: House) -> None:
    lead = knees.people["lead"]
    path = f"/projects/{knees.project}"
    reply = lead.form(f"{path}/guideline", guideline="Look thrice.", base="1")
    assert reply.status_code == 303, reply.text
    now = proof(knees)
    assert (now.conforming, now.unruled) == (0, (2,))
    page = lead.get(f"{path}/protocol").text
    assert "What does version 2 mean for the labels before it?" in page
    assert lead.form(f"{path}/protocol/rule", version="2").status_code == 422
    fields = {"version": "2", "choice": "none", "words": "only clearer"}
    assert lead.form(f"{path}/protocol/rule", **fields).status_code == 303
    assert proof(knees).whole
    fields["version"] = "9"
    assert lead.form(f"{path}/protocol/rule", **fields).status_code == 404


def test_a_program_asks_saves_and_proves(knees: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lead, base = knees.people["lead"], f"/api/projects/{knees.project}"
    assert lead.post(f"{base}/protocol/changes", {"protocol": "title: x"}).status_code == 422
    told = lead.post(f"{base}/protocol/changes", {"protocol": NEW}).json()
    assert (told["base"], told["reads"], told["asks"]) == (1, 6, True)
    of = {one["question"]: one["classes"] for one in told["questions"]}["grade"]
    assert of[-1] == {"name": "Severe", "labels": 3, "touched": True}
    body: dict[str, Any] = {"protocol": NEW, "base": 1}
    refused = lead.post(f"{base}/protocol/versions", body)
    assert refused.status_code == 422
    body["ruling"] = {"choice": "affected", "touched": {"grade": ["Severe"]}, "reason": "split"}
    assert lead.post(f"{base}/protocol/versions", body).json() == {"version": 2, "planned": 3}
    assert lead.post(f"{base}/protocol/versions", body).status_code in {201, 409}
    again = f"{base}/protocol/versions/2/ruling"
    assert lead.post(again, body["ruling"]).json() == {"version": 2, "planned": 0}
    assert lead.post(again, {"choice": "none"}).status_code == 422
    found = lead.get(f"{base}/conformity").json()
    assert (found["labels"], found["conforming"], found["left_out"]) == (9, 9, 3)
    assert found["ready"]
    monkeypatch.setattr(
        "overread.app.study.conformity._AT_ONCE", 0
    )  # a large project: it comes with the model
    assert not lead.get(f"{base}/conformity").json()["ready"]
    assert knees.people["reader"].get(f"{base}/conformity").status_code == 403


def test_masks_go_by_the_names_of_their_classes() -> None:
    masks = [{"frame": 0, "rows": 1, "columns": 6, "runs": [[0, 1], [1, 2], [3, 3]]}]
    made = recoded(masks, ("a", "b", "c"), ("c", "a"))
    assert made is not None
    assert made[0]["runs"] == [[0, 1], [2, 2], [1, 3]]
    assert recoded(masks, ("a", "b", "c"), ("a", "b")) is None  # c is gone


def test_old_masks_are_read_by_name_after_a_class_went(tmp_path: Path) -> None:
    text = """title: Cells
questions:
  - {id: cells, prompt: Paint, kind: mask, classes: [Rim, Core, Halo]}
"""
    house = open_house(tmp_path, protocol=text, cases=1)
    (task,) = house.tasks("reader")
    mask = {"frame": 0, "rows": 40, "columns": 60, "runs": [[0, 2000], [3, 400]]}
    assert house.read("reader", task, {"cells": [mask]}).status_code == 200
    new = text.replace("[Rim, Core, Halo]", "[Halo, Rim]")
    fields = {"choice": "affected", "touched": ["cells|Core"], "words": "no core"}
    assert save(house, new, **fields).status_code == 303
    question = protocol(new).question("cells")
    table: Any = project_table(house.store, house.project, question)
    assert set(table.value.tolist()) == {0, 1}  # Halo was 3 and is 1
    assert proof(house).whole
    house.store.close()


def protocol(text: str) -> Protocol:
    return read_protocol(text)
