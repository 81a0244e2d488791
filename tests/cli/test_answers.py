"""What changes an answer and what does not: row order, subgroups, measures, repeats, readers."""

from __future__ import annotations

import random
import re

import numpy as np
import polars as pl
import pytest

from tests.cli.inputs import CASES, write_csv
from tests.cli.program import ok, refused

CLASSES = ("nominal", "parquet", "ordinal")
QUICK = ("--draws", 100)


@pytest.mark.parametrize("name", ["nominal", "ordinal", "wide", "long", "score", "boxes"])
def test_the_order_of_rows_changes_nothing(name, reads_of, tmp_path):
    path, *options = reads_of(name)
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    random.Random(3).shuffle(lines)
    shuffled = tmp_path / path.name
    shuffled.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    tables = []
    for source in (path, shuffled):
        out = tmp_path / "out.csv"
        ok("consensus", source, *options, "--out", out)
        table = pl.read_csv(out, infer_schema_length=None)
        keys = [c for c in ("case", "class", "label", "x1") if c in table.columns]
        tables.append(table.sort(keys))
    one, other = tables
    for column in one.columns:
        if one[column].dtype.is_float():
            np.testing.assert_allclose(one[column], other[column], rtol=1e-4, atol=1e-4)
        else:
            assert one[column].to_list() == other[column].to_list()
    asked = ("--measures", "percent,alpha_nominal") if name in CLASSES else ()
    values = [
        {(e["key"], e["scope"]): e["value"] for e in ok("agree", source, *options, *QUICK, *asked,
                                                        "--json").document["overall"]}
        for source in (path, shuffled)
    ]  # fmt: skip
    assert values[0] == pytest.approx(values[1], nan_ok=True)


def test_subgroups(reads_of, tmp_path):
    sets = ("--kind", "multi-label", "--classes", "mass,node")
    for name, options in (("nominal", ()), ("score", ()), ("boxes", ()), ("wide", sets)):
        table = pl.read_csv(reads_of(name)[0])
        sites = pl.when(pl.col("case").is_in(CASES[:5])).then(pl.lit("[n]")).otherwise(pl.lit("s"))
        table.with_columns(sites.alias("site")).write_csv(tmp_path / f"{name}.csv")
        asked = ("--measures", "percent") if name in ("nominal", "wide") else ()
        source = (tmp_path / f"{name}.csv", *options, *asked, "--by", "site", *QUICK)
        found = ok("agree", *source, "--json").document["by_subgroup"]
        assert {one["scope"] for one in found} == {"subgroup [n]", "subgroup s"}
        assert "subgroup [n]" in ok("agree", *source).out


def test_measures_and_readers_to_come(reads_of):
    asked = ("--measures", "fleiss, ac1", *QUICK, "--json")
    found = ok("agree", *reads_of("nominal"), *asked).document["overall"]
    assert [one["key"] for one in found] == ["fleiss", "ac1"]
    sample = ok("agree", *reads_of("nominal"), *asked, "--over-readers").document["overall"]
    assert [one["value"] for one in sample] == [one["value"] for one in found]
    assert [one["low"] for one in sample] != [one["low"] for one in found]


REPEATED = {"case": ["1", "1", "1", "2"], "reader": ["A", "A", "B", "B"], "label": list("xyxy")}


@pytest.mark.parametrize(("repeats", "reads"), [("keep", 4), ("first", 3), ("last", 3)])
def test_repeats(repeats, reads, tmp_path):
    source = write_csv(tmp_path / "reads.csv", REPEATED)
    found = ok("agree", source, "--repeats", repeats, *QUICK, "--json").document
    assert found["reads"] == reads
    assert bool(found["within"]) == (repeats == "keep")
    assert "--repeats" in refused("agree", source) or "repeats" in refused("agree", source)


def test_one_reader_only_is_explained(tmp_path):
    source = write_csv(
        tmp_path / "reads.csv", {"case": ["1", "2"], "reader": ["A", "A"], "label": ["x", "y"]}
    )
    found = ok("agree", source, *QUICK, "--json").document
    assert all(one["value"] is None and one["undefined"] for one in found["overall"])
    assert not re.search(r"\bnan\b", ok("agree", source, *QUICK).out)
    reached = ok("consensus", source, "--json").document
    assert reached["warnings"]
    assert [row["consensus"] for row in reached["rows"]] == ["x", "y"]
    assert "!" in ok("consensus", source).out
