"""Read tables out: the same columns that come in by default, so that what is written is read back.

Two columns say what a table cannot show by itself: ``label_kind`` (grades look like classes, sets
of classes like several reads) and ``label_classes``, the classes in order as a JSON list, those
that nobody chose too. :func:`overread.exchange.read_reads` heeds both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Ints
from overread.errors import InputError
from overread.exchange.consensus_table import write_table
from overread.exchange.gather import NO_FINDING
from overread.exchange.run_length import pairs_of_mask
from overread.exchange.stated import CLASSES, KIND
from overread.labels import (
    CANNOT_BE_READ,
    UNREADABLE,
    BoxReads,
    ClassReads,
    InstanceReads,
    MaskReads,
    MultiLabelReads,
    ReadIndex,
    Reads,
    ScoreReads,
)

_CORNERS = ("x1", "y1", "x2", "y2")


def reads_table(reads: Reads) -> pl.DataFrame:
    """Reads as a table in the default columns; one row a read, or a finding, class or mask.

    Columns: ``case, reader`` and, by kind, ``label`` (classes, grades, sets), ``value`` (scores),
    ``label, x1, y1, x2, y2`` (boxes), ``label, outline`` (outlines, as JSON ``[[x, y], ...]``),
    ``label, rows, columns, rle`` (masks, as pairs "start length" column by column); images of
    known size have ``width, height``; then ``time, seconds, protocol, group`` where known.

    Args:
        reads: of any kind.
    Raises:
        InputError: masks of volumes, or sets of classes that were answered in part: a row a class
            has no place for them.
    Example:
        >>> from overread.exchange import read_reads
        >>> reads = read_reads({"case": ["a", "a"], "reader": ["R1", "R2"], "label": ["x", "y"]})
        >>> reads_table(reads).columns
        ['case', 'reader', 'label', 'label_kind', 'label_classes']
    """
    rows, said = _said(reads)
    index = reads.index
    columns: dict[str, Any] = {
        "case": pl.Series(index.cases[index.case[rows]].tolist(), dtype=pl.String),
        "reader": pl.Series([index.readers[who] for who in index.reader[rows]], dtype=pl.String),
    }
    columns |= said | _extras(index, rows)
    stated = {KIND: str(reads.schema.kind.value)}
    if reads.schema.classes:
        stated[CLASSES] = json.dumps(list(reads.schema.names), ensure_ascii=False)
    return pl.DataFrame(columns).with_columns(pl.lit(v).alias(k) for k, v in stated.items())


def write_reads(reads: Reads, path: Path | str, *, for_spreadsheets: bool = False) -> None:
    """Write :func:`reads_table` as CSV, TSV or Parquet, by the suffix; all of it or nothing.

    Raises:
        InputError: as of :func:`reads_table`, or another suffix.
    """
    write_table(reads_table(reads), path, for_spreadsheets=for_spreadsheets)


def _said(reads: Reads) -> tuple[Ints, dict[str, Any]]:
    """Read of each row, and the columns of what was said."""
    if isinstance(reads, ClassReads):
        names = [*reads.schema.names, CANNOT_BE_READ]  # -1 is the last
        label = [names[code] for code in reads.label.tolist()]
        return _all(reads.index), {"label": pl.Series(label, dtype=pl.String)}
    if isinstance(reads, ScoreReads):
        return _all(reads.index), {"value": _numbers(reads)}
    if isinstance(reads, MultiLabelReads):
        return _sets(reads)
    if isinstance(reads, MaskReads):
        return _masks(reads)
    return _findings(reads)


def _all(index: ReadIndex) -> Ints:
    return np.arange(index.n_reads)


def _numbers(reads: ScoreReads) -> pl.Series:
    unknown = np.isnan(reads.value)
    if not unknown.any():
        return pl.Series(reads.value)
    said = zip(unknown, reads.value.tolist(), strict=True)
    words = [CANNOT_BE_READ if gone else repr(value) for gone, value in said]
    return pl.Series(words, dtype=pl.String)


def _sets(reads: MultiLabelReads) -> tuple[Ints, dict[str, Any]]:
    partly = np.flatnonzero(
        (reads.present == UNREADABLE).any(axis=1) & ~(reads.present == UNREADABLE).all(axis=1)
    )
    if partly.size:
        rule = "answer every class, or be unreadable, to be written a row a class"
        raise InputError("a set of classes", rule, "some classes not answered", rows=partly + 1)
    rows: list[int] = []
    label: list[str] = []
    for row, present in enumerate(reads.present):
        chosen = [reads.schema.names[at] for at in np.flatnonzero(present == 1)]
        alone = CANNOT_BE_READ if (present == UNREADABLE).any() else NO_FINDING
        label += chosen or [alone]
        rows += [row] * max(len(chosen), 1)
    return np.array(rows, np.int64), {"label": pl.Series(label, dtype=pl.String)}


def _findings(reads: BoxReads | InstanceReads) -> tuple[Ints, dict[str, Any]]:
    """Findings, and a row of words for each read without one; in the order of the reads."""
    index = reads.index
    empty = np.setdiff1d(np.arange(index.n_reads), reads.read)
    read = np.concatenate([reads.read.astype(np.int64), empty])
    order = np.argsort(read, kind="stable")
    cannot = np.zeros(index.n_reads, np.bool_) if reads.unreadable is None else reads.unreadable
    label = [reads.schema.names[code] for code in reads.label.tolist()]
    label += [CANNOT_BE_READ if cannot[row] else NO_FINDING for row in empty.tolist()]
    columns: dict[str, Any] = {"label": pl.Series([label[at] for at in order], dtype=pl.String)}
    if isinstance(reads, BoxReads):
        box = np.concatenate([reads.box, np.full((empty.size, 4), np.nan)])[order]
        columns |= {name: pl.Series(box[:, at]).fill_nan(None) for at, name in enumerate(_CORNERS)}
    else:
        outlines: list[str | None] = [
            json.dumps(ring.tolist(), separators=(",", ":")) for ring in reads.outlines()
        ]
        outlines += [None] * empty.size
        columns["outline"] = pl.Series([outlines[at] for at in order], dtype=pl.String)
    if reads.image_size is not None:
        sides = reads.image_size[index.case[read[order]]]
        for at, name in enumerate(("width", "height")):
            columns[name] = [side or None for side in sides[:, at].tolist()]
    return read[order], columns


def _masks(reads: MaskReads) -> tuple[Ints, dict[str, Any]]:
    if reads.shape.shape[1] != 2:
        remedy = "Write volumes as NIfTI."
        raise InputError("masks", "be 2-D to be written as a table", "volumes", remedy=remedy)
    rows: list[int] = []
    said: list[tuple[str | None, int | None, int | None, str | None]] = []
    for read in range(reads.index.n_reads):
        if reads.unreadable is not None and reads.unreadable[read]:
            parts = [(None, None, None, CANNOT_BE_READ)]
        else:
            parts = _painted(reads, read)
        said += parts
        rows += [read] * len(parts)
    types = {"label": pl.String, "rows": pl.Int64, "columns": pl.Int64, "rle": pl.String}
    columns = zip(*said, strict=True) if said else ([] for _ in types)
    named = zip(types.items(), columns, strict=True)
    return np.array(rows, np.int64), {
        name: pl.Series(list(one), dtype=kind) for (name, kind), one in named
    }


def _painted(reads: MaskReads, read: int) -> list[Any]:
    """A row a class that was painted; a row without run lengths where none was."""
    mask = reads.mask(read)
    codes = [code for code in np.unique(mask).tolist() if code]
    if not codes:
        return [(None, *mask.shape, None)]
    return [(reads.schema.names[c], *mask.shape, pairs_of_mask(mask == c)) for c in codes]


def _extras(index: ReadIndex, rows: Ints) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if index.time is not None:
        columns["time"] = pl.Series(
            [None if np.isnat(one) else f"{one}Z" for one in index.time[rows]], dtype=pl.String
        )
    if index.seconds is not None:
        columns["seconds"] = pl.Series(index.seconds[rows].astype(np.float64)).fill_nan(None)
    if index.protocol is not None:
        named = [index.protocols[code] for code in index.protocol[rows].tolist()]
        columns["protocol"] = pl.Series(named, dtype=pl.String)
    if index.group is not None and index.groups is not None:
        group = index.groups[index.group[index.case[rows]]].tolist()
        columns["group"] = pl.Series(group, dtype=pl.String)
    return columns
