"""How alike an answer and a pre-label are, what was changed, and how far readers are drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from overread.app.learning.pre_label import kept_hidden, newest
from overread.app.learning.pre_label_anchoring import anchoring_of
from overread.app.learning.pre_label_likeness import alike, changed
from overread.app.learning.pre_label_predicted import _classes, _sets
from overread.app.learning.pre_label_sides import (
    HIDDEN,
    LEAST_CASES,
    SEEN,
    UNASKED,
    Use,
    difference,
    side_of,
)
from overread.app.learning.predicted import Predicted
from overread.labels import Kind
from overread.protocol import Question
from overread.protocol.model import ClassEntry
from overread.store.learning.pre_labels import Proposal


def asked(kind: Kind, **more: Any) -> Question:
    classes = tuple(ClassEntry(name, at + 1, None, "#ffffff") for at, name in enumerate("ab"))
    return Question("q", "?", kind, classes, **more)


def box(key: str, x: float, name: str = "a", frame: int = 0) -> dict[str, Any]:
    return {"id": key, "class": name, "frame": frame, "x1": x, "y1": 0, "x2": x + 10, "y2": 10}


def outline(key: str, x: float) -> dict[str, Any]:
    points = [[x, 0], [x + 10, 0], [x + 10, 10], [x, 10]]
    return {"id": key, "class": "a", "frame": 0, "points": points}


def mask(*runs: list[int]) -> list[dict[str, Any]]:
    return [{"frame": 0, "rows": 1, "columns": 10, "runs": list(runs)}]


@pytest.mark.parametrize(
    ("kind", "answer", "proposed", "wanted"),
    [
        (Kind.NOMINAL, "a", "a", 1),
        (Kind.ORDINAL, "a", "b", 0),
        (Kind.MULTILABEL, ["a", "b"], ["b"], 0.5),
        (Kind.MULTILABEL, [], [], 1),
        (Kind.BOX, [], [], 1),
        (Kind.BOX, [box("1", 0)], [], 0),
        (Kind.BOX, [box("1", 0)], [box("2", 3)], 1),  # IoU 7 / 13
        (Kind.BOX, [box("1", 0)], [box("2", 4)], 0),  # IoU 6 / 14
        (Kind.BOX, [box("1", 0)], [box("2", 0, "b")], 0),
        (Kind.BOX, [box("1", 0)], [box("2", 0, frame=1)], 0),
        (Kind.BOX, [box("1", 0), box("2", 50)], [box("1", 0)], 2 / 3),
        (Kind.INSTANCE, [outline("1", 0)], [outline("1", 1)], 1),
        (Kind.MASK, [], [], 1),
        (Kind.MASK, mask([1, 4], [0, 6]), mask([0, 2], [1, 4], [0, 4]), 0.5),
        (Kind.MASK, mask([1, 5], [2, 5]), mask([1, 10]), (10 / 15 + 0) / 2),
        (Kind.MASK, mask([1, 4], [0, 6]), [], 0),
    ],
)
def test_likeness_of_known_answers(kind: Kind, answer: Any, proposed: Any, wanted: float) -> None:
    assert alike(asked(kind), answer, proposed) == pytest.approx(wanted)
    assert alike(asked(kind), proposed, answer) == pytest.approx(wanted)


def test_a_score_is_alike_within_a_twentieth_of_its_range() -> None:
    question = asked(Kind.SCORE, low=0, high=200)
    assert alike(question, 60, 50) == 1
    assert alike(question, 60.5, 50) == 0


def test_what_was_changed_is_counted() -> None:
    before = [box("1", 0), box("2", 20), box("3", 40)]
    after = [box("1", 0.001), box("2", 25), box("9", 90)]
    told = changed(asked(Kind.BOX), after, before)
    assert told == {"kept": 1, "moved": 1, "removed": 1, "added": 1}
    assert changed(asked(Kind.NOMINAL), "a", "a") == {"kept": 1, "changed": 0}
    assert changed(asked(Kind.MASK), mask([1, 10]), mask([0, 10])) == {"kept": 0, "changed": 1}


def uses(arm: str, likeness: list[float], *, same: bool = True) -> list[Use]:
    did = {"kept": 1} if same else {"kept": 0, "changed": 1}
    more = did if arm == SEEN else {}
    return [Use(f"{arm}{at}", "r", arm, one, 10.0, more) for at, one in enumerate(likeness)]


def test_a_pull_is_seen_between_the_arms_of_the_lot() -> None:
    told = anchoring_of("q", "?", [*uses(SEEN, [1.0] * 40), *uses(HIDDEN, [1.0] * 20 + [0.0] * 20)])
    assert told.difference == 0.5
    oracle = confint_proportions_2indep(40, 40, 20, 40, method="newcomb", compare="diff")
    assert (told.low, told.high) == pytest.approx(oracle)
    assert "draws them" in told.words
    assert (told.unchanged, told.before) == (1.0, 1.0)


def test_those_who_might_have_asked_count_with_the_offered() -> None:
    told = anchoring_of(
        "q", "?", [*uses(SEEN, [1.0] * 10), *uses(UNASKED, [0.0] * 10), *uses(HIDDEN, [0.5] * 20)]
    )
    assert told.offered.agreement == 0.5
    assert told.difference == 0
    assert told.low < 0 < told.high
    assert "No influence is seen" in told.words


def test_too_few_cases_say_nothing_yet() -> None:
    told = anchoring_of("q", "?", uses(SEEN, [1.0] * (LEAST_CASES - 1)))
    assert math.isnan(told.difference)
    assert "Not known yet" in told.words
    empty = anchoring_of("q", "?", [])
    assert (empty.seen.cases, math.isnan(empty.unchanged)) == (0, True)


def test_the_unit_is_the_case() -> None:
    same = [Use("c", str(at), SEEN, 1.0, 1.0) for at in range(50)]
    assert (side_of(same).cases, side_of(same).reads) == (1, 50)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
)
def test_the_interval_holds_the_difference(one: list[float], other: list[float]) -> None:
    apart, low, high = difference(side_of(uses(SEEN, one)), side_of(uses(HIDDEN, other)))
    assert -1 <= low <= apart + 1e-9
    assert apart - 1e-9 <= high <= 1


def test_the_interval_covers_a_true_pull() -> None:
    """Of 300 studies with a pull of 20 points, 93 % or more of the intervals hold it."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        seen, hidden = rng.random(60) < 0.8, rng.random(30) < 0.6
        _, low, high = difference(
            side_of(uses(SEEN, seen.astype(float).tolist())),
            side_of(uses(HIDDEN, hidden.astype(float).tolist())),
        )
        held += low <= 0.2 <= high
    assert held / 300 >= 0.93


def test_the_lot_is_fair_and_the_same_for_all() -> None:
    drawn = [kept_hidden("p", str(case), 0.2) for case in range(5000)]
    assert 0.18 < np.mean(drawn) < 0.22
    assert drawn == [kept_hidden("p", str(case), 0.2) for case in range(5000)]
    assert not any(kept_hidden("p", str(case), 0.0) for case in range(100))
    larger = [kept_hidden("p", str(case), 0.5) for case in range(5000)]
    assert all(more for less, more in zip(drawn, larger, strict=True) if less)


def test_the_newest_speaks_and_before_an_event_the_one_that_stood() -> None:
    rows = [Proposal("c", "q", value, event=at) for at, value in ((3, "a"), (9, "b"))]
    assert newest(rows)["q"].value == "b"
    assert newest(rows, before=9)["q"].value == "a"
    assert newest(rows, before=3) == {}


def model(finding: str = "", p: tuple[float, ...] = (0.9, 0.4, 0.2)) -> Predicted:
    return Predicted(
        "q", ("absent", "present") if finding else ("no", "yes"), ("c1", "c2", "c3"),
        np.array([[1 - one, one] for one in p]), np.array([-1, -1, 1]),
        np.array([False, True, False]), "quick", 7, finding,
    )  # fmt: skip


def test_the_model_proposes_for_unread_cases_that_do_not_test_it() -> None:
    (one,) = _classes(model())
    assert (one.case, one.value, one.confidence) == ("c1", "yes", pytest.approx(0.9))
    (found,) = _sets((model("a"), model("b", (0.3, 0, 0))))
    assert (found.case, found.value, found.confidence) == ("c1", ["a"], pytest.approx(0.7))
