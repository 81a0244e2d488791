"""Read tables of things found in an image: boxes and outlines (instances), any number a read.

Coordinates are continuous image coordinates in pixels, (column, row) = (x, y), with (0, 0) at the
outer corner of the top-left pixel, so that this pixel's centre is (0.5, 0.5) and an image of W x H
pixels spans 0 .. W, 0 .. H (the image-relative coordinates of DICOM PS3.3 C.18.6.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints, frozen
from overread.errors import InputError
from overread.labels.index import ReadIndex
from overread.labels.schema import Kind, LabelSchema


@dataclass(frozen=True, slots=True, eq=False)
class BoxReads:
    """Reads that box findings. A read without findings is an explicit "no finding".

    Args:
        index: who read which case.
        read: (findings,) row of ``index`` that each finding belongs to, not falling.
        label: (findings,) class code.
        box: (findings, 4) x1, y1, x2, y2 in pixels; x1 < x2, y1 < y2.
        schema: box.
        unreadable: (reads,) true where the reader could not read the case; or None.
        image_size: (cases, 2) columns and rows of each image (0 where unknown), or None.
        spacing_mm: (cases, 2) mm a pixel in x and y (nan where unknown), or None.
    Raises:
        InputError: an inside-out or empty box, a box outside its image, an unknown class.
    """

    index: ReadIndex
    read: Ints
    label: Ints
    box: Floats
    schema: LabelSchema
    unreadable: Bools | None = None
    image_size: Ints | None = None
    spacing_mm: Floats | None = None

    def __post_init__(self) -> None:
        _check_schema(self.schema, Kind.BOX)
        _check_findings(self.index, self.read, self.label, len(self.schema.classes))
        _check_unreadable(self.index, self.read, self.unreadable)
        if self.box.shape != (self.read.size, 4):
            raise InputError("box", f"have shape ({self.read.size}, 4)", self.box.shape)
        _check_per_case(self.index, self.image_size, self.spacing_mm)
        _check_boxes(self.box)
        if self.image_size is not None:
            _check_inside(self.box, self.image_size[self.index.case[self.read]])
        _freeze(self)

    def start(self) -> NDArray[np.int64]:
        """(reads + 1,): read r owns the findings ``start[r]:start[r + 1]``."""
        return _start(self.index, self.read)

    def select(self, rows: Bools | Ints) -> BoxReads:
        """These reads only (rows of ``index``), with their findings."""
        index, kept, read, unreadable = _select(self, rows)
        return replace(
            self,
            index=index,
            read=read,
            label=self.label[kept],
            box=self.box[kept],
            unreadable=unreadable,
        )


@dataclass(frozen=True, slots=True, eq=False)
class InstanceReads:
    """Reads that outline findings, instances told apart. No outline is an explicit "no finding".

    Args:
        index, read, label, schema, unreadable, image_size, spacing_mm: as in :class:`BoxReads`,
            with an instance schema.
        point: (points, 2) x, y in pixels of all outlines in turn, each closed implicitly.
        first: (findings + 1,): finding f owns the points ``first[f]:first[f + 1]``, 3 or more.
    """

    index: ReadIndex
    read: Ints
    label: Ints
    point: Floats
    first: Ints
    schema: LabelSchema
    unreadable: Bools | None = None
    image_size: Ints | None = None
    spacing_mm: Floats | None = None

    def __post_init__(self) -> None:
        _check_schema(self.schema, Kind.INSTANCE)
        _check_findings(self.index, self.read, self.label, len(self.schema.classes))
        _check_unreadable(self.index, self.read, self.unreadable)
        _check_per_case(self.index, self.image_size, self.spacing_mm)
        if self.first.shape != (self.read.size + 1,):
            raise InputError("first", f"have {self.read.size + 1} entries", self.first.size)
        if self.point.shape != (int(self.first[-1]), 2):
            raise InputError("point", f"have shape ({int(self.first[-1])}, 2)", self.point.shape)
        if self.first[0] != 0:
            raise InputError("first", "begin with 0", int(self.first[0]))
        short = np.flatnonzero(np.diff(self.first) < 3)
        if short.size:
            got = int(np.diff(self.first)[short[0]])
            raise InputError("outline", "have at least 3 points", got, rows=short + 1)
        if not np.isfinite(self.point).all():
            raise InputError("outline points", "be finite numbers", "nan or infinite")
        if self.image_size is not None and self.read.size:
            _check_inside(self.boxes(), self.image_size[self.index.case[self.read]])
        _freeze(self)

    def start(self) -> NDArray[np.int64]:
        """(reads + 1,): read r owns the findings ``start[r]:start[r + 1]``."""
        return _start(self.index, self.read)

    def outline(self, finding: int) -> Floats:
        """(points, 2) x, y of one finding."""
        return self.point[self.first[finding] : self.first[finding + 1]]

    def outlines(self) -> Iterator[Floats]:
        """All outlines in turn."""
        return (self.outline(finding) for finding in range(self.read.size))

    def boxes(self) -> Floats:
        """(findings, 4) x1, y1, x2, y2 around each outline."""
        if not self.read.size:
            return np.empty((0, 4))
        low = np.minimum.reduceat(self.point, self.first[:-1], axis=0)
        high = np.maximum.reduceat(self.point, self.first[:-1], axis=0)
        return np.hstack([low, high])

    def select(self, rows: Bools | Ints) -> InstanceReads:
        """These reads only (rows of ``index``), with their findings."""
        index, kept, read, unreadable = _select(self, rows)
        counts = np.diff(self.first)[kept]
        first = np.r_[0, np.cumsum(counts)]
        points = [self.outline(int(finding)) for finding in kept]
        return replace(
            self,
            index=index,
            read=read,
            label=self.label[kept],
            point=np.concatenate(points) if points else np.empty((0, 2)),
            first=first,
            unreadable=unreadable,
        )


def _start(index: ReadIndex, read: Ints) -> NDArray[np.int64]:
    start = np.zeros(index.n_reads + 1, dtype=np.int64)
    np.cumsum(np.bincount(read, minlength=index.n_reads), out=start[1:])
    return start


def _select(
    reads: BoxReads | InstanceReads, rows: Bools | Ints
) -> tuple[ReadIndex, Ints, Ints, Bools | None]:
    chosen = np.arange(reads.index.n_reads)[rows]
    start = reads.start()
    counts = np.diff(start)[chosen]
    kept = np.concatenate([np.arange(start[r], start[r + 1]) for r in chosen] or [np.empty(0, int)])
    read = np.repeat(np.arange(chosen.size), counts)
    unreadable = None if reads.unreadable is None else reads.unreadable[chosen]
    return reads.index.select(chosen), kept, read, unreadable


def _check_schema(schema: LabelSchema, kind: Kind) -> None:
    if schema.kind is not kind:
        raise InputError("schema", f"be a {kind} schema", schema.kind)


def _check_findings(index: ReadIndex, read: Ints, label: Ints, n_classes: int) -> None:
    if label.shape != read.shape:
        raise InputError("label", f"have {read.size} rows, one a finding", label.size)
    if read.size and (read.min() < 0 or read.max() >= index.n_reads or np.any(np.diff(read) < 0)):
        raise InputError("read", f"rise within 0 .. {index.n_reads - 1}", "another number")
    if read.dtype.kind not in "iu" or label.dtype.kind not in "iu":
        raise InputError("read and label", "hold whole numbers", f"{read.dtype}, {label.dtype}")
    bad = np.flatnonzero((label < 0) | (label >= n_classes))
    if bad.size:
        raise InputError("label", f"be in 0 .. {n_classes - 1}", int(label[bad[0]]), rows=bad + 1)


def _check_unreadable(index: ReadIndex, read: Ints, unreadable: Bools | None) -> None:
    if unreadable is None:
        return
    if unreadable.shape != (index.n_reads,):
        raise InputError("unreadable", f"have {index.n_reads} rows, one a read", unreadable.shape)
    bad = np.flatnonzero(unreadable[read])
    if bad.size:
        got = "a finding in a read that cannot be read"
        raise InputError("a read", "say one thing", got, rows=bad + 1)


def _check_per_case(index: ReadIndex, size: Ints | None, spacing: Floats | None) -> None:
    for name, column in (("image_size", size), ("spacing_mm", spacing)):
        if column is not None and column.shape != (index.n_cases, 2):
            raise InputError(name, f"have shape ({index.n_cases}, 2)", column.shape)
    if spacing is not None and np.any(spacing <= 0):
        raise InputError("spacing_mm", "be above 0", float(np.nanmin(spacing)))


def _check_boxes(box: Floats) -> None:
    bad = np.flatnonzero(~np.isfinite(box).all(axis=1))
    if bad.size:
        raise InputError("box", "have four finite numbers", "nan or infinite", rows=bad + 1)
    for low, high, axis in ((0, 2, "x"), (1, 3, "y")):
        bad = np.flatnonzero(box[:, high] <= box[:, low])
        if bad.size:
            got = f"{axis}1 = {box[bad[0], low]:g}, {axis}2 = {box[bad[0], high]:g}"
            raise InputError("box", f"have {axis}1 < {axis}2", got, rows=bad + 1)


def _check_inside(box: Floats, size: Ints) -> None:
    known = (size > 0).all(axis=1)
    out = known & ((box[:, :2] < 0).any(axis=1) | (box[:, 2:] > size).any(axis=1))
    bad = np.flatnonzero(out)
    if bad.size:
        columns, rows = (int(v) for v in size[bad[0]])
        got = ", ".join(f"{v:g}" for v in box[bad[0]])
        rule = f"lie inside its image of {columns} x {rows} pixels"
        raise InputError("box", rule, got, rows=bad + 1)


def _freeze(table: BoxReads | InstanceReads) -> None:
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray):
            object.__setattr__(table, field.name, frozen(column))
