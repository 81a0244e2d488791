"""Class, multi-label and score reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InputError
from overread.labels import (
    CANNOT_BE_READ,
    UNREADABLE,
    ClassReads,
    Kind,
    LabelClass,
    LabelSchema,
    MultiLabelReads,
    ScoreReads,
    class_reads,
    read_index,
    score_reads,
)


def test_classes_come_in_natural_order_and_small():
    reads = class_reads(["a", "b", "c"], ["R1"] * 3, [10.0, 9.0, 10.0])
    assert reads.schema.names == ("9", "10")
    assert reads.label.tolist() == [1, 0, 1]
    assert reads.label.dtype == np.int8
    assert reads.schema.kind is Kind.NOMINAL
    assert class_reads(["a"], ["R"], ["x"], ordinal=True).schema.kind is Kind.ORDINAL


def test_the_order_of_a_given_schema_holds():
    reads = class_reads(["a", "b"], ["R", "R"], ["mild", "none"], schema=["none", "mild", "severe"])
    assert reads.label.tolist() == [1, 0]
    assert reads.n_classes == 3


def test_unknown_classes_are_named_by_row():
    with pytest.raises(InputError, match=r"row 2: label must be one of a, b; got 'c'"):
        class_reads(["x", "y"], ["R", "R"], ["a", "c"], schema=["a", "b"])


@pytest.mark.parametrize("missing", ["", None, np.nan, "nan"])
def test_a_missing_label_is_not_a_class(missing):
    with pytest.raises(InputError, match="row 1: label must be given in every row"):
        class_reads(["x", "y"], ["R", "R"], [missing, "a"])


def test_the_text_none_is_a_class():
    assert class_reads(["x"], ["R"], ["None"]).schema.names == ("None",)


def test_cannot_be_read_is_no_class():
    reads = class_reads(["x", "y"], ["R", "R"], [CANNOT_BE_READ, "a"])
    assert reads.label.tolist() == [UNREADABLE, 0]
    assert reads.schema.names == ("a",)
    assert reads.answered().index.n_reads == 1
    assert reads.counts().tolist() == [[0], [1]]
    only = class_reads(["x"], ["R"], ["?"], unreadable="?")
    assert only.label.tolist() == [UNREADABLE]


def test_two_different_answers_of_one_reader_are_refused():
    with pytest.raises(InputError, match=r"rows 1, 3: label .* got 'a' and 'b'") as caught:
        class_reads(["x", "y", "x"], ["R", "R", "R"], ["a", "a", "b"])
    assert "repeats" in caught.value.remedy


def test_equal_answers_count_once():
    reads = class_reads(["x", "x", "y"], ["R", "R", "R"], ["a", "a", "b"])
    assert reads.index.n_reads == 2


@pytest.mark.parametrize(
    ("repeats", "kept"), [("keep", ["a", "b", "a"]), ("first", ["a"]), ("last", ["a"])]
)
def test_rules_for_repeats(repeats, kept):
    reads = class_reads(["x"] * 3, ["R"] * 3, ["a", "b", "a"], repeats=repeats, schema=["a", "b"])
    assert [reads.schema.names[code] for code in reads.label] == kept


def test_the_last_read_is_the_latest_not_the_lowest():
    time = ["2024-05-02", "2024-05-01"]
    reads = class_reads(["x", "x"], ["R", "R"], ["new", "old"], time=time, repeats="last")
    assert reads.schema.names[reads.label[0]] == "new"


def test_time_and_protocol_tell_reads_apart():
    two = {"case": ["x", "x"], "reader": ["R", "R"], "label": ["a", "b"]}
    assert class_reads(**two, time=["2024-05-02", "2024-05-01"]).index.n_reads == 2
    assert class_reads(**two, protocol=["1", "2"]).index.n_reads == 2
    for time in (["2024-05-02"] * 2, ["NaT", "2024-05-02"], ["NaT", "NaT"]):
        with pytest.raises(InputError, match="rows 1, 2: label"):
            class_reads(**two, time=time)


def test_repeats_must_be_a_known_rule():
    with pytest.raises(InputError, match="repeats must be error, keep, first or last"):
        class_reads(["x"], ["R"], ["a"], repeats="none")


rows = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("AB"), st.sampled_from("abc?")), max_size=25
)


@given(rows)
def test_counts_and_matrix_against_a_loop(table):
    case, reader, label = ([row[place] for row in table] for place in range(3))
    reads = class_reads(case, reader, label, repeats="keep", schema=["a", "b", "c"], unreadable="?")
    cases, readers = reads.index.cases.tolist(), reads.index.readers
    counts = [[sum(r[0] == c and r[2] == k for r in table) for k in "abc"] for c in cases]
    assert reads.counts().tolist() == counts
    matrix = [
        [next(("abc".find(r[2]) for r in table if r[:2] == (c, who)), -1) for who in readers]
        for c in cases
    ]
    assert reads.matrix().tolist() == matrix


@given(rows)
def test_first_and_last_against_a_loop(table):
    case, reader, label = ([row[place] for row in table] for place in range(3))
    for repeats in ("first", "last"):
        seen = {row[:2]: row[2] for row in (table if repeats == "last" else table[::-1])}
        reads = class_reads(case, reader, label, repeats=repeats, schema=list("abc?"))
        index = reads.index
        said = {
            (index.cases[c], index.readers[r]): reads.schema.names[k]
            for c, r, k in zip(index.case, index.reader, reads.label, strict=True)
        }
        assert said == seen


def test_tables_check_their_columns():
    index = read_index(["x"], ["R"])
    schema = LabelSchema(Kind.NOMINAL, (LabelClass("a"),))
    for label in (np.array([1]), np.array([-2])):
        with pytest.raises(InputError, match=r"row 1: label must be in 0 .. 0 or -1"):
            ClassReads(index, label, schema)
    with pytest.raises(InputError, match="column label must have 1 rows"):
        ClassReads(index, np.array([0, 0]), schema)
    with pytest.raises(InputError, match="whole numbers"):
        ClassReads(index, np.array([0.0]), schema)
    with pytest.raises(InputError, match="schema must be nominal or ordinal"):
        ClassReads(index, np.array([0]), LabelSchema(Kind.BOX, schema.classes))


def test_sets_of_classes():
    index = read_index(["x", "y"], ["R", "R"])
    schema = LabelSchema(Kind.MULTILABEL, (LabelClass("a"), LabelClass("b")))
    reads = MultiLabelReads(index, np.array([[1, 0], [-1, -1]], dtype=np.int8), schema)
    assert reads.of_class(0).label.tolist() == [1, -1]
    assert reads.of_class(0).schema.names == ("absent", "present")
    assert reads.select(np.array([True, False])).present.tolist() == [[1, 0]]
    with pytest.raises(InputError, match=r"row 1: present must be 1, 0 or -1 .*; got 2"):
        MultiLabelReads(index, np.array([[2, 0], [0, 0]], dtype=np.int8), schema)
    with pytest.raises(InputError, match=r"shape \(2, 2\)"):
        MultiLabelReads(index, np.zeros((1, 2), dtype=np.int8), schema)
    with pytest.raises(InputError, match="be multi-label"):
        MultiLabelReads(index, np.zeros((2, 2), dtype=np.int8), class_reads([1], [1], [1]).schema)


def test_scores():
    reads = score_reads(["x", "y", "z"], ["R"] * 3, ["1.5", 2, CANNOT_BE_READ], low=0, high=2)
    assert reads.value[:2].tolist() == [1.5, 2.0]
    assert np.isnan(reads.value[2])
    assert reads.answered().index.n_reads == 2
    assert score_reads(["x"] * 2, ["R"] * 2, [1, 1]).index.n_reads == 1
    assert score_reads(["x"] * 2, ["R"] * 2, [1, 3], repeats="keep").index.n_reads == 2


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0, np.nan], "row 2: value must be given"),
        ([1.0, 5.0], r"row 2: value must be a finite number in 0 .. 2; got 5"),
        (["a", 1], "row 1: value must be a number; got 'a'"),
        ([np.inf, 1.0], "row 1: value must be"),
        (["inf", 1.0], "row 1: value must be"),
    ],
)
def test_bad_scores_are_refused(value, words):
    with pytest.raises(InputError, match=words):
        score_reads(["x", "y"], ["R", "R"], value, low=0, high=2)


def test_score_tables_check_their_schema():
    index = read_index(["x"], ["R"])
    with pytest.raises(InputError, match="score schema"):
        ScoreReads(index, np.array([1.0]), class_reads([1], [1], [1]).schema)


def test_different_scores_of_one_reader_are_refused():
    with pytest.raises(InputError, match="rows 1, 2: label"):
        score_reads(["x", "x"], ["R", "R"], [1.0, 2.0])
    with pytest.raises(InputError, match="rows 1, 2: label"):
        score_reads(["x", "x"], ["R", "R"], [1.0, CANNOT_BE_READ])
    both = score_reads(["x", "x"], ["R", "R"], [CANNOT_BE_READ] * 2)
    assert both.index.n_reads == 1
