"""Read tables of masks: every pixel (or voxel) a class, kept run-length encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints, frozen, smallest_int
from overread.errors import InputError
from overread.labels.index import ReadIndex
from overread.labels.schema import Kind, LabelSchema


@dataclass(frozen=True, slots=True, eq=False)
class MaskReads:
    """Reads that give every pixel a class; class 0 is the background.

    A mask of background only is an explicit "no finding". Masks are stored as runs of equal
    values over the pixels in C order, so that sparse masks of large volumes stay small.

    Args:
        index: who read which case.
        shape: (cases, dims) rows, columns (2-D) or slices, rows, columns (3-D) of each case.
        value: (runs,) class code of each run.
        length: (runs,) pixels of each run.
        first: (reads + 1,): read r owns the runs ``first[r]:first[r + 1]``; none where unreadable.
        schema: mask; its first class is the background.
        spacing_mm: (cases, dims) mm a pixel along each axis, in the order of ``shape``, or None.
        unreadable: (reads,) true where the reader could not read the case; or None.
    Raises:
        InputError: runs that do not fill the case's shape, an unknown class, a spacing <= 0.
    """

    index: ReadIndex
    shape: Ints
    value: Ints
    length: Ints
    first: Ints
    schema: LabelSchema
    spacing_mm: Floats | None = None
    unreadable: Bools | None = None

    def __post_init__(self) -> None:
        self._check_columns()
        self._check_filled()
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray):
                object.__setattr__(self, field.name, frozen(column))

    def _check_columns(self) -> None:
        if self.schema.kind is not Kind.MASK:
            raise InputError("schema", "be a mask schema", self.schema.kind)
        if self.shape.ndim != 2 or self.shape.shape[0] != self.index.n_cases:
            raise InputError("shape", f"have {self.index.n_cases} rows", self.shape.shape)
        if self.shape.shape[1] not in (2, 3):
            raise InputError("shape", "have 2 or 3 columns", self.shape.shape[1])
        if self.spacing_mm is not None:
            if self.spacing_mm.shape != self.shape.shape:
                raise InputError("spacing_mm", "have the shape of shape", self.spacing_mm.shape)
            if np.any(self.spacing_mm <= 0):
                raise InputError("spacing_mm", "be above 0", float(np.nanmin(self.spacing_mm)))
        if self.first.shape != (self.index.n_reads + 1,):
            raise InputError("first", f"have {self.index.n_reads + 1} entries", self.first.size)
        if self.unreadable is not None and self.unreadable.shape != (self.index.n_reads,):
            rule = f"have {self.index.n_reads} rows, one a read"
            raise InputError("unreadable", rule, self.unreadable.shape)
        self._check_runs()
        n_classes = len(self.schema.classes)
        if self.value.size and (self.value.min() < 0 or self.value.max() >= n_classes):
            got = int(self.value.max() if self.value.max() >= n_classes else self.value.min())
            raise InputError("mask value", f"be in 0 .. {n_classes - 1}", got)

    def _check_runs(self) -> None:
        if self.value.shape != self.length.shape or self.value.ndim != 1:
            raise InputError("length", f"have {self.value.size} entries", self.length.size)
        if (
            self.first[0] != 0
            or self.first[-1] != self.value.size
            or np.any(np.diff(self.first) < 0)
        ):
            raise InputError("first", f"rise from 0 to {self.value.size}", "other numbers")
        if np.any(self.length < 1):
            raise InputError("length", "be 1 or more", int(self.length.min()))

    def _check_filled(self) -> None:
        total = np.r_[0, np.cumsum(self.length, dtype=np.int64)]
        filled = total[self.first[1:]] - total[self.first[:-1]]
        wanted = np.prod(self.shape, axis=1, dtype=np.int64)[self.index.case]
        if self.unreadable is not None:
            wanted = np.where(self.unreadable, 0, wanted)
        bad = np.flatnonzero(filled != wanted)
        if bad.size:
            rule = f"have the {int(wanted[bad[0]])} pixels of its case"
            raise InputError("mask", rule, int(filled[bad[0]]), rows=bad + 1)

    def mask(self, read: int) -> NDArray[Any]:
        """Class codes of one read, in the shape of its case; empty array where unreadable."""
        runs = slice(self.first[read], self.first[read + 1])
        flat = np.repeat(self.value[runs], self.length[runs])
        shape = self.shape[self.index.case[read]]
        return flat.reshape(shape) if flat.size else flat

    def select(self, rows: Bools | Ints) -> MaskReads:
        """These reads only; cases, readers and classes keep their codes."""
        chosen = np.arange(self.index.n_reads)[rows]
        counts = np.diff(self.first)[chosen]
        runs = [np.arange(self.first[r], self.first[r + 1]) for r in chosen]
        kept = np.concatenate(runs) if runs else np.empty(0, dtype=np.int64)
        return replace(
            self,
            index=self.index.select(chosen),
            value=self.value[kept],
            length=self.length[kept],
            first=np.r_[0, np.cumsum(counts)],
            unreadable=None if self.unreadable is None else self.unreadable[chosen],
        )

    def of_cases(self, cases: Ints) -> MaskReads:
        """The reads of these cases, and no other cases; they are numbered anew in this order."""
        index, rows = self.index.of_cases(cases)
        part = self.select(rows)
        spacing = None if self.spacing_mm is None else self.spacing_mm[cases]
        return replace(part, index=index, shape=self.shape[cases], spacing_mm=spacing)


def run_lengths(flat: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Runs of equal values of a flat array: (runs,) values and (runs,) lengths.

    Example:
        >>> [a.tolist() for a in run_lengths(np.array([0, 0, 1, 1, 1]))]
        [[0, 1], [2, 3]]
    """
    if not flat.size:
        return flat, np.empty(0, dtype=np.int64)
    change = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.r_[0, change, flat.size]
    return flat[edges[:-1]], np.diff(edges)


def mask_reads(
    index: ReadIndex,
    masks: Sequence[NDArray[Any] | None],
    schema: LabelSchema,
    *,
    spacing_mm: Floats | None = None,
) -> MaskReads:
    """Build mask reads from one array of class codes a read; ``None`` is "cannot be read".

    Args:
        masks: (reads,) arrays of 2 or 3 axes; those of one case have one shape.
        spacing_mm: (cases, dims), or (dims,) for all cases.
    Raises:
        InputError: masks of one case that differ in shape, or an unknown class.
    """
    dims = {mask.ndim for mask in masks if mask is not None} or {2}
    if len(dims) > 1 or not dims <= {2, 3}:
        raise InputError("masks", "all be 2-D or all be 3-D", sorted(dims))
    shape = np.zeros((index.n_cases, dims.pop()), dtype=np.int64)
    values, lengths, first = [np.empty(0, np.int8)], [np.empty(0, np.int64)], [0]
    for read, mask in enumerate(masks):
        if mask is not None:
            case = index.case[read]
            if shape[case].any() and tuple(shape[case]) != mask.shape:
                rule = f"have the size {tuple(int(v) for v in shape[case])} of its case"
                raise InputError("mask", rule, mask.shape, rows=(read + 1,))
            shape[case] = mask.shape
            value, length = run_lengths(mask.reshape(-1))
            values.append(value.astype(np.int64))
            lengths.append(length)
        first.append(first[-1] + (0 if mask is None else values[-1].size))
    spacing = None
    if spacing_mm is not None:
        spacing = np.array(np.broadcast_to(np.asarray(spacing_mm, dtype=float), shape.shape))
    value = np.concatenate(values)
    top = int(max(value.max(initial=0), len(schema.classes)))
    return MaskReads(
        index,
        shape,
        value.astype(smallest_int(top)),
        np.concatenate(lengths),
        np.array(first),
        schema,
        spacing,
        np.array([mask is None for mask in masks], dtype=np.bool_),
    )
