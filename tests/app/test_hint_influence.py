"""What came of hints: which boxes began as one, and what their influence is on made-up reads."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from overread.app.learning.hint_influence import from_hints, hint_uses, influence_of
from overread.app.learning.pre_label import kept_hidden
from overread.app.learning.pre_label_sides import HIDDEN, LEAST_CASES, SEEN, UNASKED, Use
from overread.protocol import Protocol, read_protocol
from overread.store.learning.pre_labels import ASKED, HINTS, Hints, ShownRow

PLACES = tuple(
    {"frame": 0, "x1": x, "y1": 0.0, "x2": x + 10, "y2": 10.0, "score": 1.0}
    for x in (0.0, 40.0, 80.0)
)
TEXT = """
title: t
pre_label: {{hints: {hints}, keep_hidden: {hidden}}}
questions:
  - {{id: b, prompt: B, kind: box, classes: [a, c]}}
  - {{id: o, prompt: O, kind: instance, classes: [a]}}
  - {{id: g, prompt: G, kind: nominal, classes: [a, c]}}
"""


def protocol(*, hints: bool = True, hidden: float = 0.0) -> Protocol:
    return read_protocol(TEXT.format(hints=str(hints).lower(), hidden=hidden))


def box(key: str, x: float, **more: Any) -> dict[str, Any]:
    return {"id": key, "class": "a", "frame": 0, "x1": x, "y1": 0, "x2": x + 10, "y2": 10, **more}


def look(places: Any = PLACES, *, event: int = 1, marked: bool = False) -> ShownRow:
    return ShownRow("t", "r", HINTS, "c", ASKED, marked, tuple(places), "2026-01-01", event)


def row(answer: dict[str, Any], submitted: str = "2026-02-01") -> dict[str, Any]:
    return {"task": "t", "reader": "r", "case": "c", "event": 5, "answer": answer,
            "seconds": 9.0, "submitted": submitted}  # fmt: skip


STANDS = ("2026-01-01", Hints("c", PLACES))


def test_what_a_read_says_of_the_hints() -> None:
    ring = [[80, 0], [90, 0], [90, 9], [80, 9]]
    outline = {"id": "x", "class": "a", "frame": 0, "points": ring}
    answer = {
        "b": [box("hint-1", 0, **{"class": "c"}), box("hint-2", 60), box("d", 81)],
        "o": [outline],
        "g": "a",
    }
    made = hint_uses("p", protocol(), row(answer), STANDS, look(marked=True), None)
    assert made["b"] == Use(
        "c", "r", SEEN, 2 / 3, 9.0, {"kept": 1, "moved": 1, "left": 1}, marked=True
    )
    assert made["o"] == Use(
        "c", "r", SEEN, 1 / 3, 9.0, {"kept": 0, "moved": 0, "left": 3}, marked=True
    )
    assert set(made) == {"b", "o"}


def test_who_did_not_ask_and_whom_the_lot_hides_them_from_are_told_apart() -> None:
    answer = {"b": [box("hint-1", 0)]}
    for hidden, arm in ((0.0, UNASKED), (0.999999, HIDDEN)):
        made = hint_uses("p", protocol(hidden=hidden), row(answer), STANDS, None, None)
        assert made["b"] == Use("c", "r", arm, 1 / 3, 9.0)
    assert kept_hidden("p", "c", 0.999999)


def test_what_cannot_be_measured_is_left_out() -> None:
    answer = {"b": [box("hint-1", 0)]}
    none = ("2026-01-01", Hints("c", ()))
    other = look([{**PLACES[0], "x1": 3.0}])
    for made in (
        hint_uses("p", protocol(hints=False), row(answer), STANDS, look(), None),
        hint_uses("p", protocol(), row(answer, "2025-12-31"), STANDS, look(), None),  # found later
        hint_uses("p", protocol(), row(answer), STANDS, other, None),  # saw those before
        hint_uses("p", protocol(), row(answer), None, look(), None),
        hint_uses("p", protocol(), row(answer), none, None, None),
        hint_uses("p", protocol(), row({"g": "a"}), STANDS, look(), None),
    ):
        assert made == {}


@given(st.floats(-0.01, 0.01), st.sampled_from(["x1", "y1", "x2", "y2"]))
def test_thousandths_of_a_pixel_are_no_change(by: float, side: str) -> None:
    near, far = box("hint-1", 0), box("hint-1", 0)
    near[side] += by
    far[side] += 0.02 if by > 0 else -0.02
    assert [one.moved for one in from_hints({"b": [near]}, look())] == [False]
    assert [one.moved for one in from_hints({"b": [far]}, look())] == [True]


def test_the_influence_is_the_difference_of_the_sides_with_newcombes_interval() -> None:
    did = {"kept": 1, "moved": 0, "left": 2}
    saw = [Use(f"s{at}", "r", SEEN, 1.0, 9.0, did, at < 3) for at in range(12)]
    rest = [Use(f"u{at}", "r", UNASKED, 0.0, 9.0) for at in range(8)]
    hidden = [Use(f"h{at}", "r", HIDDEN, float(at < 5), 9.0) for at in range(20)]
    told = influence_of("b", "B", [*saw, *rest, *hidden])
    assert (told.kept, told.moved, told.left, told.before) == (12, 0, 24, 0.75)
    assert math.isclose(told.difference, 12 / 20 - 5 / 20)
    oracle = confint_proportions_2indep(12, 20, 5, 20, method="newcomb", compare="diff")
    assert math.isclose(told.low, oracle[0])
    assert math.isclose(told.high, oracle[1])
    few = influence_of("b", "B", [*saw, *hidden[: LEAST_CASES - 1]])
    assert math.isnan(few.difference)
    assert "Not known yet" in few.words
