# ruff: noqa: E501 - a table, one fault a line
"""Answers: those that fit a protocol and an image, and every way not to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.protocol import check_answer, read_protocol

PROTOCOL = read_protocol("""
title: All kinds
questions:
  - {id: n, prompt: P, kind: nominal, classes: [a, b], required: false}
  - {id: m, prompt: P, kind: multi-label, classes: [a, b], required: false}
  - {id: s, prompt: P, kind: score, low: 0, high: 10, required: false}
  - {id: x, prompt: P, kind: box, classes: [a, b], required: false}
  - {id: i, prompt: P, kind: instance, classes: [a, b], required: false}
  - {id: k, prompt: P, kind: mask, classes: [a, b], required: false}
""")
SIZE = {"rows": 4, "columns": 6, "frames": 2}
BOX = {"id": "1", "class": "a", "frame": 1, "x1": 0, "y1": 0.5, "x2": 6, "y2": 4}
RING = {"id": "1", "class": "b", "frame": 0, "points": [[0, 0], [6, 0], [6, 4]]}
MASK = {"frame": 0, "rows": 4, "columns": 6, "runs": [[0, 10], [2, 4], [0, 10]]}
GOOD = {"n": "a", "m": ["b", "a"], "s": 10, "x": [BOX], "i": [RING], "k": [MASK]}


def test_good_answers_pass() -> None:
    check_answer(PROTOCOL, GOOD, **SIZE)
    check_answer(PROTOCOL, {"m": [], "x": [], "i": [], "k": []}, **SIZE)
    check_answer(PROTOCOL, {}, **SIZE)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"zz": 1}, "answer n, m, s, x, i, k only"),
    ({"n": "c"}, "question n must be one of a, b; got 'c'"),
    ({"n": ["a"]}, "question n must be one of"),
    ({"n": None}, "got None"),
    ({"m": "a"}, "be a list of classes"),
    ({"m": ["a", "a"]}, "name each class once"),
    ({"m": [["a"]]}, "be one of"),
    ({"s": float("nan")}, "be a finite number; got nan"),
    ({"s": float("inf")}, "be a finite number"),
    ({"s": 10**400}, "be a finite number"),
    ({"s": True}, "be a finite number"),
    ({"s": "3"}, "be a finite number"),
    ({"s": 10.5}, "be in 0 .. 10"),
    ({"x": BOX}, "be a list"),
    ({"x": [BOX | {"x2": 6.5}]}, "question x, finding 1, x2 must be a number from 0 to 6; got 6.5"),
    ({"x": [BOX | {"x1": -1}]}, "x1 must be a number from 0 to 6; got -1"),
    ({"x": [BOX | {"x1": float("nan")}]}, "got nan"),
    ({"x": [BOX | {"x1": 5, "x2": 5}]}, "have x1 < x2; got 5 and 5"),
    ({"x": [BOX | {"y1": 4, "y2": 1}]}, "have y1 < y2"),
    ({"x": [BOX | {"class": "z"}]}, "have a class of a, b; got 'z'"),
    ({"x": [BOX | {"frame": 2}]}, "lie on a frame of 0 to 1; got 2"),
    ({"x": [BOX | {"frame": 0.0}]}, "lie on a frame"),
    ({"x": [BOX, BOX]}, "finding 2 must have an id of its own"),
    ({"x": [BOX | {"more": 1}]}, "have id, class, frame, x1"),
    ({"x": [{}]}, "have id, class"),
    ({"x": [7]}, "got 7"),
    ({"i": [RING | {"points": [[0, 0], [1, 1]]}]}, "have 3 to 20000 points; got 2 points"),
    ({"i": [RING | {"points": [[0, 0], [6, 4], [6, 0], [0, 4]]}]}, "not cross or touch itself; got a crossing at x y[3 2]"),
    ({"i": [RING | {"points": [[0, 0], [6, 0], [6, 4], [0, 0]]}]}, "not repeat its first point"),
    ({"i": [RING | {"points": [[0, 0], [3, 0], [6, 0]]}]}, "i, finding 1 must"),
    ({"i": [RING | {"points": [[0, 0], [7, 0], [6, 4]]}]}, "x must be a number from 0 to 6"),
    ({"i": [RING | {"points": [[0, 0, 0], [1, 0], [6, 4]]}]}, "have points [x, y]"),
    ({"k": [MASK | {"runs": [[0, 23]]}]}, "have runs that fill the 24 pixels of the frame; got 23"),
    ({"k": [MASK | {"runs": [[0, 25]]}]}, "got 25"),
    ({"k": [MASK | {"runs": []}]}, "1 to 24 runs"),
    ({"k": [MASK | {"runs": [[3, 24]]}]}, "have codes from 0 (background) to 2; got 3"),
    ({"k": [MASK | {"runs": [[-1, 24]]}]}, "got -1"),
    ({"k": [MASK | {"runs": [[0, 30], [1, -6]]}]}, "runs of 1 pixel or more; got -6"),
    ({"k": [MASK | {"runs": [[0, 24.0]]}]}, "whole numbers"),
    ({"k": [MASK | {"rows": 5}]}, "have 4 rows; got 5"),
    ({"k": [MASK, MASK]}, "lie on a frame of its own"),
    ({"k": [MASK, MASK | {"frame": 1}, MASK]}, "at most one mask for each of 2 frames"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "words"), BAD, ids=range(len(BAD)))
def test_faults_are_named(answer: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        check_answer(PROTOCOL, answer, **SIZE)
    assert words in str(caught.value)


def test_required_questions() -> None:
    grade = read_protocol(
        "title: T\nquestions:\n  - {id: g, prompt: P, kind: ordinal, classes: [a, b]}\n"
    )
    with pytest.raises(InputError, match="question g must be answered; got nothing"):
        check_answer(grade, {}, **SIZE)
    check_answer(grade, {}, **SIZE, complete=False)
    with pytest.raises(InputError, match="be one of"):
        check_answer(grade, {"g": "c"}, **SIZE, complete=False)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.sampled_from("nmsxik"), _json, st.integers(0, 6))
def test_any_json_is_accepted_or_refused_by_name(name: str, value: Any, at: int) -> None:
    spoilt = json.loads(json.dumps(GOOD))
    if isinstance(spoilt[name], list) and isinstance(spoilt[name][0], dict):
        keys = list(spoilt[name][0])
        spoilt[name][0][keys[at % len(keys)]] = value
    else:
        spoilt[name] = value
    said = ""
    try:
        check_answer(PROTOCOL, spoilt, **SIZE)
    except InputError as error:
        said = str(error)
    assert not said or f"question {name}" in said
