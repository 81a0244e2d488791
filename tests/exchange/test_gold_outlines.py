"""Outlines in tables: every form in, and gold put beside reads."""

from __future__ import annotations

import json

import numpy as np
import pytest

from overread.errors import InputError
from overread.exchange import read_gold_instances, read_outlines, read_reads
from overread.labels import InstanceReads

SQUARE = [[1.0, 1.0], [5.0, 1.0], [5.0, 5.0], [1.0, 5.0]]


def _table(outline: str | None, label: str = "cell") -> dict[str, list[object]]:
    return {"case": ["a"], "reader": ["R1"], "label": [label], "outline": [outline]}


@pytest.mark.parametrize(
    "text",
    [
        "[[1, 1], [5, 1], [5, 5], [1, 5]]",
        "[1, 1, 5, 1, 5, 5, 1, 5]",
        "[1, 1, 5, 1, 5, 5, 1, 5, 1, 1]",
        "POLYGON ((1 1, 5 1, 5 5, 1 5, 1 1))",
        "polygon((1 1,5 1,5 5,1 5,1 1))",
    ],
)
def test_one_outline_in_every_form(text: str) -> None:
    reads = read_reads(_table(text))
    assert isinstance(reads, InstanceReads)
    assert reads.point.tolist() == SQUARE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("POLYGON ((1 1, 5 1))", "row 1: outline must have 3 or more points"),
        ("POLYGON ((0 0, 9 0, 9 9), (1 1, 2 1, 2 2))", "of one ring"),
        ("[1, 1, 5]", "of one ring"),
        ('{"x": 1}', "of one ring"),
        ("[" * 100_000, "of one ring"),
        ("[1, 1, 5, 1, 5, 1e999]", "finite numbers"),
    ],
)
def test_misspelt_outlines(text: str, words: str) -> None:
    with pytest.raises(InputError, match="outline must") as caught:
        read_outlines(_table(text))
    assert words in str(caught.value)


def test_states_of_reads_and_the_image() -> None:
    table = {
        "case": ["a", "a", "b", "c"],
        "reader": ["R1"] * 4,
        "label": ["cell", "cell", "no finding", "cannot be read"],
        "outline": [json.dumps(SQUARE), json.dumps(SQUARE), None, None],
        "width": [8] * 4,
        "height": [8] * 4,
    }
    reads = read_outlines(table)
    assert reads.read.tolist() == [0]  # rows alike in all count once
    assert reads.unreadable is not None
    assert reads.unreadable.tolist() == [False, False, True]
    with pytest.raises(InputError, match="row 1: outline must lie inside its image of 4 x 8"):
        read_outlines(table | {"width": [4] * 4})


def test_gold_outlines_take_the_cases_and_classes_of_the_reads() -> None:
    schema = ("nucleus", "cell")
    table = {"case": ["b", "a"], "reader": ["x"] * 2, "label": ["cell"] * 2,
             "outline": [json.dumps(SQUARE)] * 2}  # fmt: skip
    reads = read_outlines(table, schema=schema)
    gold = read_gold_instances(
        {"case": ["b", "new", "a"], "label": ["cell", "cell", "no finding"],
         "outline": [json.dumps(SQUARE), json.dumps(SQUARE), None]},
        reads,
    )  # fmt: skip
    assert gold.index.cases.tolist() == reads.index.cases.tolist()
    assert np.array(gold.index.cases)[gold.index.case].tolist() == ["b", "a"]
    assert [gold.schema.names[code] for code in gold.label] == ["cell"]
    assert gold.outline(0).tolist() == SQUARE
    with pytest.raises(InputError, match="label must be one of nucleus, cell"):
        read_gold_instances({"case": ["a"], "label": ["x"], "outline": [str(SQUARE)]}, reads)
    with pytest.raises(InputError, match="answer cases that somebody read"):
        read_gold_instances({"case": ["q"], "label": ["cell"], "outline": [str(SQUARE)]}, reads)
