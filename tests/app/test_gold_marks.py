"""What an answer is worth beside the right one, by counts made by hand; figures of many."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from overread.agreement.proportions import f1_interval, wilson
from overread.app.quality.gold_figures import figures, score_words, verdict
from overread.app.quality.gold_marks import NOTHING, marks_of
from overread.app.quality.gold_words import atlas_entries, mark_lines
from overread.protocol import Protocol, read_protocol

IMAGE = {"rows": 10, "columns": 10, "frames": 2}
QUESTIONS = {
    "nominal": "kind: nominal, classes: [Yes, No]",
    "ordinal": 'kind: ordinal, classes: ["0", "1", "2", "3"]',
    "multi-label": "kind: multi-label, classes: [A, B, C]",
    "score": "kind: score, low: 0, high: 100",
    "box": "kind: box, classes: [A, B]",
    "instance": "kind: instance, classes: [A, B]",
    "mask": "kind: mask, classes: [A, B]",
}


FIRST = {"nominal": "Yes", "ordinal": '"1"', "score": ""}


def asking(kind: str, more: str = "") -> Protocol:
    """One question of a kind, with an atlas entry of a class."""
    name = FIRST.get(kind, "A")
    atlas = f"atlas: [{{id: a, question: q, class: {name}, do: true, why: So.}}]\n" if name else ""
    question = f"  - {{id: q, prompt: P, {QUESTIONS[kind]}}}\n"
    demand = f"qualification: {{least_cases: 2{more}}}\n"
    return read_protocol(f"title: T\nquestions:\n{question}{demand}{atlas}")


def box(name: str, x: float, y: float, side: float = 4, frame: int = 0) -> dict[str, Any]:
    ends = {"x1": x, "y1": y, "x2": x + side, "y2": y + side}
    return {"id": f"{name}{x}{y}", "class": name, "frame": frame, **ends}


def ring(name: str, x: float, side: float = 4) -> dict[str, Any]:
    points = [[x, 0], [x + side, 0], [x + side, side], [x, side]]
    return {"id": f"{name}{x}", "class": name, "frame": 0, "points": points}


def mask(*runs: tuple[int, int], frame: int = 0) -> dict[str, Any]:
    return {"frame": frame, "rows": 10, "columns": 10, "runs": [list(one) for one in runs]}


def marked(kind: str, right: Any, said: Any, more: str = "") -> list[dict[str, Any]]:
    answer = None if said is None else {"q": said}
    return marks_of(asking(kind, more), {"q": right}, answer, IMAGE)["q"]


def test_classes_and_grades() -> None:
    assert marked("nominal", "Yes", "Yes") == [{"class": "Yes", "sum": 1, "n": 1}]
    assert marked("nominal", "Yes", None) == [{"class": "Yes", "sum": 0, "n": 1}]
    (exact,) = marked("ordinal", "2", "3")
    assert (exact["sum"], exact["exact"], exact["near"]) == (0, 0, 1)
    (near,) = marked("ordinal", "2", "3", ", grades: within_one")
    assert near["sum"] == 1
    assert marked("ordinal", "2", "0", ", grades: within_one")[0]["sum"] == 0


def test_scores_have_a_tolerance() -> None:
    assert marked("score", 50, 60)[0]["sum"] == 1  # a tenth of 0 to 100
    assert marked("score", 50, 61)[0]["sum"] == 0
    assert marked("score", 50, 61, ", tolerance: 11")[0]["sum"] == 1


def test_sets_count_what_is_there_and_what_is_not() -> None:
    found = marked("multi-label", ["A", "B"], ["B", "C"])
    counts = {one["class"]: (one["found"], one["missed"], one["extra"]) for one in found}
    assert counts == {"A": (0, 1, 0), "B": (1, 0, 0), "C": (0, 0, 1)}
    assert marked("multi-label", [], []) == []


def test_boxes_match_one_to_one_by_class_and_frame() -> None:
    right = [box("A", 0, 0), box("A", 5, 5), box("B", 0, 5)]
    said = [box("A", 0, 1), box("A", 0, 0.5), box("B", 0, 5, frame=1), box("A", 0, 5)]
    counts = {one["class"]: one for one in marked("box", right, said)}
    assert [counts["A"][k] for k in ("found", "missed", "extra")] == [1, 1, 2]
    assert [counts["B"][k] for k in ("found", "missed", "extra")] == [0, 1, 1]
    assert counts["A"]["overlap"] == pytest.approx(3.5 / 4.5, abs=1e-6)
    assert marked("box", [], []) == []
    assert marked("box", [box("A", 0, 0)], None)[0]["missed"] == 1


def test_the_overlap_that_counts_is_the_protocols() -> None:
    right, said = [box("A", 0, 0)], [box("A", 0, 1)]  # IoU 3 / 5
    assert marked("box", right, said)[0]["found"] == 1
    assert marked("box", right, said, ", overlap: 0.7")[0]["found"] == 0


def test_outlines_match_as_boxes_do() -> None:
    (one,) = marked("instance", [ring("A", 0)], [ring("A", 1)])
    assert (one["found"], one["overlap"]) == (1, pytest.approx(12 / 20))


def test_masks_by_dice_over_all_frames() -> None:
    right = [mask((1, 10), (0, 90)), mask((2, 20), (0, 80), frame=1)]
    said = [mask((1, 5), (2, 5), (0, 90))]
    dice = {one["class"]: one["sum"] for one in marked("mask", right, said)}
    assert dice == {"A": pytest.approx(10 / 15, abs=1e-6), "B": 0}
    assert marked("mask", [], []) == [{"class": NOTHING, "sum": 1, "n": 1}]
    assert marked("mask", [], None) == [{"class": NOTHING, "sum": 0, "n": 1}]


def test_gold_of_an_older_protocol_is_left_out() -> None:
    assert marks_of(asking("nominal"), {"q": "Maybe"}, {"q": "Yes"}, IMAGE) == {}


def test_figures_and_the_verdict() -> None:
    protocol = asking("box", ", pass_mark: 0.7")
    both = [marks_of(protocol, {"q": [box("A", 0, 0)]}, {"q": said}, IMAGE)
            for said in ([box("A", 0, 0)], [box("A", 5, 5)])]  # fmt: skip
    (one,) = figures(protocol, both)
    assert (one.whole.estimate, one.whole.n, one.whole.overlap) == (0.5, 3, 1)
    assert not verdict(protocol, both).passed
    assert verdict(protocol, both[:1] * 2).passed
    assert not verdict(protocol, [{"q": []}] * 2).passed  # nothing was shown
    assert score_words(verdict(protocol, both).score).startswith("F1 0.50 (")


def test_the_lower_bound_is_held_against_the_mark() -> None:
    text = "title: T\nquestions:\n  - {id: q, prompt: P, kind: nominal, classes: [Yes, No]}\n"
    protocol = read_protocol(
        text + "qualification: {least_cases: 20, pass_mark: 0.8, rule: lower_bound}\n"
    )
    right, wrong = ({"q": [{"class": "Yes", "sum": s, "n": 1}]} for s in (1, 0))
    assert verdict(protocol, [right] * 20).passed
    assert not verdict(protocol, [*[right] * 19, wrong]).passed  # 0.95, but 0.76 at the lower end


def test_words_and_atlas_entries() -> None:
    protocol = asking("ordinal")
    right, said = {"q": "1"}, {"q": "3"}
    marks = marks_of(protocol, right, said, IMAGE)
    assert mark_lines(protocol, right, said, marks) == [
        ("P", "The right answer is 1; you said 3.", False)
    ]
    assert atlas_entries(protocol, right, said) == ["a"]
    assert atlas_entries(protocol, {"q": "0"}, None) == []
    assert atlas_entries(protocol, {"q": "0"}, None, "a") == ["a"]
    boxes = asking("box")
    right, said = {"q": [box("A", 0, 0)]}, {"q": [box("B", 5, 5)]}
    (line,) = mark_lines(boxes, right, said, marks_of(boxes, right, said, IMAGE))
    assert line[1:] == ("0 of 1 found; 1 too many (missed A, B is not there).", False)


@settings(deadline=None)
@given(st.integers(1, 300), st.floats(0, 1))
def test_wilson_is_that_of_scipy(n: int, share: float) -> None:
    right = round(share * n)
    known = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((known.low, known.high), abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_lies_within_its_interval(found: int, missed: int, extra: int) -> None:
    value, low, high = f1_interval(found, missed, extra)
    if not found + missed + extra:
        assert math.isnan(value)
        return
    assert value == pytest.approx(2 * found / (2 * found + missed + extra))
    assert 0 <= low <= value + 1e-12
    assert value <= high + 1e-12 <= 1 + 1e-9
