"""Every command on reads of every label kind: what it prints, what it writes."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import polars as pl
import pytest

from overread.app.analysis.methods import METHODS
from overread.labels import Kind
from tests.cli.inputs import CASES, INPUTS, READERS, class_columns, write_csv
from tests.cli.program import files_of, ok

CLASSES = ("nominal", "parquet", "ordinal")
COMPARED = ("nominal", "ordinal", "score")
RANKED = (*CLASSES, "wide", "long")
QUICK = ("--draws", 100)


@pytest.mark.parametrize("name", INPUTS)
def test_agree_says_it_in_words_and_in_one_document(name, reads_of):
    source = reads_of(name)
    words = ok("agree", *source, *QUICK).out
    assert "Overall" in words
    assert INPUTS[name].kind in words
    ended = ok("agree", *source, *QUICK, "--json")
    found = ended.document
    assert ended.err == ""
    assert found["kind"] == INPUTS[name].kind
    assert found["readers"] == list(READERS)
    assert found["overall"]
    for one in found["overall"]:
        assert one["name"] in words
        assert one.get("words") or one.get("undefined")


@pytest.mark.parametrize("name", INPUTS)
def test_consensus_in_one_document(name, reads_of):
    source = reads_of(name)
    ended = ok("consensus", *source, "--json", "--probabilities")
    found = ended.document
    assert ended.err == ""
    assert found["kind"] == INPUTS[name].kind
    parts = found["classes"].values() if "classes" in found else [found]
    for part in parts:
        assert part["n_cases"] == len({row["case"] for row in part["rows"]}) or name in (
            "boxes", "instances",
        )  # fmt: skip
        assert len(part["provenance"]) == 64
        assert [row["reader"] for row in part["reliability"]["readers"]] == list(READERS)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", CLASSES)
def test_consensus_table_has_exactly_its_columns(name, reads_of, tmp_path):
    out = tmp_path / "consensus.csv"
    said = ok("consensus", *reads_of(name), "--out", out).out
    assert str(out) in said.replace("\n", "")
    rows = rows_of(out)
    assert list(rows[0]) == ["case", "consensus", "probability", "entropy", "reads"]
    assert [row["case"] for row in rows] == list(CASES)
    ok("consensus", *reads_of(name), "--out", out, "--probabilities")
    rows = rows_of(out)
    named = [column for column in rows[0] if column.startswith("p_")]
    assert list(rows[0]) == ["case", "consensus", "probability", "entropy", "reads", *named]
    for row in rows:
        p = {column[2:]: float(row[column]) for column in named}
        assert sum(p.values()) == pytest.approx(1)
        assert p[row["consensus"]] == pytest.approx(float(row["probability"]))
        assert p[row["consensus"]] == pytest.approx(max(p.values()))


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("wide", ["case", "class", "consensus", "probability", "entropy", "reads"]),
        ("long", ["case", "class", "consensus", "probability", "entropy", "reads"]),
        ("score", ["case", "consensus", "sd", "low", "high", "entropy", "reads"]),
        ("boxes", ["case", "label", "probability", "class_probability", "x1", "y1", "x2", "y2",
                   "reads_for", "reads_against"]),
        ("instances", ["case", "label", "probability", "class_probability", "x1", "y1", "x2", "y2",
                       "reads_for", "reads_against"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_consensus_tables_of_other_kinds(name, columns, suffix, reads_of, tmp_path):
    out = tmp_path / f"consensus.{suffix}"
    ok("consensus", *reads_of(name), "--out", out)
    read = {
        "csv": pl.read_csv,
        "tsv": lambda path: pl.read_csv(path, separator="\t"),
        "parquet": pl.read_parquet,
    }[suffix]
    table = read(out)
    assert table.columns == columns
    assert table.height >= len(CASES) // 2


@pytest.mark.parametrize("name", ["boxes", "instances"])
def test_consensus_of_findings_as_coco_is_read_again(name, reads_of, tmp_path):
    out = tmp_path / "consensus.json"
    ok("consensus", *reads_of(name), "--out", out)
    assert "overread consensus" in ok("agree", out, *QUICK, "--json").document["readers"]


def test_consensus_of_masks_is_a_folder_of_masks(reads_of, tmp_path):
    out = tmp_path / "masks"
    ok("consensus", *reads_of("masks"), "--out", out)
    names = [row["file"] for row in rows_of(out / "masks.csv")]
    assert len(names) == 5
    assert sorted(files_of(out)) == sorted([*names, "masks.csv"])


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (method.name, name)
        for method in METHODS.values()
        for kind, name in (
            (Kind.NOMINAL, "nominal"), (Kind.ORDINAL, "ordinal"), (Kind.MULTILABEL, "wide"),
            (Kind.SCORE, "score"), (Kind.BOX, "boxes"), (Kind.INSTANCE, "instances"),
            (Kind.MASK, "masks"),
        )
        if kind in method.kinds
    ],
)  # fmt: skip
def test_every_method_runs_by_name(method, name, reads_of, tmp_path):
    out = tmp_path / "consensus.csv"
    said = ok("consensus", *reads_of(name), "--method", method, "--seed", 3, "--out", out).out
    assert said.startswith(method)
    assert rows_of(out)


def test_every_kind_has_a_default_method():
    assert {kind for method in METHODS.values() for kind in method.kinds} == set(Kind)


@pytest.mark.parametrize("name", COMPARED)
def test_compare_with_and_without_truth(name, reads_of, tmp_path):
    what = "value" if name == "score" else "label"
    answers = ["50"] * len(CASES) if name == "score" else _answers(name)
    truth = write_csv(tmp_path / "truth.csv", {"case": list(CASES), what: answers})
    source = reads_of(name)
    if name != "score":  # all methods run in the tests of the use case; here the quickest do
        second = "ordinal" if name == "ordinal" else "one_coin"
        source = (*source, "--methods", f"majority,{second}")
    against = ok("compare", *source, "--truth", truth, "--json").document
    key = "mae" if name == "score" else "accuracy"
    for one in against["methods"]:
        assert one["note"] == ""
        assert one[key] is not None
        assert one["n_cases"] == len(CASES)
    assert key in ok("compare", *source, "--truth", truth).out
    assert all(key not in one for one in ok("compare", *source, "--json").document["methods"])
    if name != "score":
        names = [entry["method"] for entry in against["methods"]]
        assert against["recommendation"]["method"] in names


def _answers(name: str) -> list[str]:
    first = {"nominal": "benign", "parquet": "no", "ordinal": "0"}[name]
    return [first] * len(CASES)


def test_compare_runs_the_methods_asked_for(reads_of):
    found = ok("compare", *reads_of("nominal"), "--methods", "majority, one_coin", "--json")
    assert [e["method"] for e in found.document["methods"]] == ["majority", "one_coin"]


@pytest.mark.parametrize("name", RANKED)
def test_next_ranks_cases(name, reads_of, tmp_path):
    out = tmp_path / "next.csv"
    rows = ok("next", *reads_of(name), "--top", 4, "--out", out, "--json").document
    assert len(rows) == 4
    gains = [row["gain"] for row in rows]
    assert gains == sorted(gains, reverse=True)
    assert {row["reader"] for row in rows} == {"an average reader"}
    assert [row["case"] for row in rows_of(out)] == [row["case"] for row in rows]
    assert ("class" in rows[0]) == (INPUTS[name].kind == "multi-label")


def test_next_asks_readers_by_seconds(tmp_path):
    columns = class_columns(["a", "b"])
    kept = [row for row in range(36) if row % 5]
    columns = {name: [column[row] for row in kept] for name, column in columns.items()}
    columns["seconds"] = [{"Ada": 60, "Ben": 5, "Cy": 30}[who] for who in columns["reader"]]
    source = write_csv(tmp_path / "reads.csv", columns)
    read = set(zip(columns["case"], columns["reader"], strict=True))
    rows = ok("next", source, "--readers", "any", "--json").document
    assert len(rows) == len({row["case"] for row in rows})
    assert all((row["case"], row["reader"]) not in read for row in rows)
    rates = [row["per_second"] for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert {r["reader"] for r in ok("next", source, "--readers", "Ben", "--json").document} == {
        "Ben"
    }


@pytest.mark.parametrize(
    "name", [name for name in INPUTS if name not in ("nominal", "ordinal", "long")]
)
def test_report_is_one_page(name, reads_of, tmp_path):
    page = tmp_path / "page.html"
    ended = ok("report", *reads_of(name), "--out", page, *QUICK, "--json")
    assert ended.document == {"html": str(page), "pdf": None}
    assert sorted(files_of(tmp_path)) == ["page.html"]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Content-Security-Policy" in text


def test_report_with_pdf_title_truth_gold_and_subgroups(tmp_path, monkeypatch):
    columns = class_columns(["a", "b"])
    columns["site"] = ["north" if int(c.split()[1]) < 7 else "south" for c in columns["case"]]
    source = write_csv(tmp_path / "reads.csv", columns)
    monkeypatch.setattr(
        "overread.app.analysis.write_report._MOST_COMPARED", 0
    )  # fits each method 6 times
    truth = write_csv(tmp_path / "truth.csv", {"case": list(CASES), "label": ["a"] * 12})
    gold = write_csv(tmp_path / "gold.csv", {"case": CASES[:2], "label": ["a", "b"]})
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    said = ok("report", source, "--out", page, "--pdf", pdf, "--title", "A [b] <c>", "--by", "site",
              "--truth", truth, "--gold", gold, *QUICK).out  # fmt: skip
    assert str(page) in said.replace("\n", "")
    assert pdf.read_bytes().startswith(b"%PDF")
    text = page.read_text(encoding="utf-8")
    for word in ("A [b] &lt;c&gt;", "north", "south", "Calibration"):
        assert word in text


def test_methods_lists_the_table():
    listed = ok("methods", "--json").document
    assert [one["name"] for one in listed] == list(METHODS)
    assert all(one["assumes"] and one["use_when"] and one["kinds"] for one in listed)
    assert all(name in ok("methods").out for name in METHODS)


def test_columns_by_other_names(tmp_path):
    columns = class_columns(["a", "b"])
    renamed = dict(zip(("image", "doctor", "said"), columns.values(), strict=True))
    source = write_csv(tmp_path / "r.tsv", renamed, separator="\t")
    options = ("--case", "image", "--reader", "doctor", "--label", "said")
    usual = write_csv(tmp_path / "usual.csv", columns)
    found = ok("consensus", source, *options, "--json").document
    assert found == ok("consensus", usual, "--json").document


def test_corners_and_values_by_other_names(reads_of, tmp_path):
    boxes = pl.read_csv(reads_of("boxes")[0])
    corners = {"x1": "left", "y1": "top", "x2": "right", "y2": "bottom"}
    boxes.rename(corners).write_csv(tmp_path / "boxes.csv")
    options = ("--corners", "left, top,right,bottom", "--json")
    assert ok("consensus", tmp_path / "boxes.csv", *options).document["kind"] == "box"
    scores = pl.read_csv(reads_of("score")[0]).rename({"value": "density"})
    scores.write_csv(tmp_path / "scores.csv")
    found = ok("consensus", tmp_path / "scores.csv", "--value", "density", "--json").document
    assert found["kind"] == "score"


def test_gold_is_believed(reads_of, tmp_path):
    before = ok("consensus", *reads_of("nominal"), "--json").document
    said = before["rows"][0]["consensus"]
    other = next(name for name in ("benign", "malignant", "normal") if name != said)
    gold = write_csv(tmp_path / "gold.csv", {"case": [CASES[0]], "label": [other]})
    after = ok("consensus", *reads_of("nominal"), "--gold", gold, "--json").document
    assert after["rows"][0]["consensus"] == other
    assert after["rows"][0]["probability"] > 0.99
    assert after["provenance"] != before["provenance"]


TIED = {"case": ["1", "1", "2", "2"], "reader": ["A", "B"] * 2, "label": ["x", "y", "y", "x"]}


@pytest.mark.parametrize(
    ("rule", "expected"), [("first", "x"), ("last", "y"), ("none", None), ("split", "x")]
)
def test_ties_follow_their_rule(rule, expected, tmp_path):
    source = write_csv(tmp_path / "reads.csv", TIED)
    found = ok("consensus", source, "--method", "majority", "--ties", rule, "--json").document
    assert [row["consensus"] for row in found["rows"]] == [expected] * 2
    assert "Ties: a tie" in ok("consensus", source, "--method", "majority", "--ties", rule).out


def test_random_ties_follow_the_seed(tmp_path):
    columns = {name: [f"{v}{n}" if name == "case" else v for n in range(8) for v in column]
               for name, column in TIED.items()}  # fmt: skip
    source = write_csv(tmp_path / "reads.csv", columns)
    drawn = {
        seed: [r["consensus"] for r in ok("consensus", source, "-m", "majority", "--ties", "random",
                                          "--seed", seed, "--json").document["rows"]]
        for seed in (0, 1, 0)
    }  # fmt: skip
    assert set(drawn[0]) == {"x", "y"}
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("name", ["nominal", "wide", "score", "boxes"])
def test_readers_out(name, reads_of, tmp_path):
    path = tmp_path / "readers.csv"
    ok("consensus", *reads_of(name), "--readers-out", path)
    rows = rows_of(path)
    assert {row["reader"] for row in rows} == set(READERS)
    assert all("reads" in row for row in rows)
    assert ("class" in rows[0]) == (name == "wide")


def test_history_of_every_part(reads_of):
    one = ok("consensus", *reads_of("nominal"), "--method", "dawid_skene", "--history").out
    assert one.count("iteration 1:") == 1
    assert ok("consensus", *reads_of("wide"), "--history").out.count("iteration 1:") == 2
    found = ok("consensus", *reads_of("nominal"), "--history", "--json").document["history"]
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(found))


def test_no_calibrate(reads_of):
    on, off = (
        ok("consensus", *reads_of("nominal"), flag, "--json").document
        for flag in ("--calibrate", "--no-calibrate")
    )
    assert on["temperature"] < 1
    assert off["temperature"] == 1


@pytest.mark.parametrize(
    ("command", "name"),
    [("agree", "parquet"), ("agree", "score"), ("agree", "boxes"), ("consensus", "ordinal"),
     ("consensus", "wide"), ("consensus", "score"), ("consensus", "boxes")],
)  # fmt: skip
def test_same_seed_same_answer(name, command, reads_of):
    more = QUICK if command == "agree" else ()
    first, second = (ok(command, *reads_of(name), *more, "--seed", 5, "--json") for _ in range(2))
    assert first.out == second.out
