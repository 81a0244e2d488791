"""Tables of whole-case answers: classes, grades, scores, and sets of classes."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Bools
from overread.errors import InputError
from overread.exchange.cells import as_texts, coded, missing_cells, numbers
from overread.exchange.columns import Columns, find, index_columns, load_columns, match
from overread.exchange.tables import open_table
from overread.labels import (
    CANNOT_BE_READ,
    ClassReads,
    Kind,
    LabelClass,
    LabelSchema,
    Repeats,
    ScoreReads,
    class_reads,
    read_index,
)
from overread.labels.classes import rows_to_keep

Blank = Literal["error", "skip"]
"""A row without an answer: refuse the table, or take the case for not read."""


def read_classes(
    source: Any,
    *,
    columns: Columns | None = None,
    schema: LabelSchema | Sequence[str] | None = None,
    ordinal: bool = False,
    repeats: Repeats = "error",
    unreadable: str = CANNOT_BE_READ,
    blank: Blank = "error",
) -> ClassReads:
    """Read a table with one answer a row: ``case, reader, label``.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        columns: names of the columns, where they differ from the default.
        schema: the classes allowed, in order; by default those that occur, in natural order.
        ordinal: the classes are grades, from least to most.
        repeats: "error", "keep", "first" or "last"; see :func:`overread.labels.class_reads`.
        unreadable: the answer that means "cannot be read".
        blank: "error", or "skip" rows without an answer (the case was not read).
    Raises:
        InputError: row, rule and value of the first thing wrong.
    """
    columns = columns or Columns()
    table = open_table(source)
    named = {what: find(table.names, what, getattr(columns, what)) for what in _WHO_SAYS}
    frame, extras = load_columns(table, columns, named=named, plain={})
    frame, rows = _answered(frame, named["label"], blank)
    with true_rows(rows):
        return class_reads(
            *(coded(frame[name]) for name in named.values()),
            schema=_cleaned(schema),
            ordinal=ordinal,
            repeats=repeats,
            unreadable=unreadable,
            **index_columns(frame, extras),
        )


_WHO_SAYS = ("case", "reader", "label")


def read_scores(
    source: Any,
    *,
    columns: Columns | None = None,
    low: float | None = None,
    high: float | None = None,
    repeats: Repeats = "error",
    unreadable: str = CANNOT_BE_READ,
    blank: Blank = "error",
) -> ScoreReads:
    """Read a table with one number a row: ``case, reader, value``.

    Args:
        low, high: inclusive range allowed.
        source, columns, repeats, unreadable, blank: as in :func:`read_classes`. Where there is no
            value column, the label column is taken.
    Raises:
        InputError: row, rule and value of the first thing wrong.
    """
    columns = columns or Columns()
    table = open_table(source)
    who = {what: find(table.names, what, getattr(columns, what)) for what in ("case", "reader")}
    has_value = match(table.names, columns.value) or not match(table.names, columns.label)
    value = find(table.names, "value", columns.value if has_value else columns.label)
    frame, extras = load_columns(table, columns, named=who, plain={"value": value})
    frame, rows = _answered(frame, value, blank)
    with true_rows(rows):
        cannot = says(frame[value], unreadable)
        refuse_blank(frame[value], "value", unreadable)
        said = numbers(frame[value], "value", rows=~cannot)
        index = read_index(
            *(coded(frame[name]) for name in who.values()), **index_columns(frame, extras)
        )
        reads = ScoreReads(index, said, LabelSchema(Kind.SCORE, (), low, high))
        return reads.select(rows_to_keep(index, said, repeats, lambda row: float(said[row])))


def says(column: pl.Series, word: str) -> Bools:
    """(rows,) true where a cell holds this text, upper or lower case, blanks aside."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return np.zeros(len(column), dtype=np.bool_)
    texts = as_texts(column).str.strip_chars().str.to_lowercase()
    return (texts == word.strip().lower()).fill_null(value=False).to_numpy()


def refuse_blank(column: pl.Series, name: str, unreadable: str) -> None:
    """Every row must say something."""
    bad = np.flatnonzero(missing_cells(column))
    if bad.size:
        remedy = f'Write "{unreadable}" if the reader could not answer; leave the row out (or say '
        remedy += "blank: skip) if the case was not read."
        raise InputError(name, "be given in every row", "nothing", rows=bad + 1, remedy=remedy)


def class_matrix(
    matrix: Any,
    *,
    cases: Sequence[Any] | None = None,
    readers: Sequence[Any] | None = None,
    schema: LabelSchema | Sequence[str] | None = None,
    ordinal: bool = False,
    unreadable: str = CANNOT_BE_READ,
) -> ClassReads:
    """Class reads from a (cases, readers) matrix; nan, None and "" are missing reads.

    Args:
        matrix: (cases, readers) answers, anything NumPy takes.
        cases, readers: their names; by default "1", "2", ... and "R1", "R2", ...
        schema, ordinal, unreadable: as in :func:`read_classes`.
    Example:
        >>> class_matrix([["a", "b"], ["a", ""]]).counts().tolist()
        [[1, 1], [1, 0]]
    """
    wide = np.asarray(matrix, dtype=object)
    if wide.ndim != 2:
        raise InputError("matrix", "have the shape (cases, readers)", f"shape {wide.shape}")
    cases = [str(c + 1) for c in range(wide.shape[0])] if cases is None else list(cases)
    readers = [f"R{r + 1}" for r in range(wide.shape[1])] if readers is None else list(readers)
    if (len(cases), len(readers)) != wide.shape:
        got = f"{len(cases)} cases and {len(readers)} readers"
        raise InputError("names", f"fit the matrix of shape {wide.shape}", got)
    long = {
        "case": np.repeat(np.array(cases, dtype=object), wide.shape[1]),
        "reader": np.tile(np.array(readers, dtype=object), wide.shape[0]),
        "label": wide.reshape(-1),
    }
    return read_classes(long, schema=schema, ordinal=ordinal, unreadable=unreadable, blank="skip")


def _cleaned(schema: LabelSchema | Sequence[str] | None) -> LabelSchema | Sequence[str] | None:
    """A list of classes written as the labels will be: 1.0 as "1"."""
    if schema is None or isinstance(schema, LabelSchema):
        return schema
    return coded(pl.Series([str(name) for name in schema], dtype=pl.String)).names


def label_schema(
    kind: Kind, names: Sequence[str], codes: Mapping[str, str] | None = None
) -> LabelSchema:
    """A schema with these classes in this order, with ontology codes for some of them."""
    codes = codes or {}
    return LabelSchema(kind, tuple(LabelClass(name, codes.get(name)) for name in names))


def _answered(
    frame: pl.DataFrame, name: str, blank: Blank
) -> tuple[pl.DataFrame, NDArray[np.int64] | None]:
    """Rows with an answer, and their numbers in the table (None: all of them)."""
    if blank not in ("error", "skip"):
        raise InputError("blank", "be error or skip", f"{blank!r}")
    if blank == "error":
        return frame, None
    empty = missing_cells(frame[name])
    if empty.all():
        raise InputError("label", "be given in some row", "nothing in all rows")
    if not empty.any():
        return frame, None
    return frame.filter(pl.Series(~empty)), np.flatnonzero(~empty) + 1


@contextmanager
def true_rows(rows: NDArray[np.int64] | None) -> Generator[None]:
    """Errors raised within name the rows of the whole table, not of what was left of it."""
    try:
        yield
    except InputError as error:
        if rows is None or not error.rows:
            raise
        whole = [int(rows[row - 1]) for row in error.rows]
        raise InputError(
            error.name, error.rule, error.got, rows=whole, remedy=error.remedy
        ) from error
