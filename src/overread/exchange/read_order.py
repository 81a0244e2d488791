"""In which order reads were made, from any column that tells it (a date, a running number)."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.arrays import Floats, natural_key
from overread.errors import InputError
from overread.exchange.cells import coded
from overread.exchange.columns import find
from overread.exchange.tables import open_table
from overread.labels import ReadIndex


def order_of_reads(source: Any, index: ReadIndex, *, case: str, reader: str, column: str) -> Floats:
    """Rank the reads by a column of their table.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        index: of the reads.
        case, reader, column: names of the columns; numbers sort by value, dates of one ISO form
            and other texts naturally ("9" before "10").
    Returns:
        (reads,) ranks. Rows of one read (its findings) count as the first of them, and so do
        repeats of a reader on a case.
    Raises:
        InputError: no such column, or a read without an entry in it.
    """
    table = open_table(source)
    wanted = (("case", case), ("reader", reader), ("order", column))
    names = [find(table.names, what, name) for what, name in wanted]
    frame = table.load(names, coded=names)
    cases, readers, order = (coded(frame[name]) for name in names)
    by_value = sorted(range(len(order.names)), key=lambda i: natural_key(order.names[i]))
    rank = np.empty(len(order.names))
    rank[by_value] = np.arange(len(order.names))
    if "" in order.names:
        rank[order.names.index("")] = np.inf
    row_of = {name: i for i, name in enumerate(index.cases.tolist())}
    place_of = {name: i for i, name in enumerate(index.readers)}
    row = np.array([row_of.get(name, -1) for name in cases.names])[cases.code]
    who = np.array([place_of.get(name, -1) for name in readers.names])[readers.code]
    known = (row >= 0) & (who >= 0)
    first = np.full(index.n_cases * max(index.n_readers, 1), np.inf)
    np.minimum.at(first, row[known] * index.n_readers + who[known], rank[order.code[known]])
    found = first[index.case.astype(np.int64) * index.n_readers + index.reader]
    missing = np.flatnonzero(np.isinf(found))
    if missing.size:
        raise InputError(f"column {column}", "be given for every read", "nothing", rows=missing + 1)
    return np.asarray(found)
