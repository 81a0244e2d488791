"""Wide multi-label tables that also hold a column of subgroups."""

from __future__ import annotations

import csv

import pytest

from tests.cli.inputs import wide, write_csv
from tests.cli.program import ok, refused

_KIND = ("--kind", "multi-label")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two classes, and the site of each case."""
    folder = tmp_path_factory.mktemp("wide")
    with wide(folder).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    site = ["north" if int(case.split()[1]) % 2 else "south" for case in columns["case"]]
    plain = write_csv(folder / "plain.csv", columns)
    return write_csv(folder / "sites.csv", columns | {"Site": site}), plain


def test_the_subgroup_is_no_class(table):
    with_site, plain = table
    document = ok("agree", with_site, *_KIND, "--by", "site", "--json").document
    by_site = {(one["scope"], one["key"]) for one in document.pop("by_subgroup")}
    assert {scope for scope, _ in by_site} == {"subgroup north", "subgroup south"}
    assert len(by_site) == 8
    without = ok("agree", plain, *_KIND, "--json").document
    assert without.pop("by_subgroup") == []
    assert document == without  # all else is as if the column were not there


def test_the_other_commands_skip_it_when_told(table, tmp_path):
    with_site, plain = table
    skipped, alone = (
        ok("consensus", path, *_KIND, *options, "--json").document["classes"]
        for path, options in ((with_site, ("--skip", "site")), (plain, ()))
    )
    assert skipped == alone
    assert set(skipped) == {"mass", "node"}
    page = tmp_path / "report.html"
    ok("report", with_site, *_KIND, "--by", "site", "--out", page)
    text = page.read_text()
    assert "subgroup north" in text
    assert "Site: present in" not in text
    assert "mass: present in" in text


def test_a_column_that_is_no_class_is_named(table):
    with_site, _ = table
    said = refused("consensus", with_site, *_KIND)
    assert "Site must be one of 1, true, yes, 0, false, no, or empty; got 'north'" in said
    assert "--skip" in said
    said = refused("agree", with_site, *_KIND, "--by", "device")
    assert 'table must have a column "device"; got columns case, reader, mass, node, Site' in said
    assert "kind multi-label (--kind)" in refused("agree", with_site)
