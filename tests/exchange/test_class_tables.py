"""Classes, grades, scores and sets of classes from tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from overread.errors import InputError
from overread.exchange import (
    Columns,
    class_matrix,
    detect_kind,
    read_classes,
    read_label_rows,
    read_label_sets,
    read_scores,
)
from overread.labels import Kind

TABLE = {"case": ["x", "y", "x"], "reader": ["A", "A", "B"], "label": ["b", "a", "a"]}


def test_names_by_option():
    table = {"item": ["x"], "Rater": ["A"], "rating": ["3"]}
    reads = read_classes(table, columns=Columns(case="item", reader="rater", label="rating"))
    assert reads.schema.names == ("3",)


def test_extra_columns_are_taken_when_there():
    table = TABLE | {
        "time": ["2024-05-31 14:05:00", "2024-05-31T14:05:00+02:00", "2024-05-31"],
        "seconds": ["1.5", "", "3"], "protocol": ["2", "1", "2"], "group": ["p", "q", "p"],
    }  # fmt: skip
    index = read_classes(table).index
    assert index.time.astype(str).tolist() == [
        "2024-05-31T14:05:00", "2024-05-31T12:05:00", "2024-05-31T00:00:00"
    ]  # fmt: skip
    assert np.array_equal(index.seconds, np.float32([1.5, np.nan, 3]), equal_nan=True)
    assert index.protocols == ("1", "2")
    assert index.groups.tolist() == ["p", "q"]
    without = read_classes(table, columns=Columns(time="", seconds="", protocol="", group=""))
    assert without.index.time is without.index.group is None
    with pytest.raises(InputError, match='have a column "when"'):
        read_classes(table, columns=Columns(time="when"))


def test_times_of_frames():
    moments = pl.Series(["2024-05-31T14:05:00"] * 3).str.to_datetime(time_zone="Europe/Berlin")
    for column in (moments, moments.to_list(), moments.dt.date().cast(pl.Date)):
        index = read_classes(TABLE | {"time": column}).index
        assert str(index.time[0])[:10] == "2024-05-31"
    assert str(read_classes(TABLE | {"time": moments}).index.time[0]) == "2024-05-31T12:05:00"


@pytest.mark.parametrize("time", ["yesterday", "12", "20240531", "2024-13-01"])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(InputError, match=r'row 2: time must be a date .* none by time=""'):
        read_classes(TABLE | {"time": ["2024-05-31", time, "2024-05-31"]})


def test_blank_answers():
    table = TABLE | {"label": ["b", None, "a"]}
    with pytest.raises(InputError, match=r"row 2: label must be given"):
        read_classes(table)
    reads = read_classes(table, blank="skip")
    assert (reads.index.n_reads, reads.index.cases.tolist()) == (2, ["x"])
    with pytest.raises(InputError, match=r"row 3: label must be one of b; got 'a'"):
        read_classes(table, blank="skip", schema=["b"])
    with pytest.raises(InputError, match="blank must be error or skip"):
        read_classes(table, blank="drop")
    with pytest.raises(InputError, match="nothing in all rows"):
        read_classes(TABLE | {"label": [None] * 3}, blank="skip")


@pytest.mark.parametrize("missing", ["NA", "nan", "N/A", "null", "<NA>", " "])
def test_the_usual_words_for_nothing(missing):
    with pytest.raises(InputError, match="row 1: label must be given"):
        read_classes(TABLE | {"label": [missing, "a", "a"]})


def test_messages_hold_no_names():
    table = {"case": ["Mr Smith"] * 2, "reader": ["Dr Jones"] * 2, "label": ["a", "b"]}
    with pytest.raises(InputError) as caught:
        read_classes(table)
    assert "Smith" not in str(caught.value)
    assert "Jones" not in str(caught.value)
    assert caught.value.rows == (1, 2)


def test_matrices():
    reads = class_matrix(np.array([[1, np.nan], [2, 1]]), readers=["A", "B"])
    assert reads.index.n_reads == 3
    assert reads.matrix().tolist() == [[0, -1], [1, 0]]
    with pytest.raises(InputError, match="shape"):
        class_matrix([1, 2])
    with pytest.raises(InputError, match="fit the matrix"):
        class_matrix([[1, 2]], readers=["A"])


def test_scores():
    table = {"case": ["x", "y", "z"], "reader": ["A"] * 3}
    reads = read_scores(table | {"value": ["1.5", " 2 ", "Cannot be read"]}, low=0, high=2)
    assert np.array_equal(reads.value, [1.5, 2.0, np.nan], equal_nan=True)
    assert read_scores(table | {"label": [1, 2, 3]}).value.tolist() == [1, 2, 3]
    assert read_scores(table | {"value": [1, None, 3]}, blank="skip").index.n_reads == 2
    assert read_scores(table | {"value": [1, 2, np.nan]}, blank="skip").value.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["1", "two", "3"], r"row 2: value must be a number; got 'two'"),
        (
            ["1", "2,5", "3"],
            r"row 2: value must be a number; got '2,5'. Write numbers with a point",
        ),
        (["1", "inf", "3"], "row 2: value must be a number"),
        ([1.0, np.inf, 3], "row 2: value must be a number"),
        (["1", "", "3"], "row 2: value must be given"),
        ([1, 2, 11], r"row 3: value must be a finite number in 0 .. 10; got 11"),
    ],
)
def test_bad_scores_are_refused(value, words):
    table = {"case": ["x", "y", "z"], "reader": ["A"] * 3, "value": value}
    with pytest.raises(InputError, match=words):
        read_scores(table, low=0, high=10)


WIDE = {"case": ["x", "y"], "reader": ["A", "A"], "edema": ["1", "NO"], "mass": ["", "true"]}


def test_wide_sets():
    reads = read_label_sets(WIDE)
    assert reads.schema.names == ("edema", "mass")
    assert reads.present.tolist() == [[1, -1], [0, 1]]
    assert read_label_sets(WIDE, classes=["mass"]).present.tolist() == [[-1], [1]]
    assert read_label_sets(WIDE | {"edema": [1.0, 0.0]}).present[:, 0].tolist() == [1, 0]
    assert read_label_sets(WIDE | {"edema": [True, False]}).present[:, 0].tolist() == [1, 0]
    hedged = WIDE | {"edema": ["hedge", "no"]}
    assert read_label_sets(hedged, present=["HEDGE", "1", "true"]).present[0, 0] == 1
    with pytest.raises(InputError, match=r"row 1: edema must be one of 1, true, .* got 'hedge'"):
        read_label_sets(hedged)
    with pytest.raises(InputError, match='have a column "nodule"'):
        read_label_sets(WIDE, classes=["nodule"])
    with pytest.raises(InputError, match="a column for each class"):
        read_label_sets({"case": [1], "reader": [1]})


def test_wide_sets_repeat_by_rule():
    twice = {"case": ["x", "x"], "reader": ["A", "A"], "edema": [1, 0], "mass": [0, 0]}
    with pytest.raises(InputError, match="rows 1, 2"):
        read_label_sets(twice)
    assert read_label_sets(twice, repeats="last").present.tolist() == [[0, 0]]


def test_long_sets():
    table = {
        "case": ["x", "x", "x", "y", "z"], "reader": ["A", "A", "B", "A", "A"],
        "label": ["mass", "edema", "mass", "No Finding", "cannot be read"],
    }  # fmt: skip
    reads = read_label_rows(table)
    assert reads.schema.names == ("edema", "mass")
    assert reads.present.tolist() == [[1, 1], [0, 1], [0, 0], [-1, -1]]
    with pytest.raises(
        InputError, match=r'rows 1, 2, 4: a read must say one thing .* "no finding"'
    ):
        read_label_rows(table | {"case": ["x", "x", "x", "x", "z"]})
    with pytest.raises(InputError, match=r"row 4: label must be given .* \"no finding\""):
        read_label_rows(table | {"label": ["a", "b", "a", "", "a"]})
    with pytest.raises(InputError, match=r"rows 1, 3: label must be one of edema; got 'mass'"):
        read_label_rows(table, schema=["edema"])


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["case", "reader", "label"], Kind.NOMINAL),
        (["case", "reader", "label", "value"], Kind.NOMINAL),
        (["case", "reader", "Value"], Kind.SCORE),
        (["label", "x1", "y1", "x2", "y2"], Kind.BOX),
        (["label", "rle", "rows", "columns"], Kind.MASK),
    ],
)
def test_the_kind_of_a_table(names, kind):
    assert detect_kind(names) is kind


def test_a_table_of_no_kind():
    with pytest.raises(InputError, match="four corners"):
        detect_kind(["case", "reader"])
