"""Mask reads: run-length coded, exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overread.errors import InputError
from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index
from overread.labels.masks import run_lengths

SCHEMA = LabelSchema(Kind.MASK, tuple(LabelClass(name) for name in ("background", "a", "b")))
INDEX = read_index(["x", "x", "y"], ["A", "B", "A"])
small = arrays(
    np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 2)
)


@given(arrays(np.int64, st.integers(0, 30), elements=st.integers(0, 2)))
def test_runs_rebuild_the_array(flat):
    value, length = run_lengths(flat)
    assert np.repeat(value, length).tolist() == flat.tolist()
    assert not np.any(value[1:] == value[:-1])


@given(small, small)
def test_masks_come_back_as_they_went_in(one, other):
    reads = mask_reads(INDEX, [one, None, other], SCHEMA)
    assert np.array_equal(reads.mask(0), one)
    assert reads.mask(1).size == 0
    assert np.array_equal(reads.mask(2), other)
    part = reads.select(np.array([2, 0]))
    assert np.array_equal(part.mask(0), other)
    assert np.array_equal(part.mask(1), one)
    assert part.unreadable.tolist() == [False, False]


def test_volumes_and_spacing():
    reads = mask_reads(INDEX, [np.ones((2, 3, 4), int)] * 3, SCHEMA, spacing_mm=(3.0, 1.0, 1.0))
    assert reads.shape.tolist() == [[2, 3, 4]] * 2
    assert reads.spacing_mm.tolist() == [[3, 1, 1]] * 2


def test_masks_of_one_case_have_one_size():
    with pytest.raises(InputError, match=r"row 2: mask must have the size \(2, 2\) of its case"):
        mask_reads(INDEX, [np.zeros((2, 2), int), np.zeros((2, 3), int), None], SCHEMA)
    with pytest.raises(InputError, match="all be 2-D or all be 3-D"):
        mask_reads(INDEX, [np.zeros((2, 2), int), None, np.zeros((2, 3, 1), int)], SCHEMA)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": np.array([0, 3, 0])}, "mask value must be in 0 .. 2; got 3"),
        ({"value": np.array([0, -1, 0])}, "mask value must be in 0 .. 2; got -1"),
        ({"length": np.array([4, 4, 3])}, "row 3: mask must have the 4 pixels of its case; got 3"),
        ({"length": np.array([4, 4, 0])}, "length must be 1 or more; got 0"),
        ({"length": np.array([4, 4])}, "length must have 3 entries"),
        ({"first": np.array([0, 1, 2])}, "first must have 4 entries"),
        ({"first": np.array([1, 1, 2, 3])}, "first must rise from 0 to 3"),
        ({"first": np.array([0, 2, 1, 3])}, "first must rise from 0 to 3"),
        ({"first": np.array([0, 1, 2, 2])}, "first must rise from 0 to 3"),
        ({"shape": np.array([[2, 2]])}, "shape must have 2 rows"),
        ({"shape": np.array([[4], [4]])}, "shape must have 2 or 3 columns"),
        ({"spacing_mm": np.array([[1.0, 1], [1, 0]])}, "spacing_mm must be above 0"),
        ({"spacing_mm": np.array([[1.0, 1]])}, "spacing_mm must have the shape of shape"),
        ({"unreadable": np.array([True])}, "unreadable must have 3 rows"),
        ({"unreadable": np.array([True, False, False])}, "row 1: mask must have the 0 pixels"),
        ({"schema": LabelSchema(Kind.BOX, SCHEMA.classes)}, "be a mask schema"),
    ],
)
def test_wrong_columns_are_refused(change, words):
    reads = mask_reads(INDEX, [np.full((2, 2), k) for k in range(3)], SCHEMA)
    with pytest.raises(InputError, match=words):
        replace(reads, **change)


def test_no_reads_at_all():
    reads = mask_reads(read_index([], []), [], SCHEMA)
    assert reads.value.size == 0


def test_of_cases_keeps_these_cases_only_and_numbers_them_anew() -> None:
    index = read_index(["a", "b", "c", "b"], ["R1", "R1", "R1", "R2"], group=["p", "q", "r", "q"])
    masks = [np.full((2, 2 + case), case % 2) for case in index.case.tolist()]
    reads = mask_reads(
        index,
        masks,
        LabelSchema(Kind.MASK, (LabelClass("0"), LabelClass("1"))),
        spacing_mm=np.ones(2),
    )
    part = reads.of_cases(np.array([2, 1]))
    assert part.index.cases.tolist() == ["c", "b"]
    assert part.index.case.tolist() == [1, 0, 1]
    assert part.shape.tolist() == [[2, 4], [2, 3]]
    assert (part.mask(0) == 1).all()
    assert part.index.group is not None
    assert part.index.groups is not None
    assert part.index.groups[part.index.group].tolist() == ["r", "q"]
