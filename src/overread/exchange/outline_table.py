"""Tables of outlines: one row a finding, its outline a text, or one row that says there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Floats
from overread.errors import InputError
from overread.exchange.cells import as_texts, coded, missing_cells
from overread.exchange.columns import Columns, find, load_columns
from overread.exchange.findings import WHO_SAYS, first_of_each, image_size, image_size_columns
from overread.exchange.gather import (
    NO_FINDING,
    RowMeanings,
    class_codes,
    gather,
    read_column,
    refuse_contradictions,
    row_meanings,
)
from overread.exchange.tables import open_table
from overread.labels import CANNOT_BE_READ, InstanceReads, Kind, LabelSchema

_FORM = "have 3 or more points: [[x, y], ...], [x, y, ...] or POLYGON ((x y, ...)) of one ring"
_WKT = re.compile(r"^POLYGON\s*(?:Z\s*)?\(\s*\((?P<ring>[^()]*)\)\s*\)$", re.IGNORECASE)


def read_outlines(
    source: Any,
    *,
    columns: Columns | None = None,
    schema: LabelSchema | Sequence[str] | None = None,
    no_finding: Sequence[str] = (NO_FINDING,),
    unreadable: str = CANNOT_BE_READ,
) -> InstanceReads:
    """Read a table of outlines: ``case, reader, label, outline``.

    An outline is JSON, ``[x, y, x, y, ...]`` or ``[[x, y], ...]``, or WKT, ``POLYGON ((x y, ...))``
    of one ring, in pixels. A row without one says that the reader found nothing (its label is "no
    finding" or empty) or could not read the case. Rows of one reader alike in all count once.

    Args:
        source, columns, schema, no_finding, unreadable: as in
            :func:`overread.exchange.findings.read_boxes`.
    Raises:
        InputError: an outline left out, misspelt, of fewer than 3 points or outside its image; an
            unknown class; a read that both finds and does not. With row, rule and value.
    Example:
        >>> reads = read_outlines({"case": ["a"], "reader": ["R1"], "label": ["cell"],
        ...     "outline": ["[1, 1, 5, 1, 5, 5]"]})
        >>> reads.point.tolist()
        [[1.0, 1.0], [5.0, 1.0], [5.0, 5.0]]
    """
    columns = columns or Columns()
    table = open_table(source)
    who = {what: find(table.names, what, getattr(columns, what)) for what in WHO_SAYS}
    drawn = find(table.names, "outline", columns.outline)
    size = image_size_columns(table.names, columns)
    read = read_column(table.names, columns)
    plain = {"outline": drawn} | size | ({"read": read} if read else {})
    frame, extras = load_columns(table, columns, named=who, plain=plain)
    said = row_meanings(frame[who["label"]], tuple(no_finding), unreadable)
    ring = _rings(frame[drawn], said)
    gathered = gather(frame, who, extras, read)
    schema = schema if schema is None or isinstance(schema, LabelSchema) else tuple(schema)
    label, schema = class_codes(coded(frame[who["label"]]), said.finding, Kind.INSTANCE, schema)
    cannot = refuse_contradictions(gathered.read, gathered.index.n_reads, said)
    sizes = image_size(frame, gathered, size)
    if sizes is not None:
        _refuse_outside(ring, sizes[gathered.index.case[gathered.read]])
    rows = np.flatnonzero(said.finding)
    rows = rows[np.argsort(gathered.read[rows], kind="stable")]
    same = {text: code for code, text in enumerate(dict.fromkeys(map(np.ndarray.tobytes, ring)))}
    shape = np.array([same[one.tobytes()] for one in ring], dtype=np.int64)
    rows = rows[first_of_each(np.column_stack([gathered.read[rows], label[rows], shape[rows]]))]
    kept = [ring[row] for row in rows.tolist()]
    return InstanceReads(
        gathered.index,
        gathered.read[rows],
        label[rows],
        np.concatenate([np.empty((0, 2)), *kept]),
        np.cumsum([0, *(len(one) for one in kept)]),
        schema,
        unreadable=cannot if cannot.any() else None,
        image_size=sizes,
    )


def _rings(column: pl.Series, said: RowMeanings) -> list[Floats]:
    """(rows,) points of each row; none in rows that name no finding."""
    missing = missing_cells(column)
    bad = np.flatnonzero(~said.finding & ~missing)
    if bad.size:
        rule = "be empty in a row that says no finding or cannot be read"
        raise InputError(column.name, rule, "an outline", rows=bad + 1)
    bad = np.flatnonzero(said.finding & missing)
    if bad.size:
        rule = "be given in every row with a finding"
        raise InputError(column.name, rule, "nothing", rows=bad + 1)
    return [
        _ring(text.strip(), row) if found else np.empty((0, 2))
        for row, (text, found) in enumerate(zip(as_texts(column), said.finding, strict=True), 1)
    ]


def _ring(text: str, row: int) -> Floats:
    """(points, 2); a last point that repeats the first is left out."""
    wkt = _WKT.match(text)
    try:
        if wkt is not None:
            pairs = [point.split()[:2] for point in wkt["ring"].split(",")]
            point = np.array(pairs, dtype=float)
        else:
            point = np.array(json.loads(text), dtype=float)
        point = point.reshape(-1, 2) if point.ndim == 1 else point
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("outline", _FORM, repr(text[:40]), rows=(row,)) from error
    if point.ndim != 2 or point.shape[1] != 2:
        raise InputError("outline", _FORM, repr(text[:40]), rows=(row,))
    if not np.isfinite(point).all():
        raise InputError("outline", "have finite numbers", "nan or infinite", rows=(row,))
    if len(point) > 1 and (point[0] == point[-1]).all():
        point = point[:-1]
    if len(point) < 3:
        raise InputError("outline", _FORM, f"{len(point)} points", rows=(row,))
    return point


def _refuse_outside(ring: list[Floats], size: Any) -> None:
    for row, (point, sides) in enumerate(zip(ring, size.tolist(), strict=True), 1):
        if point.size and all(sides) and (point.min() < 0 or (point.max(axis=0) > sides).any()):
            got = ", ".join(f"{v:g}" for v in (*point.min(axis=0), *point.max(axis=0)))
            rule = f"lie inside its image of {sides[0]} x {sides[1]} pixels"
            raise InputError("outline", rule, got, rows=(row,))
