"""Gold sets of classes: right answers of a multi-label table, in the forms that its reads have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from overread.arrays import Ints
from overread.errors import InputError
from overread.exchange.columns import Columns, match
from overread.exchange.gather import NO_FINDING
from overread.exchange.gold import refuse_strangers
from overread.exchange.gold_findings import of_gold
from overread.exchange.label_sets import ABSENT, PRESENT, read_label_rows, read_label_sets
from overread.exchange.tables import shown_names
from overread.labels import CANNOT_BE_READ, MultiLabelReads


def read_gold_sets(
    source: Any,
    reads: MultiLabelReads,
    *,
    columns: Columns | None = None,
    present: Sequence[str] = PRESENT,
    absent: Sequence[str] = ABSENT,
    no_finding: Sequence[str] = (NO_FINDING,),
    unreadable: str = CANNOT_BE_READ,
) -> Ints:
    """Read gold answers to multi-label reads.

    Args:
        source: a table ``case`` and a column for each class (classes without a column, and empty
            cells, are not known; other columns are left alone), or ``case, label`` with one row
            for each class that is there. Gold of cases that nobody read is left out.
        reads: that it belongs to; cases and classes are theirs.
        columns: names of the columns.
        present, absent, no_finding, unreadable: as in
            :func:`overread.exchange.label_sets.read_label_sets` and ``read_label_rows``.
    Returns:
        (cases, classes) 1 there, 0 not there, -1 not known.
    Raises:
        InputError: what these raise, two answers to one question, no class or no case in common.
    Example:
        >>> from overread.exchange import read_label_sets
        >>> reads = read_label_sets({"case": ["a", "b"], "reader": [1, 1], "mass": [0, 1]})
        >>> read_gold_sets({"case": ["b"], "mass": [1]}, reads).tolist()
        [[-1], [1]]
    """
    columns = replace(columns or Columns(), time="", seconds="", protocol="", group="", read="")
    table = of_gold(source, columns)
    if match(list(table), columns.label) is None:
        named = [name for name in reads.schema.names if match(list(table), name) is not None]
        if not named:
            rule = f"have a column for some class of {', '.join(reads.schema.names)}"
            raise InputError("gold table", rule, shown_names(list(table)))
        gold = read_label_sets(
            table, columns=columns, classes=named, present=present, absent=absent,
            unreadable=unreadable,
        )  # fmt: skip
        classes = [reads.schema.names.index(name) for name in named]
    else:
        gold = read_label_rows(
            table, columns=columns, schema=reads.schema.names, no_finding=no_finding,
            unreadable=unreadable,
        )  # fmt: skip
        classes = list(range(len(reads.schema.names)))
    place = {name: code for code, name in enumerate(reads.index.cases.tolist())}
    of_case = np.array([place.get(name, -1) for name in gold.index.cases.tolist()], dtype=np.int64)
    case = of_case[gold.index.case]
    rows = np.flatnonzero(case >= 0)
    if not rows.size:
        refuse_strangers()
    answer = np.full((reads.index.n_cases, len(reads.schema.names)), -1, dtype=np.int64)
    answer[case[rows][:, None], np.array(classes)] = gold.present[rows]
    return answer
