"""A subgroup of each case from a column of the table."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.exchange import read_classes
from overread.exchange.subgroups import UNKNOWN, subgroup_of_cases

TABLE = {
    "case": ["b", "b", "a", "a", "c"],
    "reader": ["R1", "R2", "R1", "R2", "R1"],
    "label": ["x", "y", "x", "x", "y"],
}


def groups(sites, **more):
    table = TABLE | {"site": sites} | more
    return subgroup_of_cases(table, read_classes(table).index, "case", "site")


def test_one_name_a_case_in_the_order_of_the_cases():
    assert groups(["n", "n", "s", "s", "n"]) == ["n", "s", "n"]
    assert groups([1, 1.0, "2", "2 ", "1"]) == ["1", "2", "1"]


def test_blanks_say_nothing():
    assert groups(["", "", "s", "s", "n"]) == [UNKNOWN, "s", "n"]
    assert groups([None, "n", "s", "NA", ""]) == ["n", "s", UNKNOWN]


def test_another_table_with_other_cases():
    index = read_classes(TABLE).index
    site = {"case": ["c", "z", "b"], "site": ["n", "n", "s"]}
    assert subgroup_of_cases(site, index, "case", "site") == ["s", UNKNOWN, "n"]


def test_two_subgroups_for_one_case():
    with pytest.raises(InputError) as caught:
        groups(["n", "n", "s", "t", "n"])
    assert caught.value.rows == (3, 4)
    assert "'s' and 't'" in str(caught.value)


def test_no_such_column():
    with pytest.raises(InputError, match='a column "site"; got columns case, reader, label'):
        subgroup_of_cases(TABLE, read_classes(TABLE).index, "case", "site")
