# ruff: noqa: E501 - a table, one fault a line
"""Protocol files: what is read, and how each fault is named."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.labels import Kind
from overread.protocol import (
    TEMPLATES,
    ProtocolError,
    changes,
    read_protocol,
    template,
    write_protocol,
)

SMALL = """title: Small
questions:
  - id: grade
    prompt: Which grade?
    kind: ordinal
    classes:
      - name: none
      - {name: some, key: s, colour: "#AABBCC"}
      - no
"""


def test_words_stay_words() -> None:
    question = read_protocol(SMALL).questions[0]
    assert question.names == ("none", "some", "no")
    assert [one.code for one in question.classes] == [1, 2, 3]
    assert [one.key for one in question.classes] == ["1", "s", "3"]
    assert question.classes[1].colour == "#aabbcc"
    assert question.schema().names == question.names


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_whole_and_come_back(name: str) -> None:
    protocol = read_protocol(template(name), name=name)
    assert protocol.guideline.startswith("#")
    assert any(one.do for one in protocol.atlas)
    assert protocol.objectives
    for question in protocol.questions:
        assert all(one.key is not None for one in question.classes)
        assert question.schema().kind is question.kind
    assert read_protocol(write_protocol(protocol)) == protocol
    assert changes(protocol, protocol) == ()


def test_templates_cover_the_kinds() -> None:
    kinds = {one.kind for name in TEMPLATES for one in read_protocol(template(name)).questions}
    assert kinds >= {Kind.MULTILABEL, Kind.ORDINAL, Kind.BOX, Kind.MASK, Kind.NOMINAL}


def test_mask_schema_has_its_background() -> None:
    question = read_protocol(template("vessel-mask")).questions[0]
    assert question.schema().names == ("background", "Artery", "Vein")
    assert [one.code for one in question.classes] == [1, 2]


FAULTS = {
    "unknown key": (SMALL + "colur: red\n", 10, "colur", "be a known key", "'colur'"),
    "missing": (SMALL.replace("title: Small\n", ""), 1, "title", "be given", "nothing"),
    "wrong type": (SMALL + "reads_per_case: many\n", 10, "reads_per_case", "be a valid integer, unable to parse string as an integer", "'many'"),
    "too few": (SMALL + "reads_per_case: 0\n", 10, "reads_per_case", "be greater than or equal to 1", "'0'"),
    "list wanted": ("title: T\nquestions: 5\n", 2, "questions", "be a list", "'5'"),
    "mapping wanted": ("- a\n", 1, "the file", "be a mapping (key: value)", "['a']"),
    "duplicate class": (SMALL + "      - None\n", 10, "questions 1, classes 4, name", "differ from those before it", "'None' again"),
    "key conflict": (SMALL + "      - {name: x, key: S}\n", 10, "questions 1, classes 4, key", "differ from the key of 'some'", "'s'"),
    "bad colour": (SMALL.replace("#AABBCC", "red"), 8, "questions 1, classes 2, colour", 'be a colour written "#rrggbb"', "'red'"),
    "bad kind": (SMALL.replace("ordinal", "ordinary"), 5, "questions 1, kind", "be 'nominal', 'ordinal', 'multi-label', 'score', 'box', 'instance' or 'mask'", "'ordinary'"),
    "one class": ("title: T\nquestions:\n  - {id: a, prompt: P, kind: nominal, classes: [x]}\n", 3, "questions 1, classes", "be at least 2 for nominal", "1"),
    "range": ("title: T\nquestions:\n  - {id: a, prompt: P, kind: score, low: 5,\n     high: 1}\n", 4, "questions 1, high", "be above low (5)", "1"),
    "nan": ("title: T\nquestions:\n  - {id: a, prompt: P, kind: score, low: .nan}\n", 3, "questions 1, low", "be a valid number, unable to parse string as a number", "'.nan'"),
    "key twice": (SMALL + "title: Again\n", 10, "title", "be given once", "it twice"),
    "reserved": (SMALL + "      - cannot be read\n", 10, "questions 1, classes 4, name", "be another name: this one has its own meaning", "'cannot be read'"),
    "objective": (SMALL + "objectives:\n  - {question: grad, metric: ac1, at_least: 1}\n", 11, "objectives 1, question", "be one of grade", "'grad'"),
    "metric": (SMALL + "objectives:\n  - {question: grade, metric: dice, at_least: 1}\n", 11, "objectives 1, metric", None, "'dice'"),
    "tag": (SMALL + "guideline: !!python/object:os.system x\n", 10, "the file", "do without tags", "'tag:yaml.org,2002:python/object:os.system'"),
    "alias": ("a: &a [1]\nb: *a\n", 1, "the file", "do without anchors and aliases", "one of them"),
    "not yaml": ("title: [\n", 2, "the file", "be YAML", None),
    "tab": ("title: T\n\tquestions: 1\n", 2, "the file", "be YAML", None),
    "empty": ("# nothing\n", 1, "the file", "hold a protocol", "an empty file"),
    "two": (SMALL + "---\n" + SMALL, 10, "the file", "be YAML", None),
    "control": ("title: a\n# \x07\n", 2, "the file", "hold printable characters only", "character U+0007"),
    "deep": ("a: " + "[" * 100_000, 1, "the file", "nest at most 20 deep", "more"),
    "long": ("#" * 200_001, 1, "the file", "have at most 200000 characters", "200001"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_name_line_rule_and_value(fault: str) -> None:
    text, line, where, rule, got = FAULTS[fault]
    with pytest.raises(ProtocolError) as caught:
        read_protocol(text)
    first = caught.value.problems[0]
    assert (first.line, first.where) == (line, where)
    assert rule is None or first.rule == rule
    assert got is None or first.got == got
    assert f"line {line}" in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_all_faults_are_told_in_order() -> None:
    text = SMALL.replace("#AABBCC", "red").replace("kind: ordinal", "kind: x") + "y: 1\n"
    with pytest.raises(ProtocolError) as caught:
        read_protocol(text)
    assert [one.line for one in caught.value.problems] == [5, 8, 10]


def test_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(1000))
    begin = time.process_time()
    with pytest.raises(ProtocolError):
        read_protocol(bomb)
    assert time.process_time() - begin < 5


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_protocol(text)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12),
        min_size=2, max_size=12, unique_by=str.casefold,
    ).filter(lambda names: not {"cannot be read", "background"} & set(names)),
    st.text(st.characters(exclude_categories=["C"], include_characters="\n"), max_size=60),
)  # fmt: skip
def test_any_names_and_guideline_come_back(names: list[str], guideline: str) -> None:
    from dataclasses import replace

    base = read_protocol(SMALL)
    entry = base.questions[0].classes[0]
    classes = tuple(
        replace(entry, name=name, code=at + 1, key=None if at > 9 else "1234567890"[at])
        for at, name in enumerate(names)
    )
    question = replace(base.questions[0], kind=Kind.NOMINAL, classes=classes)
    protocol = replace(base, questions=(question,), guideline=guideline)
    back = read_protocol(write_protocol(protocol))
    assert back.guideline == guideline
    assert back.questions[0].names == tuple(names)


def test_drawings_are_checked_as_answers() -> None:
    text = template("fracture-boxes").replace("x2: 250", "x2: 450")
    with pytest.raises(ProtocolError, match=r"drawing: question fractures, finding 1, x2 must"):
        read_protocol(text)


def test_changes_say_what_becomes_stale() -> None:
    old = read_protocol(SMALL)
    new = read_protocol(SMALL + "      - much\n" + "guideline: Look.\nreads_per_case: 2\n")
    found = changes(old, new)
    assert [(one.what, one.question, one.stale) for one in found] == [
        ("question grade: class 'much' was added", "grade", True),
        ("the guideline changed", None, True),
        ("reads per case: 1 became 2", None, False),
    ]
    recoloured = read_protocol(SMALL.replace("#AABBCC", "#112233"))
    assert [one.stale for one in changes(old, recoloured)] == [False]


def test_class_metrics_are_measures_of_the_core() -> None:
    from overread.agreement.measures import MEASURES
    from overread.protocol.rules import METRICS

    assert set(METRICS[Kind.NOMINAL]) <= set(MEASURES)
