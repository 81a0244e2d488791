"""Who read which case: names, times, groups, repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InputError
from overread.labels import ReadIndex, read_index


def test_cases_keep_their_order_and_readers_take_the_natural_one():
    index = read_index(["z", "a", "z"], ["R10", "R2", "R2"])
    assert index.cases.tolist() == ["z", "a"]
    assert index.readers == ("R2", "R10")
    assert (index.case.tolist(), index.reader.tolist()) == ([0, 1, 0], [1, 0, 0])
    assert index.reads_per_case().tolist() == [2, 1]


def test_few_bytes_a_column():
    index = read_index(np.arange(1000), np.arange(1000) % 3)
    assert (index.case.dtype, index.reader.dtype) == (np.int32, np.int8)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=30))
def test_repeats_are_counted_in_row_order(rows):
    index = read_index([case for case, _ in rows], [who for _, who in rows])
    expected = [rows[:place].count(row) for place, row in enumerate(rows)]
    assert index.repeat_of().tolist() == expected


def test_extra_columns():
    index = read_index(
        ["a", "b"], ["R1", "R1"], time=["2024-01-01", "2024-01-02T03:04:05"], seconds=[1, 2.5],
        protocol=["v10", "v9"], group=["p1", "p1"],
    )  # fmt: skip
    assert index.time.astype(str).tolist() == ["2024-01-01T00:00:00", "2024-01-02T03:04:05"]
    assert index.seconds.tolist() == [1.0, 2.5]
    assert (index.protocols, index.protocol.tolist()) == (("v9", "v10"), [1, 0])
    assert (index.group.tolist(), index.groups.tolist()) == ([0, 0], ["p1"])
    part = index.select(np.array([1]))
    assert (part.n_reads, part.n_cases, part.protocol.tolist()) == (1, 2, [0])
    assert part.time.shape == part.seconds.shape == (1,)


@pytest.mark.parametrize("missing", ["", None, float("nan"), "nan", "<NA>", "NaT", " "])
def test_missing_names_are_refused_with_their_rows(missing):
    with pytest.raises(InputError, match=r"row 2: reader must be given in every row") as caught:
        read_index(["a", "b"], ["R1", missing])
    assert caught.value.rows == (2,)


def test_the_text_none_is_a_name():
    assert read_index(["None"], ["R1"]).cases.tolist() == ["None"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"seconds": [1.0, -2.0]}, r"row 2: seconds must be a number of 0 or more; got -2"),
        ({"seconds": [np.inf, 1.0]}, r"row 1: seconds must"),
        ({"group": ["p", "q"]}, r"row 1: group must be the same in all rows of one case"),
        ({"group": ["p", ""]}, r"row 2: group must be given"),
        ({"protocol": ["v1"]}, "column protocol must have 2 rows"),
        ({"time": ["2024-01-01"]}, "column time must have 2 rows"),
        ({"group": ["p"]}, "column group must have 2 rows"),
    ],
)
def test_wrong_extra_columns_are_refused(columns, words):
    with pytest.raises(InputError, match=words):
        read_index(["a", "a"], ["R1", "R2"], **columns)


def test_codes_must_be_within_their_names():
    names = np.array(["a"], dtype=np.dtypes.StringDType())
    with pytest.raises(InputError, match=r"row 2: case must be in 0 .. 0; got 1"):
        ReadIndex(np.array([0, 1]), np.array([0, 0]), names, ("R1",))
    with pytest.raises(InputError, match="column reader must have 1 rows"):
        ReadIndex(np.array([0]), np.array([0, 0]), names, ("R1",))
    with pytest.raises(InputError, match="row of whole numbers"):
        ReadIndex(np.array([0.0]), np.array([0]), names, ("R1",))


def test_no_reads_at_all():
    index = read_index([], [])
    assert (index.n_reads, index.n_cases, index.n_readers) == (0, 0, 0)
    assert index.repeat_of().tolist() == []


def test_tables_cannot_be_changed():
    index = read_index(["a"], ["R1"])
    with pytest.raises(ValueError, match="read-only"):
        index.case[0] = 1
