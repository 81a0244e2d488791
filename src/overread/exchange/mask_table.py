"""Tables of masks: one row a read and class, the mask as run lengths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Bools, Ints
from overread.errors import InputError
from overread.exchange.cells import as_texts, coded, missing_cells, numbers
from overread.exchange.classes import says
from overread.exchange.columns import Columns, find, load_columns, match
from overread.exchange.gather import RowMeanings, gather, read_column, refuse_contradictions
from overread.exchange.outlines import MOST_PIXELS
from overread.exchange.run_length import expand_counts, mask_of_counts, mask_of_pairs
from overread.exchange.tables import open_table
from overread.labels import (
    CANNOT_BE_READ,
    Kind,
    LabelClass,
    LabelSchema,
    MaskReads,
    mask_reads,
    schema_of,
)

RunCode = Literal["kaggle", "kaggle_rows", "coco"]
"""Kaggle's pairs column by column, the same row by row, or COCO's counts (text or list)."""


def read_mask_table(
    source: Any,
    *,
    columns: Columns | None = None,
    code: RunCode = "kaggle",
    schema: LabelSchema | Sequence[str] | None = None,
    unreadable: str = CANNOT_BE_READ,
) -> MaskReads:
    """Read a table of masks: ``case, reader, rows, columns, rle`` and, with classes, ``label``.

    Several rows of one read are several classes (or parts) of its mask. An empty ``rle`` is a mask
    of background; "cannot be read" in ``rle`` (or ``label``) is no mask.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        columns: names of the columns.
        code: how run lengths are written.
        schema: the classes, the background first; by default "background" and those that occur,
            or "foreground" where there is no label column.
        unreadable: the text that means "cannot be read".
    Raises:
        InputError: run lengths that do not fit the size; two sizes of one case; two classes on one
            pixel; an unknown class.
    """
    columns = columns or Columns()
    if code not in ("kaggle", "kaggle_rows", "coco"):
        raise InputError("code", "be kaggle, kaggle_rows or coco", f"{code!r}")
    table = open_table(source)
    who = {what: find(table.names, what, getattr(columns, what)) for what in ("case", "reader")}
    what = {w: find(table.names, w, getattr(columns, w)) for w in ("rows", "columns", "rle")}
    label = match(table.names, columns.label)
    read = read_column(table.names, columns)
    plain = what | ({"label": label} if label else {}) | ({"read": read} if read else {})
    frame, extras = load_columns(table, columns, named=who, plain=plain)
    gathered = gather(frame, who, extras, read)
    runs = frame[what["rle"]]
    cannot = says(runs, unreadable) | (says(frame[label], unreadable) if label else False)
    empty = missing_cells(runs) & ~cannot
    unread = refuse_contradictions(
        gathered.read, gathered.index.n_reads, RowMeanings(~cannot, np.zeros_like(cannot), cannot)
    )
    sides = _sides(frame, what, cannot)
    _one_size(sides, gathered.index.case[gathered.read], cannot)
    names, class_schema = _classes(frame, label, ~cannot & ~empty, schema)
    decoded = _Rows(as_texts(runs), empty, names, sides, code)
    order = np.argsort(gathered.read, kind="stable")
    bounds = np.searchsorted(gathered.read[order], np.arange(gathered.index.n_reads + 1))
    masks = [
        None if unread[r] else _painted(decoded, order[bounds[r] : bounds[r + 1]])
        for r in range(gathered.index.n_reads)
    ]
    return mask_reads(gathered.index, masks, class_schema)


class _Rows:
    """The columns that one mask is painted from."""

    __slots__ = ("code", "empty", "label", "sides", "text")

    def __init__(
        self, text: pl.Series, empty: Bools, label: Ints, sides: NDArray[np.int64], code: RunCode
    ) -> None:
        self.text, self.empty, self.label, self.sides, self.code = text, empty, label, sides, code


def _painted(rows: _Rows, chosen: Ints) -> NDArray[np.int16]:
    shape = (int(rows.sides[chosen[0], 0]), int(rows.sides[chosen[0], 1]))
    painted = np.zeros(shape, dtype=np.int16)
    for row in chosen.tolist():
        if rows.empty[row]:
            continue
        try:
            mask = _decoded(rows.text[row], shape, rows.code)
        except InputError as error:
            raise InputError(error.name, error.rule, error.got, rows=(row + 1,)) from error
        if np.any(mask & (painted > 0) & (painted != rows.label[row])):
            raise InputError("a pixel", "be of one class", "two", rows=(row + 1,))
        painted[mask] = rows.label[row]
    return painted


def _decoded(text: str, shape: tuple[int, int], code: RunCode) -> Bools:
    text = text.strip()
    if code != "coco":
        return mask_of_pairs(text, shape, order="F" if code == "kaggle" else "C")
    if not text.startswith("["):
        return mask_of_counts(expand_counts(text), shape)
    try:
        counts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError("run lengths", "be a list of whole numbers", "other text") from error
    return mask_of_counts(counts, shape)


def _sides(frame: pl.DataFrame, what: dict[str, str], cannot: Bools) -> NDArray[np.int64]:
    """(rows, 2) rows and columns of each mask; 0 where it cannot be read."""
    sides = np.column_stack(
        [numbers(frame[what[name]], what[name]) for name in ("rows", "columns")]
    )
    sides = np.where(cannot[:, None] & np.isnan(sides), 0, sides)
    wrong = ~(sides == np.round(sides)) | (sides < 1) & ~cannot[:, None]
    bad = np.flatnonzero(wrong.any(axis=1))
    if bad.size:
        got = f"{sides[bad[0], 0]:g} x {sides[bad[0], 1]:g}"
        rule = "be whole numbers of pixels above 0"
        raise InputError("rows and columns", rule, got, rows=bad + 1)
    large = np.flatnonzero(sides.prod(axis=1) > MOST_PIXELS)
    if large.size:
        got = f"{sides[large[0]].prod():g}"
        raise InputError("mask", f"have at most {MOST_PIXELS} pixels", got, rows=large + 1)
    return sides.astype(np.int64)


def _one_size(sides: NDArray[np.int64], case: Ints, cannot: Bools) -> None:
    rows = np.flatnonzero(~cannot)
    _, first, place = np.unique(case[rows], return_index=True, return_inverse=True)
    of_case = sides[rows[first]][place]
    wrong = np.flatnonzero((sides[rows] != of_case).any(axis=1))
    if wrong.size:
        bad = rows[wrong]
        wanted, got = of_case[wrong[0]], sides[bad[0]]
        rule = f"have the size {wanted[0]} x {wanted[1]} of its case"
        raise InputError("mask", rule, f"{got[0]} x {got[1]}", rows=bad + 1)


def _classes(
    frame: pl.DataFrame,
    label: str | None,
    used: Bools,
    schema: LabelSchema | Sequence[str] | None,
) -> tuple[Ints, LabelSchema]:
    """(rows,) class codes of the painted rows, 0 elsewhere."""
    if schema is not None and not isinstance(schema, LabelSchema):
        schema = LabelSchema(Kind.MASK, tuple(LabelClass(name) for name in schema))
    if label is None:
        names = schema or LabelSchema(
            Kind.MASK, (LabelClass("background"), LabelClass("foreground"))
        )
        if len(names.classes) != 2:
            rule = "have the background and one class where there is no label column"
            raise InputError("schema", rule, f"{len(names.classes)} classes")
        return used.astype(np.int64), names
    said = coded(frame[label])
    there = {said.names[code] for code in np.unique(said.code[used])}
    if schema is None:
        found = schema_of(Kind.MASK, there - {"background", ""} or {"foreground"})
        schema = LabelSchema(Kind.MASK, (LabelClass("background"), *found.classes))
    known = {name: code for code, name in enumerate(schema.names) if code > 0}
    place = np.array([known.get(name, 0) for name in said.names], dtype=np.int64)
    code = np.where(used, place[said.code], 0)
    bad = np.flatnonzero(used & (code == 0))
    if bad.size:
        rule = f"be one of {', '.join(known)}"
        raise InputError("label", rule, repr(said.names[said.code[bad[0]]]), rows=bad + 1)
    return code, schema
