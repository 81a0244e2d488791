"""``overread monitor`` on every label kind, on reads with a drifting reader, on bad input."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from tests.cli.inputs import INPUTS, write_csv
from tests.cli.program import ok, refused


def drifting(path, *, shuffled=False):
    """120 cases, three readers; Ada's scores rise by 6 from case 60 on."""
    rng = np.random.default_rng(0)
    case, reader = np.repeat(np.arange(120), 3), np.tile(np.arange(3), 120)
    value = rng.uniform(20, 80, 120)[case] + rng.normal(0, 3, case.size)
    value[(reader == 0) & (case >= 60)] += 6
    order = rng.permutation(case.size) if shuffled else np.arange(case.size)
    columns = {
        "case": [f"case {c}" for c in case[order]],
        "reader": [("Ada", "Ben", "Cy")[r] for r in reader[order]],
        "value": value[order].round(2).tolist(),
        "turn": np.arange(case.size)[order].tolist(),
    }
    return write_csv(path / "reads.csv", columns)


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_every_kind_is_watched_or_explained(name, tmp_path):
    (tmp_path / "reads").mkdir()
    source = INPUTS[name].write(tmp_path / "reads")
    found = ok("monitor", source, "--kind", INPUTS[name].kind, "--json").document
    assert found["kind"] == INPUTS[name].kind
    assert "60 overlap reads" in found["no_charts"]
    words = ok("monitor", source, "--kind", INPUTS[name].kind).out
    assert "No charts" in words


def test_a_drifting_reader_is_named_with_the_cause(tmp_path):
    source = drifting(tmp_path)
    ended = ok("monitor", source, "--run-length", 1000)
    assert "Ada: scores" in ended.out
    assert "higher" in ended.out
    assert "no column tells the time" in ended.out
    assert "worst cases: case " in ended.out
    found = ok("monitor", source, "--json", "--run-length", 1000).document
    first = found["alarms"][0]
    assert first["reader"] == "Ada"
    assert first["action"] in ("pause", "ask the lead")
    assert 55 <= first["since"] <= 70
    assert found["ordered_by"] == "row"
    assert found["overlap_reads"] == 360
    assert found["chance_of_false_alarm_in_2000"] == pytest.approx(1 - np.exp(-2))
    assert {one["reader"] for one in found["levels"]} == {"Ada", "Ben", "Cy"}


def test_any_column_tells_the_order(tmp_path):
    source = drifting(tmp_path, shuffled=True)
    turned = ok("monitor", source, "--order", "turn", "--json").document
    assert turned["ordered_by"] == "order"
    assert turned["alarms"][0]["reader"] == "Ada"
    assert 55 <= turned["alarms"][0]["since"] <= 70


def test_table_is_written(tmp_path):
    out = tmp_path / "levels.csv"
    ok("monitor", drifting(tmp_path), "--out", out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["reader"] for row in rows} == {"Ada", "Ben", "Cy"}
    assert {row["key"] for row in rows} == {"score", "distance"}
    ada = next(row for row in rows if (row["reader"], row["key"]) == ("Ada", "score"))
    assert ada["trend"] == "rising"
    assert int(ada["alarms"]) >= 1


def test_gold_is_a_measure_where_nobody_else_reads(tmp_path):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 150)
    said = np.where(rng.random(150) < np.where(np.arange(150) < 80, 0.05, 0.6), 1 - truth, truth)
    case = [f"c{n}" for n in range(150)]
    (tmp_path / "a").mkdir()
    source = write_csv(
        tmp_path / "a" / "reads.csv",
        {"case": case, "reader": ["Ada"] * 150, "label": said.tolist()},
    )
    gold = write_csv(tmp_path / "a" / "gold.csv", {"case": case, "label": truth.tolist()})
    found = ok("monitor", source, "--gold", gold, "--json").document
    assert found["overlap_reads"] == 150
    assert found["alarms"][0]["metric"] == "gold_error"
    assert found["alarms"][0]["number"] >= 80


def test_two_readers_cannot_tell_who_is_off(tmp_path):
    source = drifting(tmp_path)
    with source.open(encoding="utf-8") as file:
        rows = [row for row in file if ",Cy," not in row]
    pair = tmp_path / "pair.csv"
    pair.write_text("".join(rows), encoding="utf-8")
    said = ok("monitor", pair).out
    assert "Two readers alone cannot tell" in " ".join(said.split())


def test_bad_input_is_named(tmp_path):
    source = drifting(tmp_path)
    assert "order" in refused("monitor", source, "--order", "nothing")
    assert "--out" in refused("monitor", source, "--out", source)
    refused("monitor", source, "--run-length", 5)
