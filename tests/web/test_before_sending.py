"""An answer is looked at before it is sent: in words, soon or not at all, and never refused."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from overread.app.study import before_sending
from overread.monitoring.rules import Hint, RuleContext, Severity
from overread.store.quality.advice import count_advice
from overread.web.checks import Checks
from tests.web.conftest import House, bring_in, open_house

SIDE = 240
TIGHT = {"x1": 80.0, "y1": 90.0, "x2": 160.0, "y2": 150.0}
WIDE = {"x1": 50.0, "y1": 60.0, "x2": 190.0, "y2": 180.0}


def disc(seed: int) -> bytes:
    """A bright ellipse, 80 wide and 60 high, in the middle of noise."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    inside = ((x - 120) / 40) ** 2 + ((y - 120) / 30) ** 2 <= 1
    noise = np.random.default_rng(seed).normal(0, 6, inside.shape)
    made = io.BytesIO()
    Image.fromarray(np.clip(90 + 80 * inside + noise, 0, 255).astype(np.uint8)).save(made, "PNG")
    return made.getvalue()


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = open_house(tmp_path_factory.mktemp("discs"), cases=0)
    bring_in(made, 0, **{f"disc-{at}.png": disc(at) for at in range(6)})
    return made


def box(name: str, sides: dict[str, float]) -> dict[str, Any]:
    return {"id": name, "class": "Fracture", "frame": 0, **sides}


def checked(house: House, task: Any, *boxes: dict[str, Any], who: str = "reader") -> Any:
    body = {"answer": {"fractures": list(boxes)}, "protocol_version": 1}
    return house.people[who].post(f"/api/tasks/{task['id']}/check", body)


def patient(house: House, task: Any, *boxes: dict[str, Any]) -> Any:
    """The same on a server that has all the time of the world: this machine may be busy."""
    reader, answer = house.people["reader"].id, {"fractures": list(boxes)}
    return Checks(seconds=60).told(house.store, house.blobs, task["id"], reader, answer=answer)


def test_a_loose_box_is_told_and_a_tight_one_is_not(discs: House) -> None:
    (task,) = discs.tasks("reader")
    assert patient(discs, task, box("a", TIGHT)) == []
    told = patient(discs, task, box("a", TIGHT), box("b", {**WIDE, "x1": 48.0}))
    (loose,) = [one for one in told if one.rule == "loose-contour"]
    assert (loose.question, loose.finding) == ("fractures", "b")
    assert loose.words == "Box 2: much of it looks like background."


def test_the_route_answers_whether_or_not_there_was_time(discs: House) -> None:
    (task,) = discs.tasks("reader")
    reply = checked(discs, task, box("a", TIGHT))
    assert reply.status_code == 200
    assert reply.json() in ({"looked": True, "hints": []}, {"looked": False, "hints": []})


def test_an_answer_that_breaks_the_protocol_is_left_to_the_sending(discs: House) -> None:
    (task,) = discs.tasks("reader")
    strange = box("a", TIGHT) | {"class": "No such class"}
    assert patient(discs, task, strange) == []
    assert discs.read("reader", task, {"fractures": [strange]}).status_code == 422


def test_one_place_drawn_twice_is_told(discs: House) -> None:
    (task,) = discs.tasks("reader")
    (told,) = patient(discs, task, box("a", TIGHT), box("b", TIGHT))
    assert (told.rule, told.finding) == ("drawn-twice", "b")
    assert told.words == "Box 2: one place is drawn twice as 'Fracture' (drawings 1 and 2)."


def test_only_an_own_task_is_looked_at(discs: House) -> None:
    (task,) = discs.tasks("reader")
    assert checked(discs, task, box("a", TIGHT), who="other").status_code == 404


def test_what_was_told_is_kept_with_the_read(house: House) -> None:
    (task,) = house.tasks("reader")
    advice = [
        {"question": "fractures", "rule": "loose-contour", "finding": "b", "followed": True},
        {"question": "fractures", "rule": "size", "followed": False},
    ]
    reply = house.read("reader", task, {"fractures": []}, advice=advice)
    assert reply.status_code == 200
    found = {
        one.rule: (one.shown, one.followed) for one in count_advice(house.store, house.project)
    }
    assert found == {"loose-contour": (1, 1), "size": (1, 0)}
    again = house.read("reader", *house.tasks("reader"), {"fractures": []}, advice=[{"rule": "x"}])
    assert again.status_code == 422


def test_the_page_is_told_which_questions_are_looked_at(house: House) -> None:
    told = house.people["reader"].get(f"/api/projects/{house.project}/protocol").json()
    assert told["looked_at"] == ["fractures"]


def test_a_slow_rule_holds_nobody(discs: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: RuleContext) -> tuple[Hint, ...]:
        time.sleep(1.0)
        return (Hint("slow", Severity.NOTE, "came too late."),)

    monkeypatch.setattr(before_sending, "rules_before_sending", lambda _protocol: {"slow": slow})
    (task,) = discs.tasks("reader")
    checks = Checks(seconds=0.05)
    answer = {"fractures": [box("a", TIGHT)]}
    reader = discs.people["reader"].id
    assert checks.told(discs.store, discs.blobs, task["id"], reader, answer=answer) is None


def test_a_rule_of_somebodys_own_may_fail(discs: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: RuleContext) -> tuple[Hint, ...]:
        raise ZeroDivisionError

    monkeypatch.setattr(before_sending, "rules_before_sending", lambda _protocol: {"b": broken})
    (task,) = discs.tasks("reader")
    assert checked(discs, task, box("a", TIGHT)).json() == {"looked": False, "hints": []}
