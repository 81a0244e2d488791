"""What the others say together: more than half of two or more, and no line of any one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.analysis.project_reads import Said, mask_array
from overread.app.quality.feedback_words import concerned
from overread.app.quality.others import of_the_others
from overread.protocol import Question, read_protocol

IMAGE = {"rows": 60, "columns": 80, "frames": 2}
KINDS = ("nominal", "ordinal", "multi-label", "box", "instance", "mask")


def question(kind: str) -> Question:
    more = "classes: [a, b, c]" if kind != "score" else "low: 0, high: 10"
    text = f"title: T\nquestions:\n  - {{id: q, prompt: P, kind: {kind}, {more}}}\n"
    return read_protocol(text).questions[0]


def said(*values: Any) -> list[Said]:
    return [Said("case", f"R{at}", value) for at, value in enumerate(values)]


def box(x: float, y: float, side: float = 20, name: str = "a", frame: int = 0) -> dict[str, Any]:
    return {
        "id": "1", "class": name, "frame": frame, "x1": x, "y1": y, "x2": x + side, "y2": y + side,
    }  # fmt: skip


def ring(x: float, y: float, side: float = 20) -> dict[str, Any]:
    points = [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
    return {"id": "1", "class": "a", "frame": 0, "points": points}


def mask(left: int, right: int, code: int = 1) -> dict[str, Any]:
    """Columns from left to right of frame 1."""
    row = [[0, left], [code, right - left], [0, 80 - right]]
    return {"frame": 1, "rows": 60, "columns": 80, "runs": [run for _ in range(60) for run in row]}


@pytest.mark.parametrize("kind", [*KINDS, "score"])
def test_one_other_is_no_consensus(kind: str) -> None:
    value = {"nominal": "a", "ordinal": "a", "multi-label": ["a"], "score": 3.0, "box": [box(1, 1)],
             "instance": [ring(1, 1)], "mask": [mask(1, 9)]}[kind]  # fmt: skip
    assert of_the_others(question(kind), said(value), IMAGE) is None
    assert of_the_others(question(kind), said(value, None), IMAGE) is None
    assert of_the_others(question(kind), said(value, value, None, None), IMAGE) is None
    assert of_the_others(question(kind), [], IMAGE) is None


@pytest.mark.parametrize(
    ("values", "shared"),
    [(["a", "a"], "a"), (["a", "b"], None), (["a", "b", "b"], "b"), (["a", "b", "c"], None),
     (["a", "a", "b", "b"], None)],
)  # fmt: skip
def test_classes_take_more_than_half(values: Sequence[str], shared: str | None) -> None:
    assert of_the_others(question("nominal"), said(*values), IMAGE) == shared
    assert of_the_others(question("ordinal"), said(*values), IMAGE) == shared


def test_sets_and_scores() -> None:
    sets = question("multi-label")
    assert of_the_others(sets, said(["a", "b"], ["b"]), IMAGE) == ["b"]
    assert of_the_others(sets, said(["a"], ["b"]), IMAGE) == []
    assert of_the_others(sets, said(["a"], ["a", "c"], ["c"]), IMAGE) == ["a", "c"]
    # a median of three would be one reader's own number
    assert of_the_others(question("score"), said(1.0, 2.0, 6.0), IMAGE) == 3.0


def test_boxes_are_the_mean_of_those_that_meet() -> None:
    boxes = question("box")
    found = of_the_others(boxes, said([box(10, 10)], [box(14, 12), box(50, 30)]), IMAGE)
    assert found is not None
    (one,) = found
    assert [one[side] for side in ("x1", "y1", "x2", "y2")] == [12, 11, 32, 31]
    assert of_the_others(boxes, said([box(10, 10)], [box(50, 30)]), IMAGE) == []
    assert of_the_others(boxes, said([box(10, 10)], [box(10, 10, frame=1)]), IMAGE) == []
    assert of_the_others(boxes, said([], []), IMAGE) == []


def test_outlines_and_masks_are_shared_ground() -> None:
    outlines = question("instance")
    found = of_the_others(outlines, said([ring(10, 10)], [ring(12, 10), ring(50, 30)]), IMAGE)
    assert found is not None
    assert len(found) == 1
    found = of_the_others(question("mask"), said([mask(10, 30)], [mask(20, 40)]), IMAGE)
    painted = mask_array(found or [], IMAGE)
    assert painted[0].sum() == 0
    assert np.flatnonzero(painted[1][0]).tolist() == list(range(20, 30))
    apart = said([mask(10, 30, code=1)], [mask(10, 30, code=2)])
    assert of_the_others(question("mask"), apart, IMAGE) == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 35)), max_size=3),
                min_size=2, max_size=4))  # fmt: skip
def test_no_box_rests_on_one_reader_alone(drawn: list[list[tuple[int, int]]]) -> None:
    values = [[box(x + 0.13 * k, y + 0.29 * k) for x, y in one] for k, one in enumerate(drawn)]
    for one in of_the_others(question("box"), said(*values), IMAGE) or ():
        middle = np.array([one["x1"] + one["x2"], one["y1"] + one["y2"]]) / 2
        near = sum(
            any(np.abs(np.array([b["x1"] + 10, b["y1"] + 10]) - middle).max() < 20 for b in boxes)
            for boxes in values
        )
        assert near > len(values) / 2
        assert near >= 2


def test_a_guideline_gives_the_parts_that_concern_a_topic() -> None:
    text = "Read all.\n# Size\nThe box holds both cortices.\n## Tight\nNo air.\n# Light\nDim.\n"
    assert concerned(text, ["size"]) == "# Size\nThe box holds both cortices."
    assert concerned(text, ["Cortices", "dim"]) == (
        "# Size\nThe box holds both cortices.\n# Light\nDim."
    )
    assert concerned(text, ["nothing"]) == text.strip()
    assert concerned("", ["size"]) == ""
