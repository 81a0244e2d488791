"""The ``learning:`` block: read, written back, and refused line by line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overread.protocol import ProtocolError, changes, read_protocol, write_protocol
from overread.protocol.learning import STOP_RULES, Learning
from overread.selection.acquisition.table import DEFAULT
from overread.selection.stopping import RULES

TEXT = """title: Chests
questions:
  - {id: findings, prompt: What is it, kind: nominal, classes: [no, yes]}
  - {id: side, prompt: Where, kind: box, classes: [here]}
learning:
  question: findings
  target: 0.95
  batch: 20
"""


def test_a_block_is_read_and_written_back() -> None:
    found = read_protocol(TEXT)
    assert found.learning == Learning("findings", target=0.95, batch=20)
    assert found.learning.acquisition == DEFAULT
    assert read_protocol(write_protocol(found)) == found
    plain = replace(found, learning=None)
    assert read_protocol(write_protocol(plain)) == plain
    (change,) = changes(plain, found)
    assert not change.stale


@pytest.mark.parametrize(
    ("line", "where", "rule"),
    [
        ("question: many", "learning, question", "be a question of classes, grades or drawings"),
        ("question: other", "learning, question", "be a question of classes, grades or drawings"),
        ("question: findings\n  acquisition: best", "learning, acquisition", "be one of "),
        ("question: findings\n  held_back: 0", "learning, held_back", "be greater than 0"),
        ("question: findings\n  start: entropy", "learning, start", "be 'typical'"),
        ("question: findings\n  rule: luck", "learning, rule", "be 'target', 'cost'"),
        ("question: findings\n  most_labels: 0", "learning, most_labels", "be greater than"),
    ],
)
def test_a_fault_is_told_with_its_line(line: str, where: str, rule: str) -> None:
    with pytest.raises(ProtocolError) as told:
        read_protocol(TEXT.replace("question: findings", line))
    (one,) = told.value.problems
    assert (one.where, one.line >= 6) == (where, True)
    assert one.rule.startswith(rule)


@pytest.mark.parametrize("rule", STOP_RULES)
def test_a_rule_that_decides_is_read_and_written_back(rule: str) -> None:
    found = read_protocol(TEXT + f"  rule: {rule}\n")
    assert found.learning == Learning("findings", target=0.95, batch=20, rule=rule)
    assert read_protocol(write_protocol(found)) == found


def test_the_rules_are_those_that_can_be_asked() -> None:
    assert STOP_RULES == RULES
    without = TEXT.replace("target: 0.95", "rule: target")
    with pytest.raises(ProtocolError, match="come with a target"):
        read_protocol(without)


def test_reads_on_demand_ask_in_another_way() -> None:
    with pytest.raises(ProtocolError, match="come without reads on demand"):
        read_protocol(TEXT + "reads: {on_demand: {at_least: 1}}\n")
