"""Box and instance reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InputError
from overread.labels import BoxReads, InstanceReads, Kind, LabelClass, LabelSchema, read_index

CLASSES = (LabelClass("nodule"), LabelClass("mass"))
BOXES = LabelSchema(Kind.BOX, CLASSES)
INSTANCES = LabelSchema(Kind.INSTANCE, CLASSES)
INDEX = read_index(["x", "x", "y"], ["A", "B", "A"])
SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])


def boxes(box=((0, 0, 4, 4), (1, 1, 3, 3)), read=(0, 2), label=(0, 1), **columns):
    return BoxReads(
        INDEX, np.array(read, dtype=np.int64), np.array(label, dtype=np.int64),
        np.array(box, dtype=float).reshape(-1, 4), BOXES, **columns,
    )  # fmt: skip


def instances(rings=(SQUARE, SQUARE[:3]), read=(0, 2), label=(0, 1), **columns):
    first = np.cumsum([0, *map(len, rings)])
    point = np.concatenate(rings) if rings else np.empty((0, 2))
    read, label = np.array(read, dtype=np.int64), np.array(label, dtype=np.int64)
    return InstanceReads(INDEX, read, label, point, first, INSTANCES, **columns)


def test_reads_own_their_findings():
    assert boxes().start().tolist() == [0, 1, 1, 2]
    assert instances().start().tolist() == [0, 1, 1, 2]


@given(st.lists(st.integers(0, 2), max_size=4), st.lists(st.integers(0, 2), max_size=6))
def test_selection_against_a_loop(chosen, owners):
    owners = sorted(owners)
    box = [(k, 0, k + 1, 1) for k in range(len(owners))]
    table = boxes(box, owners, [0] * len(owners))
    part = table.select(np.array(chosen, dtype=np.int64))
    mine = {read: [f for f, owner in enumerate(owners) if owner == read] for read in range(3)}
    expected = [(new, box[f]) for new, read in enumerate(chosen) for f in mine[read]]
    assert list(zip(part.read.tolist(), map(tuple, part.box), strict=True)) == expected
    rings = [SQUARE + k for k in range(len(owners))]
    outlined = instances(rings, owners, [0] * len(owners)).select(np.array(chosen, dtype=np.int64))
    assert [ring[0, 0] for ring in outlined.outlines()] == [b[0] for _, b in expected]


def test_boxes_around_outlines():
    assert instances().boxes().tolist() == [[0, 0, 4, 4], [0, 0, 4, 4]]
    assert instances((), (), ()).boxes().shape == (0, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"box": ((4, 0, 0, 4), (0, 0, 1, 1))}, r"row 1: box must have x1 < x2; got x1 = 4"),
        ({"box": ((0, 0, 1, 1), (0, 2, 1, 2))}, r"row 2: box must have y1 < y2"),
        ({"box": ((0, 0, np.nan, 1), (0, 0, 1, 1))}, "row 1: box must have four finite"),
        ({"box": ((0, 0, 1, 1),)}, r"box must have shape \(2, 4\)"),
        ({"read": (2, 0)}, "read must rise"),
        ({"read": (0, 3)}, "read must rise"),
        ({"label": (0, 2)}, r"row 2: label must be in 0 .. 1; got 2"),
        ({"label": (0,)}, "label must have 2 rows"),
        ({"unreadable": np.array([False, False, True])}, "row 2: a read must say one thing"),
        ({"unreadable": np.array([False])}, "unreadable must have 3 rows"),
        ({"image_size": np.array([[3, 9], [9, 9]])}, "of 3 x 9 pixels; got 0, 0, 4, 4"),
        ({"image_size": np.array([[3, 9]])}, r"image_size must have shape \(2, 2\)"),
        ({"spacing_mm": np.array([[1.0, 0.0], [1, 1]])}, "spacing_mm must be above 0"),
    ],
)  # fmt: skip
def test_wrong_boxes_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        boxes(**change)


def test_unknown_sizes_bound_nothing():
    assert boxes(image_size=np.array([[0, 0], [9, 9]])).box.shape == (2, 4)
    assert boxes(spacing_mm=np.array([[np.nan, np.nan], [1, 1]])).spacing_mm is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rings": (SQUARE[:2], SQUARE)}, "row 1: outline must have at least 3 points; got 2"),
        ({"rings": (SQUARE * np.nan, SQUARE)}, "finite"),
        ({"image_size": np.array([[3, 3], [9, 9]])}, "row 1: box must lie inside"),
    ],
)
def test_wrong_outlines_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        instances(**change)


def test_the_kind_of_the_schema_is_checked():
    with pytest.raises(InputError, match="be a box schema"):
        BoxReads(INDEX, np.array([0]), np.array([0]), np.array([[0.0, 0, 1, 1]]), INSTANCES)


def test_points_and_starts_must_fit():
    with pytest.raises(InputError, match="first must begin with 0"):
        InstanceReads(INDEX, np.array([0]), np.array([0]), SQUARE, np.array([1, 4]), INSTANCES)
    with pytest.raises(InputError, match="point must have shape"):
        InstanceReads(INDEX, np.array([0]), np.array([0]), SQUARE, np.array([0, 3]), INSTANCES)
    with pytest.raises(InputError, match="first must have 2 entries"):
        InstanceReads(INDEX, np.array([0]), np.array([0]), SQUARE, np.array([0, 2, 4]), INSTANCES)
