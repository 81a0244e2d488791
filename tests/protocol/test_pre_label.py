"""The ``pre_label:`` block of a protocol: hidden unless it says otherwise, and kept as read."""

from __future__ import annotations

import pytest

from overread.protocol import ProtocolError, read_protocol, write_protocol
from overread.protocol.changes import changes
from overread.protocol.pre_label import PreLabel

BARE = """
title: a study
questions:
  - {id: q, prompt: "Which?", kind: nominal, classes: [a, b]}
"""


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        ("", PreLabel()),
        ("pre_label: on demand", PreLabel("on demand")),
        ("pre_label: shown", PreLabel("shown")),
        (
            "pre_label: {show: shown, keep_hidden: 0.5, hints: yes}",
            PreLabel("shown", 0.5, hints=True),
        ),
        ("pre_label: {hints: true}", PreLabel(hints=True)),
    ],
)
def test_it_is_read_and_written(block: str, wanted: PreLabel) -> None:
    made = read_protocol(BARE + block)
    assert made.pre_label == wanted
    assert read_protocol(write_protocol(made)) == made


def test_readers_are_blind_by_default() -> None:
    assert read_protocol(BARE).pre_label.show == "hidden"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("pre_label: always", "hidden"),
        ("pre_label: {show: shown, keep_hidden: 1}", "keep_hidden"),
        ("pre_label: {show: shown, keep_hidden: -0.1}", "keep_hidden"),
        ("pre_label: {model: net}", "known key"),
        ("pre_label: [shown]", "mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(block: str, words: str) -> None:
    with pytest.raises(ProtocolError, match=words) as caught:
        read_protocol(BARE + block)
    assert "line 5" in str(caught.value)


def test_a_change_of_it_makes_no_label_stale() -> None:
    old, new = read_protocol(BARE), read_protocol(BARE + "pre_label: shown")
    (change,) = changes(old, new)
    assert not change.stale
    assert "proposes" in change.what
