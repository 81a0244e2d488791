"""Tables of gold answers: every form, and faults by their row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from overread.app.quality.gold_table import read_gold
from overread.errors import InputError
from overread.protocol import Protocol, read_protocol

PROTOCOL = """title: T
questions:
  - {id: grade, prompt: P, kind: ordinal, classes: ["0", "1"]}
  - {id: found, prompt: P, kind: multi-label, classes: [A, B]}
  - {id: boxes, prompt: P, kind: box, classes: [A]}
  - {id: sure, prompt: P, kind: score, low: 0, high: 10}
  - {id: rim, prompt: P, kind: instance, classes: [A]}
"""


@pytest.fixture
def protocol() -> Protocol:
    return read_protocol(PROTOCOL)


def written(folder: Path, text: str, name: str = "gold.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_become_answers(tmp_path: Path, protocol: Protocol) -> None:
    text = """case,question,label,x1,y1,x2,y2,frame
one,grade,1,,,,,
one,found,A,,,,,
one,found,B,,,,,
one,boxes,A,1,2,3,4.5,
one,boxes,A,5,6,7,8,2
one,sure,7.5,,,,,
two,found,,,,,,
two,boxes,,,,,,
"""
    found = read_gold(written(tmp_path, text), protocol)
    assert found["two"] == {"found": [], "boxes": []}
    assert (found["one"]["grade"], found["one"]["found"], found["one"]["sure"]) == (
        "1", ["A", "B"], 7.5,
    )  # fmt: skip
    assert [(b["frame"], b["x1"], b["y2"]) for b in found["one"]["boxes"]] == [
        (0, 1, 4.5),
        (2, 5, 8),
    ]


def test_one_question_needs_no_name(tmp_path: Path) -> None:
    text = "title: T\nquestions:\n  - {id: q, prompt: P, kind: nominal, classes: [Yes, No]}\n"
    table = written(tmp_path, "case,label\na,Yes\n")
    assert read_gold(table, read_protocol(text)) == {"a": {"q": "Yes"}}


def test_lines_of_json_hold_every_kind(tmp_path: Path, protocol: Protocol) -> None:
    text = '{"case": "a", "answer": {"rim": []}}\n\n{"case": "b", "answer": {"grade": "0"}}\n'
    found = read_gold(written(tmp_path, text, "gold.jsonl"), protocol)
    assert found == {"a": {"rim": []}, "b": {"grade": "0"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,label\na,1\n", "gold table must have a column case"),
        ("case,label\n", "gold table must have rows"),
        ("case,question,label\na,none,1\n", "row 2.*question must be one of grade"),
        ("case,question,label\na,grade,1\na,grade,0\n", "row 3.*one answer"),
        ("case,question,label\na,boxes,A\n", "row 2.*x1 must be a number"),
        ("case,question,label\na,sure,high\n", "row 2.*label must be a number"),
        ("case,question,label\na,rim,A\n", "row 2.*JSON lines"),
    ],
)
def test_faults_name_their_row(tmp_path: Path, protocol: Protocol, text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_gold(written(tmp_path, text), protocol)
    shown = f"row {refused.value.rows[0] if refused.value.rows else ''} {refused.value}"
    assert re.search(words.replace("row 2.*", "row 2 .*").replace("row 3.*", "row 3 .*"), shown)


@pytest.mark.parametrize("text", ["[1]\n", "{}\n", '{"case": 1, "answer": {}}\n', "no\n"])
def test_bad_lines_are_named(tmp_path: Path, protocol: Protocol, text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_gold(written(tmp_path, text, "gold.jsonl"), protocol)
    assert list(refused.value.rows or ()) == [1]


def test_a_file_that_is_not_there(tmp_path: Path, protocol: Protocol) -> None:
    with pytest.raises(InputError, match="gold table must be a text file"):
        read_gold(tmp_path / "none.csv", protocol)
