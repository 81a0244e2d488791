"""Tables of boxes: one row a finding, or one row that says there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.exchange.cells import coded, missing_cells, numbers
from overread.exchange.columns import Columns, find, load_columns, optional
from overread.exchange.gather import (
    NO_FINDING,
    Gathered,
    RowMeanings,
    class_codes,
    gather,
    per_case,
    read_column,
    refuse_contradictions,
    row_meanings,
)
from overread.exchange.tables import open_table
from overread.labels import CANNOT_BE_READ, BoxReads, Kind, LabelSchema

Flat = Literal["error", "drop"]
"""What to do with boxes without area."""

BoxForm = Literal["corners", "size"]
"""What the four columns hold: x1, y1, x2, y2, or x1, y1 and then width and height."""


def read_boxes(
    source: Any,
    *,
    columns: Columns | None = None,
    schema: LabelSchema | Sequence[str] | None = None,
    form: BoxForm = "corners",
    inclusive: bool = False,
    flat: Flat = "error",
    no_finding: Sequence[str] = (NO_FINDING,),
    unreadable: str = CANNOT_BE_READ,
) -> BoxReads:
    """Read a table of boxes: ``case, reader, label, x1, y1, x2, y2``.

    A row without coordinates says that the reader found nothing (its label is "no finding" or
    empty) or could not read the case. Two rows of one reader that are alike in all count once.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        columns: names of the columns, where they differ from the default.
        schema: the classes allowed; by default those that occur, in natural order.
        form: "corners", or "size": the columns ``x2`` and ``y2`` hold width and height.
        inclusive: the corners are whole pixels that belong to the box, so that the box ends one
            further (x2 + 1, y2 + 1).
        flat: boxes without area (x1 = x2 or y1 = y2), which real files hold by slips of the mouse:
            "error", or "drop" them; the read stays.
        no_finding: labels that mean "nothing found", upper or lower case.
        unreadable: the label that means "cannot be read".
    Raises:
        InputError: a box inside out, outside its image, with a coordinate left out, of an unknown
            class; a read that both finds and does not. With row, rule and value.
    Example:
        >>> reads = read_boxes({"case": ["a", "a"], "reader": ["R1", "R2"],
        ...     "label": ["nodule", "No finding"], "x1": [1, None], "y1": [2, None],
        ...     "x2": [5, None], "y2": [6, None]})
        >>> reads.box.tolist(), reads.index.n_reads
        ([[1.0, 2.0, 5.0, 6.0]], 2)
    """
    columns = columns or Columns()
    if form not in ("corners", "size"):
        raise InputError("form", "be corners or size", f"{form!r}")
    if flat not in ("error", "drop"):
        raise InputError("flat", "be error or drop", f"{flat!r}")
    table = open_table(source)
    who = {what: find(table.names, what, getattr(columns, what)) for what in WHO_SAYS}
    corners = {what: find(table.names, what, getattr(columns, what)) for what in _CORNERS}
    size = image_size_columns(table.names, columns) if form != "size" else {}
    read = read_column(table.names, columns)
    plain = corners | size | ({"read": read} if read else {})
    frame, extras = load_columns(table, columns, named=who, plain=plain)
    said = row_meanings(frame[who["label"]], tuple(no_finding), unreadable)
    box = _boxes(frame, corners, said, form, inclusive=inclusive)
    level = (box[:, 0] == box[:, 2]) | (box[:, 1] == box[:, 3])
    kept = said.finding & ~level if flat == "drop" else said.finding
    _refuse_inside_out(box, np.flatnonzero(kept))
    gathered = gather(frame, who, extras, read)
    schema = schema if schema is None or isinstance(schema, LabelSchema) else tuple(schema)
    label, schema = class_codes(coded(frame[who["label"]]), said.finding, Kind.BOX, schema)
    cannot = refuse_contradictions(gathered.read, gathered.index.n_reads, said)
    sides = image_size(frame, gathered, size)
    if sides is not None:
        _refuse_outside(box, sides[gathered.index.case[gathered.read]])
    rows = _rows_of_findings(kept, gathered.read, label, box)
    return BoxReads(
        gathered.index,
        gathered.read[rows],
        label[rows],
        box[rows],
        schema,
        unreadable=cannot if cannot.any() else None,
        image_size=sides,
    )


WHO_SAYS = ("case", "reader", "label")
"""Columns of every table of findings."""

_CORNERS = ("x1", "y1", "x2", "y2")


def _boxes(
    frame: pl.DataFrame, corners: dict[str, str], said: RowMeanings, form: str, *, inclusive: bool
) -> Floats:
    """(rows, 4) corners, nan in rows without a box."""
    _refuse_misplaced(frame, corners, said)
    box = np.column_stack([numbers(frame[name], name) for name in corners.values()])
    if form == "size":
        _refuse(box[:, 2:] < 0, "width and height", "be 0 or more", box[:, 2:])
        box[:, 2:] += box[:, :2]
    elif inclusive:
        box[:, 2:] += 1
    return box


def _refuse_inside_out(box: Floats, rows: Ints) -> None:
    for low, high, axis in ((0, 2, "x"), (1, 3, "y")):
        bad = rows[box[rows, high] <= box[rows, low]]
        if bad.size:
            start, end = box[bad[0], low], box[bad[0], high]
            remedy = 'Boxes without area can be left out: flat="drop".' if start == end else ""
            got = f"{axis}1 = {start:g}, {axis}2 = {end:g}"
            raise InputError("box", f"have {axis}1 < {axis}2", got, rows=bad + 1, remedy=remedy)


def _refuse(wrong: NDArray[np.bool_], name: str, rule: str, values: Floats) -> None:
    bad = np.flatnonzero(wrong.any(axis=1))
    if bad.size:
        raise InputError(name, rule, f"{values[bad[0]].min():g}", rows=bad + 1)


def _refuse_misplaced(frame: pl.DataFrame, corners: dict[str, str], said: RowMeanings) -> None:
    missing = np.column_stack([missing_cells(frame[name]) for name in corners.values()])
    names = ", ".join(corners.values())
    for rows, words in ((said.none, "no finding"), (said.cannot, "cannot be read")):
        bad = np.flatnonzero(rows & ~missing.all(axis=1))
        if bad.size:
            rule = f"be empty in a row that says {words} (or has no label)"
            raise InputError(names, rule, "a number", rows=bad + 1)
    bad = np.flatnonzero(said.finding & missing.any(axis=1))
    if bad.size:
        blank = [n for n, gone in zip(corners.values(), missing[bad[0]], strict=True) if gone]
        raise InputError(
            names,
            "be given in every row with a finding",
            f"nothing in {', '.join(blank)}",
            rows=bad + 1,
            remedy='A label that means "nothing found" is named by the option no_finding.',
        )


def _rows_of_findings(finding: Bools, read: Ints, label: Ints, box: Floats) -> Ints:
    """Rows that hold findings, by read, without those that repeat another in all."""
    rows = np.flatnonzero(finding)
    rows = rows[np.argsort(read[rows], kind="stable")]
    return rows[first_of_each(np.column_stack([read[rows], label[rows], box[rows]]))]


def first_of_each(table: NDArray[Any]) -> Ints:
    """Rows of a numeric table without later rows that are equal to an earlier one, in order."""
    if not len(table):
        return np.empty(0, dtype=np.int64)
    return np.sort(np.unique(table, axis=0, return_index=True)[1])


def image_size_columns(names: tuple[str, ...], columns: Columns) -> dict[str, str]:
    """The columns of width and height that are there."""
    found = {what: optional(names, what, getattr(columns, what)) for what in ("width", "height")}
    return {what: name for what, name in found.items() if name}


def image_size(frame: pl.DataFrame, gathered: Gathered, size: dict[str, str]) -> Ints | None:
    """(cases, 2) width and height, 0 where unknown; None where no column says."""
    if len(size) < 2:
        return None
    index = gathered.index
    sides = []
    for name in size.values():
        side = numbers(frame[name], name)
        wrong = np.flatnonzero((side <= 0) | (side != np.round(side)) & ~np.isnan(side))
        if wrong.size:
            rule = "be a whole number of pixels above 0"
            raise InputError(name, rule, f"{side[wrong[0]]:g}", rows=wrong + 1)
        sides.append(per_case(index, index.case[gathered.read], side, name))
    known: Floats = np.nan_to_num(np.column_stack(sides), nan=0)
    return known.astype(np.int64)


def _refuse_outside(box: Floats, size: Ints) -> None:
    known = (size > 0).all(axis=1)
    low, high = (box[:, :2] < 0).any(axis=1), (box[:, 2:] > size).any(axis=1)
    bad = np.flatnonzero(known & (low | high))
    if bad.size:
        wide, tall = (int(side) for side in size[bad[0]])
        got = ", ".join(f"{v:g}" for v in box[bad[0]])
        raise InputError(
            "box", f"lie inside its image of {wide} x {tall} pixels", got, rows=bad + 1
        )
