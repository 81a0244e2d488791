"""The block that says what is done on an alarm: in a word, or apart for a change and a level."""

from __future__ import annotations

import pytest

from overread.monitoring import Policy
from overread.protocol import ProtocolError, read_protocol, template, write_protocol

BASE = template("knee-grade") + "\n"


def on_alarm(words: str) -> Policy:
    protocol = read_protocol(BASE + f"watch: {{on_alarm: {words}}}\n")
    assert read_protocol(write_protocol(protocol)) == protocol
    return protocol.watch.on_alarm


@pytest.mark.parametrize(
    ("words", "policy"),
    [
        ("pause", Policy("pause", "pause", "pause")),
        ("warn", Policy("warn", "warn", "warn")),
        ("{change: pause, level: ask}", Policy("pause", "pause", "ask the lead")),
        ("{change: pause}", Policy("pause", "pause", "ask the lead")),
        ("{change: pause, slow: warn, level: warn}", Policy("pause", "warn", "warn")),
    ],
)
def test_both_forms_are_read_and_written_back(words: str, policy: Policy) -> None:
    assert on_alarm(words) == policy


def test_the_usual_asks_the_lead_about_all() -> None:
    protocol = read_protocol(BASE)
    assert protocol.watch.on_alarm == Policy("ask the lead", "ask the lead", "ask the lead")
    assert "on_alarm" not in write_protocol(protocol)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("stop", "be warn, ask or pause, or say it of change and level"),
        ("{level: ask}", "be given"),
        ("{change: stop}", "be 'warn', 'ask' or 'pause'"),
        ("{change: ask, drift: ask}", "be a known key"),
        ("[ask]", "be a mapping (key: value)"),
    ],
)
def test_a_fault_is_named_once_with_its_rule(words: str, rule: str) -> None:
    with pytest.raises(ProtocolError) as error:
        on_alarm(words)
    (problem,) = error.value.problems
    assert problem.rule == rule
    assert problem.where.startswith("watch, on_alarm")
