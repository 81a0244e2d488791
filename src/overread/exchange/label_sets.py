"""Tables of sets of classes: one column a class, or several rows a read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.errors import InputError
from overread.exchange import stated
from overread.exchange.cells import coded, missing_cells
from overread.exchange.columns import (
    Columns,
    extra_names,
    find,
    index_columns,
    load_columns,
    match,
)
from overread.exchange.gather import (
    NO_FINDING,
    class_codes,
    gather,
    read_column,
    refuse_contradictions,
    row_meanings,
)
from overread.exchange.tables import open_table, shown_names
from overread.labels import (
    CANNOT_BE_READ,
    UNREADABLE,
    Kind,
    LabelClass,
    LabelSchema,
    MultiLabelReads,
    Repeats,
    read_index,
)
from overread.labels.classes import rows_to_keep

PRESENT = ("1", "true", "yes")
"""Cells that say "this class is there", upper or lower case."""

ABSENT = ("0", "false", "no")
"""Cells that say "this class is not there", upper or lower case."""


def read_label_sets(
    source: Any,
    *,
    columns: Columns | None = None,
    classes: Sequence[str] | None = None,
    skip: Sequence[str] = (),
    present: Sequence[str] = PRESENT,
    absent: Sequence[str] = ABSENT,
    repeats: Repeats = "error",
    unreadable: str = CANNOT_BE_READ,
) -> MultiLabelReads:
    """Read a wide table: ``case, reader`` and one column a class, 1 there and 0 not there.

    An empty cell says nothing about its class (not answered).

    Args:
        classes: the columns of the classes; by default all but those that :class:`Columns` names.
        skip: columns that are no classes either (a site, a device).
        present, absent: what cells mean there and not there, upper or lower case; 1.0 is "1".
        source, columns, repeats, unreadable: as in :func:`overread.exchange.classes.read_classes`.
    Raises:
        InputError: a cell that is neither; two different answers of one reader to one case.
    """
    columns = columns or Columns()
    table = open_table(source)
    who = {what: find(table.names, what, getattr(columns, what)) for what in ("case", "reader")}
    taken = {*who.values(), *extra_names(table.names, columns).values(), *stated.COLUMNS}
    taken |= {_there(table.names, name) for name in skip}
    if classes is None:
        classes = [name for name in table.names if name not in taken]
    named = {name: find(table.names, "classes", name) for name in classes}
    if not named:
        raise InputError("table", "have a column for each class", "only case and reader")
    frame, extras = load_columns(table, columns, named=who | named, plain={})
    said = [_presence(frame[name], present, absent, unreadable) for name in named.values()]
    wide = np.column_stack(said)
    index = read_index(*(coded(frame[n]) for n in who.values()), **index_columns(frame, extras))
    schema = LabelSchema(Kind.MULTILABEL, tuple(LabelClass(name) for name in named))
    reads = MultiLabelReads(index, wide, schema)
    answer = np.unique(wide, axis=0, return_inverse=True)[1].reshape(-1)
    return reads.select(rows_to_keep(index, answer, repeats, lambda row: wide[row].tolist()))


def _there(names: Sequence[str], wanted: str) -> str:
    found = match(names, wanted)
    if found is None:
        raise InputError("table", f'have a column "{wanted}"', shown_names(names))
    return found


def _presence(
    column: pl.Series, present: Sequence[str], absent: Sequence[str], unreadable: str
) -> NDArray[np.int8]:
    """(rows,) 1, 0 or -1."""
    code = coded(column)
    meaning = {"": UNREADABLE, unreadable.strip().lower(): UNREADABLE}
    meaning |= {str(word).strip().lower(): 1 for word in present}
    meaning |= {str(word).strip().lower(): 0 for word in absent}
    known = np.array([meaning.get(name.lower(), -2) for name in code.names], dtype=np.int8)
    said = known[code.code] if known.size else np.empty(0, dtype=np.int8)
    bad = np.flatnonzero(said == -2)
    if bad.size:
        raise InputError(
            column.name,
            f"be one of {', '.join([*present, *absent])}, or empty",
            repr(code.names[code.code[bad[0]]]),
            rows=bad + 1,
            remedy="Name the classes by option: classes=... (--classes), or columns that are none: "
            "skip=... (--skip), or more words: present=..., absent=...",
        )
    return said


def read_label_rows(
    source: Any,
    *,
    columns: Columns | None = None,
    schema: LabelSchema | Sequence[str] | None = None,
    no_finding: Sequence[str] = (NO_FINDING,),
    unreadable: str = CANNOT_BE_READ,
) -> MultiLabelReads:
    """Read a long table of sets: ``case, reader, label``, one row for each class that is there.

    A read without findings is one row that says "no finding". Classes that a read does not name
    are absent.

    Args:
        source, columns, schema, no_finding, unreadable: as in
            :func:`overread.exchange.findings.read_boxes`.
    Raises:
        InputError: a row without a label, an unknown class, a read that both finds and does not.
    """
    columns = columns or Columns()
    table = open_table(source)
    who = {w: find(table.names, w, getattr(columns, w)) for w in ("case", "reader", "label")}
    read = read_column(table.names, columns)
    frame, extras = load_columns(
        table, columns, named=who, plain={"read": read} if read is not None else {}
    )
    label = frame[who["label"]]
    blank = np.flatnonzero(missing_cells(label))
    if blank.size:
        remedy = f'Write "{no_finding[0] if no_finding else NO_FINDING}" for an empty read.'
        raise InputError("label", "be given in every row", "nothing", rows=blank + 1, remedy=remedy)
    said = row_meanings(label, tuple(no_finding), unreadable)
    gathered = gather(frame, who, extras, read)
    schema = schema if schema is None or isinstance(schema, LabelSchema) else tuple(schema)
    code, schema = class_codes(coded(label), said.finding, Kind.MULTILABEL, schema)
    cannot = refuse_contradictions(gathered.read, gathered.index.n_reads, said)
    wide = np.zeros((gathered.index.n_reads, len(schema.classes)), dtype=np.int8)
    wide[gathered.read[said.finding], code[said.finding]] = 1
    wide[cannot] = UNREADABLE
    return MultiLabelReads(gathered.index, wide, schema)
