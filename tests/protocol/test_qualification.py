"""The block of demands: its usual values, every fault with its line, and its way back to YAML."""

from __future__ import annotations

import pytest

from overread.protocol import (
    ProtocolError,
    Qualification,
    changes,
    demands_qualification,
    read_protocol,
    template,
    write_protocol,
)

BASE = template("knee-grade") + "\n"


def block(*lines: str) -> str:
    return BASE + "\n".join(["qualification:", *(f"  {line}" for line in lines)]) + "\n"


def test_what_is_not_said_is_usual() -> None:
    assert read_protocol(BASE).qualification is None
    found = read_protocol(block("pass_mark: 0.75")).qualification
    assert found == Qualification(pass_mark=0.75)
    assert found.least_cases == 10
    assert read_protocol(BASE + "qualification: {}\n").qualification == Qualification()


def test_all_of_it_is_read_and_written_back() -> None:
    text = block(
        "professions: [radiologist, radiology resident]", "specialties: [musculoskeletal]",
        "modalities: [CR, DX]", "board: true", "least_years: 2.5", "pass_mark: 0.7",
        "rule: lower_bound", "least_cases: 20", "most_runs: 2", "grades: within_one",
        "tolerance: 3", "overlap: 0.4", "most_exposures: 30",
    )  # fmt: skip
    protocol = read_protocol(text)
    assert protocol.qualification == Qualification(
        ("radiologist", "radiology resident"), ("musculoskeletal",), ("CR", "DX"), True, 2.5, 0.7,
        "lower_bound", 20, 2, "within_one", 3, 0.4, 30,
    )  # fmt: skip
    assert read_protocol(write_protocol(protocol)) == protocol
    assert read_protocol(write_protocol(read_protocol(block("board: no")))).qualification
    (change,) = changes(read_protocol(BASE), protocol)
    assert (change.what, change.stale) == ("what readers must show before they read changed", False)


@pytest.mark.parametrize(
    ("lines", "where", "rule"),
    [
        (["pass_mark: 1.2"], "qualification, pass_mark", "be less than or equal to 1"),
        (["least_cases: 0"], "qualification, least_cases", "be greater than or equal to 1"),
        (["rule: mean"], "qualification, rule", "be 'estimate' or 'lower_bound'"),
        (["grades: near"], "qualification, grades", "be 'exact' or 'within_one'"),
        (["degree: MD"], "qualification, degree", "be a known key"),
        (["board: 1"], "qualification, board", "be a valid boolean"),
        (
            ["rule: lower_bound", "pass_mark: 0.9", "least_cases: 10"],
            "qualification, pass_mark",
            "be in reach of the rule lower_bound (more least_cases or a lower mark)",
        ),
    ],
)
def test_faults_have_their_line(lines: list[str], where: str, rule: str) -> None:
    text = block(*lines)
    with pytest.raises(ProtocolError) as refused:
        read_protocol(text)
    (problem,) = refused.value.problems
    assert (problem.where, problem.rule) == (where, rule)
    key = where.rsplit(", ", maxsplit=1)[-1]
    assert text.splitlines()[problem.line - 1].strip().startswith(f"{key}:")


def test_a_score_without_range_needs_a_tolerance() -> None:
    text = "title: T\nquestions:\n  - {id: q, prompt: P, kind: score}\nqualification: {%s}\n"
    with pytest.raises(ProtocolError, match="tolerance, as the score q has no range"):
        read_protocol(text % "")
    assert read_protocol(text % "tolerance: 2")


@pytest.mark.parametrize(
    ("text", "there"),
    [(block("board: true"), True), (BASE, False), ("a: [", False), ("", False), ("x\n", False),
     ("qualification:\n", False)],
)  # fmt: skip
def test_the_demand_is_seen_in_any_text(text: str, there: bool) -> None:
    assert demands_qualification(text) is there
