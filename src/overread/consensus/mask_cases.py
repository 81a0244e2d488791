"""Masks of one case, cut to what is marked: all that a consensus of masks needs to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints, grouped, smallest_int
from overread.errors import InputError, MethodError
from overread.geometry.masks import bounding_slices
from overread.labels import MaskReads

Gold: TypeAlias = Sequence[NDArray[Any] | None]


@dataclass(frozen=True, slots=True, eq=False)
class CaseMasks:
    """The readable masks of one case, cut to a box around all that any of them marks.

    The box may reach beyond the image; there, all is background. So nothing that is computed in
    it depends on how much background the image shows.

    Args:
        case: its number.
        rows: (reads,) rows of the read table.
        reader: (reads,) reader of each.
        share: (reads,) 1 / reads by this reader of this case: a reader has one vote.
        masks: (reads, *box) class codes.
        gold: (*box) known codes, or None.
        low: (dims,) where the box begins in the image; may be below 0.
        shape: (dims,) of the image.
        spacing: (dims,) mm a pixel, or ones.
    """

    case: int
    rows: NDArray[np.intp]
    reader: Ints
    share: Floats
    masks: NDArray[Any]
    gold: NDArray[Any] | None
    low: tuple[int, ...]
    shape: tuple[int, ...]
    spacing: Floats

    @property
    def outside(self) -> int:
        """Pixels of the image outside of the box: background for every reader."""
        inside = self.inside()[0]
        return int(np.prod(self.shape)) - int(np.prod([one.stop - one.start for one in inside]))

    def inside(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """The part of the box that lies in the image: in image, and in box coordinates."""
        image, box = [], []
        for low, n, size in zip(self.low, self.masks.shape[1:], self.shape, strict=True):
            start, stop = min(max(low, 0), size), max(min(low + n, size), 0)
            image.append(slice(start, max(stop, start)))
            box.append(slice(start - low, max(stop, start) - low))
        return tuple(image), tuple(box)


def case_masks(
    reads: MaskReads, *, margin: int = 0, gold: Gold | None = None
) -> Iterator[CaseMasks]:
    """The cases that have a readable read, one after the other, in the order of their numbers.

    Args:
        margin: pixels by which the box reaches beyond what is marked, on every side.
        gold: (cases,) arrays of class codes, None where the truth is not known.
    """
    order, start = grouped(reads.index.case, reads.index.n_cases)
    for case in range(reads.index.n_cases):
        rows = order[start[case] : start[case + 1]]
        if reads.unreadable is not None:
            rows = rows[~reads.unreadable[rows]]
        if rows.size:
            truth = None if gold is None else gold[case]
            yield _case(reads, case, rows, margin, truth)


def _case(
    reads: MaskReads, case: int, rows: NDArray[np.intp], margin: int, gold: NDArray[Any] | None
) -> CaseMasks:
    full = [reads.mask(int(row)) for row in rows]
    marked = np.zeros(full[0].shape, dtype=np.bool_)
    for mask in [*full, *([] if gold is None else [gold])]:
        marked |= mask != 0
    box = bounding_slices(marked) or tuple(slice(0, 1) for _ in marked.shape)
    kind = smallest_int(len(reads.schema.classes))
    inner = np.stack([mask[box] for mask in full]).astype(kind)
    around = ((margin, margin),) * marked.ndim
    reader = reads.index.reader[rows]
    spacing = np.ones(marked.ndim) if reads.spacing_mm is None else reads.spacing_mm[case]
    return CaseMasks(
        case=case,
        rows=rows,
        reader=reader,
        share=1.0 / np.bincount(reader)[reader],
        masks=np.pad(inner, ((0, 0), *around)),
        gold=None if gold is None else np.pad(gold[box].astype(kind), around),
        low=tuple(one.start - margin for one in box),
        shape=marked.shape,
        spacing=np.asarray(spacing, dtype=np.float64),
    )


def check_masks(reads: MaskReads, gold: Gold | None, level: float) -> None:
    """Refuse what no method can use."""
    if not 0 < level < 1:
        raise InputError("level", "be in (0, 1)", level)
    if len(reads.schema.classes) < 2:
        raise MethodError("the schema has the background alone, so there is nothing to mark")
    unreadable = 0 if reads.unreadable is None else int(reads.unreadable.sum())
    if reads.index.n_reads == unreadable:
        raise MethodError("there is no readable mask, so there is no consensus to find")
    if reads.spacing_mm is not None and np.isnan(reads.spacing_mm[reads.index.case]).any():
        raise InputError(
            "spacing_mm",
            "be known for all cases, or for none",
            "nan for some",
            remedy="Leave the spacing out to measure in pixels.",
        )
    if gold is not None:
        check_gold(reads, gold)


def check_gold(reads: MaskReads, gold: Gold) -> None:
    """Refuse true masks of another number, size or code than the reads have."""
    if len(gold) != reads.index.n_cases:
        raise InputError("gold", f"have {reads.index.n_cases} entries, one a case", len(gold))
    top = len(reads.schema.classes) - 1
    for case, mask in enumerate(gold):
        if mask is None:
            continue
        shape = tuple(reads.shape[case].tolist())
        if any(shape) and mask.shape != shape:
            rule = f"have the size {shape} of its case"
            raise InputError("gold mask", rule, mask.shape, rows=(case + 1,))
        if mask.size and (mask.min() < 0 or mask.max() > top):
            got = int(mask.min() if mask.min() < 0 else mask.max())
            raise InputError("gold mask", f"hold codes in 0 .. {top}", got, rows=(case + 1,))


def mask_warnings(reads: MaskReads) -> tuple[str, ...]:
    """What a user must know about the design, in plain words."""
    readable = np.ones(reads.index.n_reads, np.bool_)
    if reads.unreadable is not None:
        readable = ~reads.unreadable
    pair = np.unique(np.column_stack([reads.index.case, reads.index.reader])[readable], axis=0)
    readers = np.bincount(pair[:, 0], minlength=reads.index.n_cases)
    words = []
    if np.unique(pair[:, 1]).size == 1:
        words.append("Only one reader: the consensus is this reader's masks, unchecked.")
    elif (alone := int((readers == 1).sum())) > 0:
        words.append(f"{alone} cases were read by one reader: their consensus is that reader's.")
    if pair.shape[0] < int(readable.sum()):
        words.append("Repeat reads of one case by one reader share one vote.")
    if unread := int((readers == 0).sum()):
        words.append(f"{unread} cases have no readable mask: their consensus is empty.")
    return tuple(words)
