"""Reads on demand in a protocol: read, checked with its lines, written back."""

from __future__ import annotations

import pytest

from overread.protocol import changes, read_protocol, write_protocol
from overread.protocol.errors import ProtocolError
from overread.protocol.on_demand import OnDemand

TEXT = """title: Knees
reads: {on_demand: {at_least: 2, at_most: 5, sure: 0.9}}
questions:
  - {id: grade, prompt: Grade, kind: nominal, classes: [a, b]}
"""


def test_it_is_read_and_written_back() -> None:
    found = read_protocol(TEXT)
    assert found.on_demand == OnDemand(2, 5, 0.9)
    assert found.reads_per_case == 2  # what every case gets to begin with
    assert read_protocol(write_protocol(found)) == found
    assert read_protocol(TEXT.replace("reads: {", "reads: {} # ")).on_demand is None


def test_a_change_of_it_makes_no_label_stale() -> None:
    found = changes(read_protocol(TEXT), read_protocol(TEXT.replace("0.9", "0.99")))
    assert [(one.what, one.stale) for one in found] == [
        ("when a case gets more reads changed", False)
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("at_most: 5", "at_most: 1", 2, "at_most must be at_least (2) or more; got 1"),
        ("sure: 0.9", "sure: 1", 2, "sure must be less than 1"),
        ("sure: 0.9", "sure: 0.5", 2, "sure must be greater than 0.5"),
        ("at_least", "least", 2, "least must be a known key"),
        ("nominal, classes: [a, b]", "box, classes: [a]", 2, "a question of classes or grades"),
        ("title: Knees", "title: Knees\nreads_per_case: 3", 2, "reads_per_case must be left out"),
    ],
)
def test_faults_are_told_with_their_lines(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(ProtocolError) as error:
        read_protocol(TEXT.replace(old, new))
    (fault,) = [one for one in error.value.problems if words in f"{one.where} must {one.rule}; "
                f"got {one.got}"]  # fmt: skip
    assert fault.line == line
