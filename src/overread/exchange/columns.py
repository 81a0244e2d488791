"""The names of a table's columns, and how they are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Coded
from overread.errors import InputError
from overread.exchange.cells import coded, missing_cells, numbers, times
from overread.exchange.tables import OpenTable, shown_names
from overread.labels import Kind


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. Names are matched exactly, else without regard to case.

    Args:
        case, reader, label: of every table of reads.
        value: of scores.
        x1, y1, x2, y2: corners of a box in pixels; (0, 0) is the outer corner of the first pixel.
        width, height: of the image in pixels; used when there, "" never.
        rows, columns, rle: of run-length masks.
        outline: of outlines, as JSON or WKT.
        time, seconds, protocol, group: ``None`` takes a column of that name when there is one; a
            name demands it; "" leaves it out.
        read: tells apart two reads of one case by one reader in tables with several rows a read.
    """

    case: str = "case"
    reader: str = "reader"
    label: str = "label"
    value: str = "value"
    x1: str = "x1"
    y1: str = "y1"
    x2: str = "x2"
    y2: str = "y2"
    width: str | None = None
    height: str | None = None
    rows: str = "rows"
    columns: str = "columns"
    rle: str = "rle"
    outline: str = "outline"
    time: str | None = None
    seconds: str | None = None
    protocol: str | None = None
    group: str | None = None
    read: str | None = None

    @property
    def corners(self) -> tuple[str, str, str, str]:
        """The four columns of a box."""
        return self.x1, self.y1, self.x2, self.y2


EXTRAS = ("time", "seconds", "protocol", "group")
"""Columns that any table of reads may have besides."""


def detect_kind(names: Sequence[str], columns: Columns | None = None) -> Kind:
    """Guess the label kind of a table from its column names alone.

    The four corners make boxes; else a run-length column makes masks; else a label column makes
    classes, whatever its values look like (grades written 0 to 4 are classes until the caller says
    ``ordinal`` or ``score``); else a value column makes scores.

    Raises:
        InputError: none of these columns is there.
    Example:
        >>> detect_kind(["case", "reader", "label"]), detect_kind(["case", "reader", "value"])
        (<Kind.NOMINAL: 'nominal'>, <Kind.SCORE: 'score'>)
    """
    columns = columns or Columns()
    if match(names, columns.outline) is not None:
        return Kind.INSTANCE
    if all(match(names, corner) is not None for corner in columns.corners):
        return Kind.BOX
    if match(names, columns.rle) is not None:
        return Kind.MASK
    if match(names, columns.label) is not None:
        return Kind.NOMINAL
    if match(names, columns.value) is not None:
        return Kind.SCORE
    wanted = f'"{columns.label}", "{columns.value}" or the four corners of a box'
    raise InputError(
        "table",
        f"have a column {wanted}",
        shown_names(names),
        remedy="Name yours by option, for example label=... (--label). A column for each class is "
        "kind multi-label (--kind).",
    )


def match(names: Sequence[str], wanted: str) -> str | None:
    """The column called so: exactly, else the only one that differs in upper and lower case."""
    if wanted in names:
        return wanted
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else None


def find(names: Sequence[str], what: str, wanted: str) -> str:
    """The column called ``wanted``.

    Raises:
        InputError: there is none; the message lists those there are and the option to use.
    """
    found = match(names, wanted)
    if found is None:
        raise InputError(
            "table",
            f'have a column "{wanted}"',
            shown_names(names),
            remedy=f"Name the column of the {what} by option: {what}=... (--{what}).",
        )
    return found


def optional(names: Sequence[str], what: str, wanted: str | None) -> str | None:
    """The column of something that need not be there."""
    if wanted == "":
        return None
    return match(names, what) if wanted is None else find(names, what, wanted)


def extra_names(names: Sequence[str], columns: Columns) -> dict[str, str]:
    """Which of :data:`EXTRAS` are there, and what they are called."""
    found = {what: optional(names, what, getattr(columns, what)) for what in EXTRAS}
    return {what: name for what, name in found.items() if name is not None}


def index_columns(frame: pl.DataFrame, extras: dict[str, str]) -> dict[str, Any]:
    """The columns time, seconds, protocol, group in the form that a read index takes."""
    columns: dict[str, Any] = {}
    for what, name in extras.items():
        if what == "time":
            columns[what] = times(frame[name], name)
        elif what == "seconds":
            columns[what] = numbers(frame[name], name)
        else:
            columns[what] = coded(frame[name])
    return columns


def load_columns(
    table: OpenTable, columns: Columns, *, named: dict[str, str], plain: dict[str, str]
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Read what is needed of a table, texts straight into codes.

    Args:
        named: what -> column, of columns that hold names.
        plain: what -> column, of columns that hold numbers or long texts.
    Returns:
        the rows, and what -> column for the extra columns that are there.
    """
    extras = extra_names(table.names, columns)
    names = [*named.values(), *(extras[w] for w in ("protocol", "group") if w in extras)]
    frame = table.load([*names, *plain.values(), *extras.values()], coded=names)
    if not frame.height:
        raise InputError("table", "hold at least one row", "the header only")
    return frame, extras


def refuse_missing(column: Coded, name: str, *, remedy: str = "") -> None:
    """Every row must have a name here."""
    if "" in column.names:
        rows = np.flatnonzero(column.code == column.names.index("")) + 1
        raise InputError(name, "be given in every row", "nothing", rows=rows, remedy=remedy)


def kept_rows(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Without the rows that are blank in all of these columns."""
    blank = np.logical_and.reduce([missing_cells(frame[name]) for name in names])
    return frame.filter(pl.Series(~blank)) if blank.any() else frame
