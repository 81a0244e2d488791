"""Tables with several rows a read: which rows belong together, and what each read then says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Bools, Coded, Ints, names_array, smallest_int
from overread.errors import InputError
from overread.exchange.cells import coded, missing_cells
from overread.exchange.classes import says
from overread.exchange.columns import Columns, index_columns, optional
from overread.labels import Kind, LabelClass, LabelSchema, ReadIndex, read_index, schema_of

NO_FINDING = "no finding"
"""The label of a row that says "I looked and found nothing", upper or lower case."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Rows of a table gathered into reads.

    Args:
        index: one row a read, in order of first appearance.
        read: (rows,) read of each row.
    """

    index: ReadIndex
    read: NDArray[np.int64]


def gather(
    frame: pl.DataFrame, who: dict[str, str], extras: dict[str, str], read: str | None = None
) -> Gathered:
    """Gather rows into reads: same case, reader, time and protocol (and number of the read).

    Args:
        who: "case" and "reader" -> column.
        extras: of :func:`overread.exchange.columns.extra_names`.
        read: column that tells repeat reads apart, or None.
    """
    columns = index_columns(frame, extras)
    full = read_index(coded(frame[who["case"]]), coded(frame[who["reader"]]), **columns)
    key: NDArray[np.int64] = full.case.astype(np.int64) * max(full.n_readers, 1) + full.reader
    for part in (full.time, full.protocol, None if read is None else coded(frame[read]).code):
        if part is not None:
            _, place = np.unique(part, return_inverse=True)
            _, key = np.unique(key * (int(place.max(initial=0)) + 1) + place, return_inverse=True)
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first, kind="stable")
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(by_appearance.size)
    return Gathered(full.select(first[by_appearance]), rank[group.reshape(-1)])


def read_column(names: tuple[str, ...], columns: Columns) -> str | None:
    """The column that numbers the reads of one reader, if it is there."""
    return optional(names, "read", columns.read)


@dataclass(frozen=True, slots=True, eq=False)
class RowMeanings:
    """What each row of a findings table says; exactly one of the three is true in each row.

    Args:
        finding: (rows,) names a finding.
        none: (rows,) says that there is none.
        cannot: (rows,) says that the case cannot be read.
    """

    finding: Bools
    none: Bools
    cannot: Bools


def row_meanings(label: pl.Series, no_finding: tuple[str, ...], unreadable: str) -> RowMeanings:
    """Sort rows by what their label says; a row without a label says "no finding"."""
    cannot = says(label, unreadable)
    none = missing_cells(label)
    for word in no_finding:
        none = none | says(label, word)
    none &= ~cannot
    return RowMeanings(~none & ~cannot, none, cannot)


def refuse_contradictions(read: Ints, n_reads: int, said: RowMeanings) -> Bools:
    """A read cannot both find and not find; returns (reads,) true where it cannot be read."""
    kinds = {"a finding": said.finding, "no finding": said.none, "cannot be read": said.cannot}
    has = {name: np.bincount(read[rows], minlength=n_reads) > 0 for name, rows in kinds.items()}
    for one, other in (
        ("no finding", "a finding"),
        ("cannot be read", "a finding"),
        ("cannot be read", "no finding"),
    ):
        both = has[one] & has[other]
        if both.any():
            blamed = int(np.flatnonzero(both)[0])
            rows = np.flatnonzero((read == blamed) & (kinds[one] | kinds[other])) + 1
            rule = "say one thing in all its rows"
            raise InputError("a read", rule, f'"{one}" and "{other}"', rows=rows)
    return np.asarray(has["cannot be read"])


def class_codes(
    label: Coded, rows: Bools, kind: Kind, schema: LabelSchema | tuple[str, ...] | None
) -> tuple[Ints, LabelSchema]:
    """(rows,) class codes, -1 outside ``rows``, and the schema; made from the rows if not given.

    Raises:
        InputError: a class that the schema has not, with its rows.
    """
    used = np.zeros(len(label.names), dtype=np.bool_)
    used[label.code[rows]] = True
    if schema is None:
        said = [name for name, there in zip(label.names, used, strict=True) if there]
        schema = schema_of(kind, said or ["finding"])
    elif not isinstance(schema, LabelSchema):
        schema = LabelSchema(kind, tuple(LabelClass(name) for name in schema))
    if schema.kind is not kind:
        schema = replace(schema, kind=kind)
    known = {name: code for code, name in enumerate(schema.names)}
    place = np.array([known.get(name, -1) for name in label.names], dtype=np.int64)
    code = np.where(rows, place[label.code], -1) if place.size else np.full(rows.size, -1)
    unknown = np.flatnonzero(rows & (code < 0))
    if unknown.size:
        got = repr(label.names[label.code[unknown[0]]])
        rule = f"be one of {', '.join(schema.names)}"
        raise InputError("label", rule, got, rows=unknown + 1)
    return code.astype(smallest_int(len(schema.names))), schema


def per_case(index: ReadIndex, rows: Ints, values: NDArray[Any], name: str) -> NDArray[Any]:
    """(cases,) one value a case from one a row; nan where no row gives one.

    Args:
        rows: (rows,) case of each row.
        values: (rows,) float.
    Raises:
        InputError: two values for one case.
    """
    of_case = np.full(index.n_cases, np.nan)
    given = ~np.isnan(values)
    of_case[rows[given]] = values[given]
    clash = np.flatnonzero(given & (of_case[rows] != values))
    if clash.size:
        rule = "be the same in all rows of one case"
        got = f"{of_case[rows[clash[0]]]:g} and {values[clash[0]]:g}"
        raise InputError(name, rule, got, rows=clash + 1)
    return of_case


def with_cases(index: ReadIndex, cases: list[str]) -> ReadIndex:
    """The same reads over these cases, which hold all that occur (some may be unread)."""
    place = {name: code for code, name in enumerate(cases)}
    lookup = np.array([place[name] for name in index.cases], dtype=np.int32)
    return replace(index, case=lookup[index.case], cases=names_array(cases))
