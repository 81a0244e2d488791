"""Each reader with the others, each other one and themselves: one figure each, of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from overread.app.analysis.mask_frames import frame_masks, packed
from overread.app.analysis.project_reads import Said, read_table
from overread.app.analysis.readers_agree import agree_of, study_of, within_of
from overread.app.study.project_model import question_model
from overread.labels import Kind
from overread.protocol import read_protocol

IMAGE = {"rows": 40, "columns": 40, "frames": 1}
CASES = 24


def table(kind: str, readers: str = "ABC", *, twice: bool = False) -> Any:
    """A and B say the same; C says something else in every third case."""
    more = "low: 0, high: 10" if kind == "score" else "classes: [x, y, z]"
    text = f"title: T\nquestions:\n  - {{id: q, prompt: P, kind: {kind}, {more}}}\n"
    question = read_protocol(text).questions[0]
    said = [
        Said(f"k{case}", who, value(kind, case + (who == "C" and case % 3 == 0), case))
        for _ in range(1 + twice)
        for case in range(CASES)
        for who in readers
    ]
    images = {f"k{case}": IMAGE for case in range(CASES)}
    if question.kind is Kind.MASK:
        said = [Said(one.case, one.reader, packed(one.value)) for one in said]
        return question, frame_masks(question, said, images)
    return question, read_table(question, said, images)


def value(kind: str, at: int, case: int) -> Any:
    name = "xyz"[at % 3]
    moved = 2.0 + 12 * (at - case)
    if kind in {"nominal", "ordinal"}:
        return name
    if kind == "multi-label":
        return [name]
    if kind == "score":
        return float(case % 7 + 2 * (at - case))
    finding = {"id": "1", "class": "x", "frame": 0}
    if kind == "box":
        return [{**finding, "x1": moved, "y1": 2, "x2": moved + 10, "y2": 12}]
    if kind == "instance":
        ring = [[moved, 2], [moved + 10, 2], [moved + 10, 12], [moved, 12]]
        return [{**finding, "points": ring}]
    left = int(moved)
    row = [[0, left], [1, 10], [0, 30 - left]]
    return [
        {"frame": 0, "rows": 40, "columns": 40, "runs": [one for _ in range(40) for one in row]}
    ]


KINDS = ("nominal", "ordinal", "multi-label", "box", "instance", "mask", "score")


@pytest.mark.parametrize("kind", KINDS)
def test_who_differs_stands_apart_in_every_kind(kind: str) -> None:
    question, reads = table(kind)
    agree = agree_of(study_of(reads, draws=100))
    assert set(agree.against) == {"A", "B", "C"}
    assert set(agree.pairs) == {("A", "B"), ("A", "C"), ("B", "C")}
    a, c = agree.against["A"], agree.against["C"]
    if agree.share:
        assert a.value > c.value
    else:
        assert abs(a.value) < abs(c.value)
    assert agree.pairs["A", "B"].value > agree.pairs["A", "C"].value
    for one in (*agree.against.values(), *agree.pairs.values()):
        assert one.n > 0
        assert np.isnan(one.low) or one.low - 1e-9 <= one.value <= one.high + 1e-9
    model = question_model(question, reads)
    assert model.agree is not None
    assert model.agree.against.keys() == agree.against.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_repeats_tell_how_far_a_reader_agrees_with_themselves(kind: str) -> None:
    _, reads = table(kind, "AC", twice=True)
    name, within = within_of(reads, draws=100)
    assert set(within) == {"A", "C"}
    best = 0.0 if "SD" in name else 1.0
    assert all(abs(one.value - best) < 1e-9 for one in within.values())


def test_without_repeats_there_is_no_figure() -> None:
    _, reads = table("box")
    assert within_of(reads, draws=100)[1] == {}
