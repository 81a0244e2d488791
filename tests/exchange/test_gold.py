"""Gold answers beside the reads."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.exchange import (
    Columns,
    read_boxes,
    read_classes,
    read_gold,
    read_gold_boxes,
    read_gold_scores,
    read_scores,
)

READS = {"case": ["x", "y", "z"], "reader": ["A"] * 3}
CLASSES = read_classes(READS | {"label": ["1", "2", "1"]})


def test_codes_are_those_of_the_reads():
    gold = read_gold({"case": ["z", "new", "x"], "label": [2.0, 1, 1]}, CLASSES)
    assert gold.code.tolist() == [0, -1, 1]
    assert (gold.n_known, gold.unknown_rows) == (2, (2,))
    named = read_gold({"q": ["y"], "t": ["2"]}, CLASSES, columns=Columns(case="q", label="t"))
    assert named.code.tolist() == [-1, 1, -1]
    unsure = read_gold({"case": ["x", "y"], "label": ["cannot be read", "1"]}, CLASSES)
    assert unsure.code.tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"case": ["x"], "label": ["3"]}, r"row 1: gold label must be one of 1, 2; got '3'"),
        ({"case": ["x", "y", "x"], "label": [1, 1, 2]}, "rows 1, 3: gold table must have one"),
        ({"case": ["x", "y"], "label": [1, None]}, "row 2: label must be given"),
        ({"case": ["x", ""], "label": [1, 1]}, "row 2: case must be given"),
        ({"case": ["new"], "label": [1]}, "answer cases that somebody read"),
        ({"case": [], "label": []}, "at least one row"),
        ({"case": ["x"], "truth": [1]}, 'have a column "label"; got columns case, truth'),
    ],
)
def test_bad_gold_is_refused(table, words):
    with pytest.raises(InputError, match=words) as caught:
        read_gold(table, CLASSES)
    assert "new" not in str(caught.value)


def test_equal_answers_may_repeat():
    assert read_gold({"case": ["x", "x"], "label": [1, 1]}, CLASSES).n_known == 1


def test_gold_scores():
    reads = read_scores(READS | {"value": [1, 2, 3]})
    gold = read_gold_scores({"case": ["y"], "label": ["2.5"]}, reads)
    assert np.array_equal(gold, [np.nan, 2.5, np.nan], equal_nan=True)
    assert read_gold_scores({"case": ["x"], "value": [3]}, reads)[0] == 3
    with pytest.raises(InputError, match="row 1: gold value must be a number"):
        read_gold_scores({"case": ["x"], "value": ["a"]}, reads)


def test_gold_boxes_lie_on_the_cases_of_the_reads():
    corners = {"x1": [1, None, 1], "y1": [1, None, 1], "x2": [3, None, 3], "y2": [4, None, 4]}
    reads = read_boxes(READS | {"label": ["b", "", "a"]} | corners)
    table = {"case": ["z", "new", "y"], "label": ["b", "", "b"]} | corners
    gold = read_gold_boxes(table, reads)
    assert gold.index.cases.tolist() == reads.index.cases.tolist()
    assert gold.index.readers == ("gold",)
    assert gold.index.case.tolist() == [2, 1]
    assert gold.schema.names == ("a", "b")
    assert gold.label.tolist() == [1, 1]
    with pytest.raises(InputError, match="row 1: label must be one of a, b; got 'c'"):
        read_gold_boxes(table | {"label": ["c", "", "b"]}, reads)
    with pytest.raises(InputError, match="cases that somebody read"):
        read_gold_boxes(table | {"case": ["n", "new", "m"]}, reads)
