"""Names, codes, groups and hashes."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.arrays import (
    Coded,
    as_text,
    digest,
    encode,
    frozen,
    grouped,
    names_array,
    natural_key,
    smallest_int,
)
from overread.errors import InputError, MissingExtraError, OverreadError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), (0.5, "0.5"), (True, "1"), (np.bool_(False), "0"), (np.float32(2.0), "2"),
        (None, ""), (math.nan, ""), (" a ", "a"), ("1.0", "1.0"), (b"yes ", "yes"), (7, "7"),
        (np.bytes_(b"x"), "x"), (-0.0, "0"), (math.inf, "inf"),
    ],
)  # fmt: skip
def test_values_are_written_as_names(value, text):
    assert as_text(value) == text


def test_a_list_of_mixed_values_is_numbered_value_by_value():
    codes, names = encode([1.0, "a", True, "1", None])
    assert (codes.tolist(), names) == ([0, 1, 0, 0, 2], ["1", "a", ""])


def test_names_that_differ_by_blanks_are_one():
    codes, names = encode(np.array(["a ", "b", "a"]))
    assert (codes.tolist(), names) == ([0, 1, 0], ["a", "b"])


def test_coded_columns_pass_through():
    code = np.array([0, 1, 0], dtype=np.int32)
    codes, names = encode(Coded(code, ["x", "y"]))
    assert codes is code
    assert names == ["x", "y"]


@given(st.lists(st.one_of(st.text(max_size=3), st.integers(-3, 3), st.booleans(), st.none())))
def test_encoding_loses_nothing(values):
    codes, names = encode(values)
    assert [names[code] for code in codes] == [as_text(value) for value in values]
    assert len(set(names)) == len(names)
    seen = list(dict.fromkeys(codes.tolist()))
    assert seen == list(range(len(names)))


@given(st.lists(st.sampled_from([-1.5, 0.0, 2.0, math.nan, 7.0]), max_size=30))
def test_float_arrays_encode_like_lists(values):
    codes, names = encode(np.array(values, dtype=float))
    assert [names[code] for code in codes] == [as_text(value) for value in values]


def test_natural_order():
    names = ["R10", "R2", "b", "3", "0.5", "-1", "R2b", "nan", "x²", "01", "1"]
    assert sorted(names, key=natural_key) == [
        "-1", "0.5", "01", "1", "3", "b", "nan", "R2", "R2b", "R10", "x²",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=6), unique=True, max_size=8), st.randoms())
def test_natural_order_never_depends_on_the_rows(names, random):
    shuffled = names.copy()
    random.shuffle(shuffled)
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@pytest.mark.parametrize(
    ("top", "kind"), [(127, "i1"), (128, "i2"), (32767, "i2"), (32768, "i4"), (2**31, "i8")]
)
def test_the_smallest_type_that_holds(top, kind):
    assert smallest_int(top) == np.dtype(kind)


@given(st.lists(st.integers(0, 4), max_size=40))
def test_groups_hold_each_row_once_in_order(codes):
    order, start = grouped(np.array(codes, dtype=np.int64), 5)
    for group in range(5):
        rows = order[start[group] : start[group + 1]].tolist()
        assert rows == [row for row, code in enumerate(codes) if code == group]
    assert start[-1] == len(codes)


def test_frozen_arrays_cannot_be_written():
    array = np.arange(3)
    with pytest.raises(ValueError, match="read-only"):
        frozen(array)[0] = 9
    assert names_array(["a", "é"]).tolist() == ["a", "é"]


def test_digest_tells_type_shape_value_and_text_apart():
    parts = [
        np.arange(4), np.arange(4).astype(np.int32), np.arange(4).reshape(2, 2), np.arange(1, 5),
        names_array(["0", "1"]), "0", 0, ("0", "1"),
    ]  # fmt: skip
    assert max(Counter(digest(part) for part in parts).values()) == 1
    assert digest(np.arange(4)) == digest(np.arange(8)[:4].copy())
    assert digest("a", "b") != digest("ab")


def test_messages_name_rows_rule_value_and_remedy():
    error = InputError("x2", "be above x1", 3, rows=range(1, 9), remedy="Swap them.")
    assert str(error) == ("rows 1, 2, 3, 4, 5 and 3 more: x2 must be above x1; got 3. Swap them.")
    assert isinstance(error, OverreadError)
    assert isinstance(error, ValueError)
    assert str(InputError("a", "be b", "c", rows=[4])) == "row 4: a must be b; got c"
    assert "pip install 'overread[images]'" in str(MissingExtraError("Reading PNG", "images"))
