"""A subgroup of each case (site, device, age band) from a column of the table of reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.errors import InputError
from overread.exchange.cells import coded
from overread.exchange.columns import find
from overread.exchange.tables import open_table
from overread.labels import ReadIndex

UNKNOWN = "not known"
"""Subgroup of a case for which the table says nothing."""


def subgroup_of_cases(source: Any, index: ReadIndex, case: str, column: str) -> list[str]:
    """Name the subgroup of each case.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        index: of the reads; the order of the cases is its.
        case, column: names of the columns of the case and of the subgroup.
    Returns:
        (cases,) names; :data:`UNKNOWN` where the column is blank or the case is not in the table.
    Raises:
        InputError: no such column, or one case in two subgroups.
    """
    table = open_table(source)
    names = [find(table.names, "case", case), find(table.names, "by", column)]
    frame = table.load(names, coded=names)
    cases, groups = coded(frame[names[0]]), coded(frame[names[1]])
    place = {name: number for number, name in enumerate(index.cases.tolist())}
    number = np.array([place.get(name, -1) for name in cases.names])[cases.code]
    of_case = np.full(index.n_cases, -1)
    blank = groups.names.index("") if "" in groups.names else -1
    given = np.flatnonzero((number >= 0) & (groups.code != blank))
    of_case[number[given]] = groups.code[given]
    clash = given[of_case[number[given]] != groups.code[given]]
    if clash.size:
        one, other = (groups.names[g] for g in (groups.code[clash[0]], of_case[number[clash[0]]]))
        rows = given[number[given] == number[clash[0]]]
        rule = "be the same in all rows of one case"
        raise InputError(f"column {column}", rule, f"{one!r} and {other!r}", rows=rows + 1)
    return [groups.names[g] if g >= 0 else UNKNOWN for g in of_case.tolist()]
