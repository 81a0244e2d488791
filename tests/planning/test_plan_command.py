"""``overread plan``: every sub-command on files, its words, its JSON and its errors."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import typer.main

from overread.cli.main import program
from overread.protocol import template
from tests.cli.inputs import class_columns, write_csv
from tests.cli.program import ok, refused

_PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
_WORDS = typer.main.get_command(program(("plan",))).commands["plan"].commands  # type: ignore[attr-defined]


@pytest.fixture
def study(tmp_path):
    n = 60
    cases = {
        "case": [f"c{i:03}" for i in range(n)],
        "class": (["none"] * 4 + ["nodule"]) * 12,
        "site": ["north", "south", "south"] * 20,
        "modality": ["CT", "MR"] * 30,
        "patient": [f"p{i // 2}" for i in range(n)],
        "sex": ["F", "M", ""] * 20,
    }
    readers = {
        "reader": ["Ada", "Ben", "Cy", "Di"],
        "most": ["", "", "15", ""],
        "may_not": ["", "", "modality=MR", ""],
    }
    gold = {
        "case": [f"g{i}" for i in range(8)],
        "class": ["nodule", "none"] * 4,
        "modality": ["CT"] * 8,
    }
    return [
        write_csv(tmp_path / f"{name}.csv", table)
        for name, table in (("cases", cases), ("readers", readers), ("gold", gold))
    ]


@pytest.mark.parametrize("word", sorted(_WORDS))
def test_every_sub_command_is_in_the_docs_with_its_options(word):
    page = _PAGE.read_text(encoding="utf-8")
    assert f"### overread plan {word}" in page
    options = [o for p in _WORDS[word].params for o in p.opts if o.startswith("--")]
    assert [o for o in options if f"`{o}`" not in page] == []
    assert "Example:" in ok("plan", word, "--help").out


def test_size_in_words_and_json():
    asked = ("plan", "size", "kappa", "--expected", 0.6, "--prevalence", "0.3,0.7")
    found = ok(*asked, "--half-width", 0.1, "--readers", "2,3", "--floor", 0.4, "--json").document
    assert [one["cases"] for one in found["sizes"]] == [304, 182]
    assert found["cases_to_show_above_floor"] == {"2": 141, "3": 78}
    words = ok(*asked, "--half-width", 0.1, "--readers", "2,3").out
    assert "304 cases" in words
    assert "Fewest reads: 3 readers a case" in words
    back = ok(*asked, "--cases", 304, "--json").document["sizes"][0]
    assert back["half_width"] <= 0.1
    grade = ("--expected", 0.6, "--cases", 200, "--json")
    one = ok("plan", "size", "kappa", "--prevalence", "0.2,0.3,0.5", "--grade", 2, *grade)
    two = ok("plan", "size", "kappa", "--prevalence", "0.3", *grade)
    assert one.document["sizes"][0]["low"] == pytest.approx(two.document["sizes"][0]["low"])


def test_size_of_both_sensitivity_and_specificity():
    both = ok(
        "plan", "size", "sensitivity", "--expected", 0.9, "--specificity", 0.85,
        "--prevalence", 0.2, "--half-width", 0.1, "--method", "normal", "--json",
    ).document["sizes"]  # fmt: skip
    assert [one["counted"] for one in both] == [35, 49]
    assert both[0]["cases"] == 175


def test_cost_tells_the_articles_example():
    asked = ("plan", "cost", "--cases", 100000, "--seconds", 600, "--readers", 3)
    found = ok(*asked, "--labelled", 0.1, "--review-seconds", 20, "--json").document
    assert found["person_years"] == pytest.approx(3.22, abs=0.01)
    assert found["all_by_hand"]["person_years"] == pytest.approx(24.8, abs=0.01)
    assert found["saving"] == pytest.approx(0.87, abs=0.005)
    assert "this saves 87 %" in ok(*asked, "--labelled", 0.1, "--review-seconds", 20).out


def test_a_plan_out_and_planned_again(study, tmp_path):
    cases, readers, gold = study
    out, new = tmp_path / "plan.csv", tmp_path / "new.csv"
    options = ("--batches", 2, "--overlap", 0.2, "--overlap-readers", 2, "--gold", gold,
               "--gold-rate", 0.1, "--repeat-rate", 0.1, "--distance", 5)  # fmt: skip
    found = ok("plan", "reads", cases, readers, *options, "--out", out, "--json").document
    assert found["counts"]["only"] == 48
    assert found["counts"]["overlap"] == 24
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["rows"])
    assert list(rows[0]) == ["case", "reader", "batch", "sub_batch", "position", "role"]
    cy = [row for row in rows if row["reader"] == "Cy"]
    assert sum(row["role"] in ("only", "overlap") for row in cy) <= 15
    said = ok("plan", "reads", cases, readers, *options).out
    assert "first reads" in said
    done = [row for row in rows if int(row["position"]) <= 6]
    columns = {name: [row[name] for row in done] for name in ("case", "reader")}
    read = write_csv(tmp_path / "done.csv", columns)
    now = write_csv(tmp_path / "now.csv", {"reader": ["Ada", "Ben", "Eve"]})
    ok("plan", "replan", out, cases, now, "--done", read, *options, "--out", new)
    with new.open() as file:
        again = list(csv.DictReader(file))
    kept = {tuple(row.values()) for row in done}
    assert kept <= {tuple(row.values()) for row in again}
    assert all(row in done for row in again if row["reader"] in ("Cy", "Di"))


def test_groups_against_a_protocol(study, tmp_path):
    protocol = tmp_path / "protocol.yaml"
    protocol.write_text(template("knee-grade"), encoding="utf-8")
    found = ok("plan", "groups", study[0], "--protocol", protocol, "--by", "sex", "--json").document
    assert {row["group"] for row in found["groups"]} >= {"F", "M"}
    assert any("not known for 20 cases" in one for one in found["warnings"])
    assert "not known" in ok("plan", "groups", study[0], "--by", "sex,class").out
    assert "Nothing is missing" in ok("plan", "groups", study[0], "--by", "site").out


def test_demand_asks_and_replays(tmp_path):
    columns = class_columns(["a", "b"])
    source = write_csv(tmp_path / "reads.csv", columns)
    found = ok("plan", "demand", source, "--json").document
    assert len(found["cases"]) == len(set(columns["case"]))
    assert "of 12 cases" in ok("plan", "demand", source).out
    replayed = ok("plan", "demand", source, "--replay", "--json").document
    assert 0 <= replayed["saved"] <= 1
    assert "were asked for" in ok("plan", "demand", source, "--replay").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("size", "kappa", "--expected", 0.6, "--half-width", 0.1), "--prevalence must be given"),
        (("size", "kappa", "--expected", 0.6), "--half-width or --cases must be given"),
        (("size", "icc", "--expected", 0.6, "--cases", 9, "--prevalence", 0.5), "measure must be"),
        (("size", "kappa", "--expected", 0.6, "--cases", 9, "--prevalence", "a"), "be numbers"),
        (("size", "accuracy", "--expected", 0.6, "--cases", 9, "--readers", "1.5"), "be whole"),
        (("size", "kappa", "--expected", 0.6, "--cases", 9, "--prevalence", "0.5", "--grade", 4),
         "--grade must be in 1 .. 2"),
        (("size", "percent", "--expected", 0.8, "--cases", 9, "--prevalence", 0.5, "--floor", 0.1),
         "--floor must come with MEASURE kappa"),
        (("cost", "--cases", 9, "--seconds", 9, "--labelled", 0.5), "review seconds"),
    ],
)  # fmt: skip
def test_errors_of_numbers(arguments, words):
    assert words in refused("plan", *arguments)


def test_errors_of_tables(study, tmp_path):
    cases, readers, gold = study
    few = write_csv(tmp_path / "few.csv", {"reader": ["A", "B"], "may_not": ["modality=CT", ""]})
    said = refused("plan", "reads", cases, few, "--overlap", 0.1, "--overlap-readers", 2)
    assert "overlap must have 2 readers qualified for modality CT; got 1 of 2" in said
    wrong = write_csv(tmp_path / "wrong.csv", {"reader": ["A"], "may_not": ["CT"]})
    assert "row 1: may_not must be column=value" in refused("plan", "reads", cases, wrong)
    wrong = write_csv(tmp_path / "wrong.csv", {"reader": ["A"], "most": ["many"]})
    assert "row 1: most must be a whole number" in refused("plan", "reads", cases, wrong)
    assert "column reader must be there" in refused("plan", "reads", cases, cases)
    assert "--group must be given" in refused(
        "plan", "reads", cases, readers, "--groups", "apart"
    )  # fmt: skip
    assert "another file" in refused("plan", "reads", cases, readers, "--out", cases)
    assert "--by must name columns" in refused("plan", "groups", cases, "--by", "race")
    bad = write_csv(tmp_path / "plan.csv", {
        "case": ["c000"], "reader": ["Ada"], "batch": ["1"], "sub_batch": ["1"],
        "position": ["0"], "role": ["only"],
    })  # fmt: skip
    assert "position must be a whole number from 1" in refused(
        "plan", "replan", bad, cases, readers, "--done", cases, "--gold", gold
    )  # fmt: skip


def _project(tmp_path, cases=30):
    """A home with a study of three readers."""
    from tests.live.study import furnish

    home = tmp_path / "home"
    furnish(home, cases=cases, readers=3, reads_per_case=1, side=8)
    return ("plan", "project", "Load", "--home", home)


def test_a_plan_of_a_project_is_shown_then_written_then_planned_again(tmp_path):
    asked = _project(tmp_path)
    words = ("--overlap", 0.2, "--size", 5, "--seconds", 30)
    shown = ok(*asked, *words, "--json").document
    assert shown["words"].startswith("42 reads: 24 cases read by one, 6 cases by 3 (overlap); ")
    assert shown["counts"] == {"only": 24, "overlap": 18, "gold": 0, "repeat": 0}
    assert shown["written"] is None
    assert "Not written" in ok(*asked, *words).out
    made = ok(*asked, *words, "--write", "--json").document
    assert made["parts"] == shown["parts"]
    assert (made["written"]["number"], made["written"]["opened"]) == (1, 42)
    again = ok(*asked, "--again", "--write").out
    assert "Plan 2 is written: 42 tasks opened, 42 withdrawn." in again


def test_readers_of_a_project_may_be_limited_by_a_table(tmp_path):
    asked = _project(tmp_path)
    table = {"reader": ["reader0@example.org", "Reader 1"], "most": ["4", ""]}
    file = write_csv(tmp_path / "who.csv", table)
    found = ok(*asked, "--overlap", 0, "--readers", file, "--json").document
    assert {one["reader"]: one["reads"] for one in found["readers"]} == {
        "Reader 0": 4,
        "Reader 1": 26,
    }
    file = write_csv(tmp_path / "who.csv", {"reader": ["Nobody"]})
    assert "be the e-mail or name" in refused(*asked, "--readers", file)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--again",), "plan must be written before"),
        (("--gold-rate", 0.1), "hidden gold"),
        (("--overlap-readers", 9), "overlap must have 9 readers"),
        (("--groups", "often"), "--groups must be free, together or apart"),
        (("--home", "nowhere"), "--home must be a home"),
    ],
)
def test_a_plan_of_a_project_that_cannot_be_is_refused(tmp_path, more, words):
    assert words in " ".join(refused(*_project(tmp_path), *more).split())
