"""Reads in the states that real tables have: no overlap, repeats, unreadable, one reader, few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from overread.labels import (
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MaskReads,
    MultiLabelReads,
    ReadIndex,
    Reads,
    ScoreReads,
)
from tests.app.small_reads import READS


def no_overlap(reads: Reads) -> Reads:
    """Each case was read by one reader alone."""
    index = reads.index
    return reads.select(np.flatnonzero(index.case % index.n_readers == index.reader))


def one_reader(reads: Reads) -> Reads:
    """The first reader's reads."""
    return _of_readers(reads.select(np.flatnonzero(reads.index.reader == 0)), 1)


def repeats(reads: Reads) -> Reads:
    """Every read of the second reader twice."""
    rows = np.arange(reads.index.n_reads)
    return reads.select(np.concatenate([rows, rows[reads.index.reader == 1]]))


def one_case(reads: Reads) -> Reads:
    """The reads of one case."""
    return reads.select(np.flatnonzero(reads.index.case == 1))


def one_read(reads: Reads) -> Reads:
    """One read."""
    return reads.select(np.array([1]))


def some_unreadable(reads: Reads) -> Reads:
    """The third reader could not read every other case."""
    index = reads.index
    return unreadable(reads, (index.reader == 2) & (index.case % 2 == 1))


def unreadable(reads: Reads, cannot: np.ndarray) -> Reads:
    """These reads say "cannot be read"."""
    if isinstance(reads, ClassReads):
        return replace(reads, label=np.where(cannot, -1, reads.label).astype(reads.label.dtype))
    if isinstance(reads, MultiLabelReads):
        return replace(reads, present=np.where(cannot[:, None], -1, reads.present).astype(np.int8))
    if isinstance(reads, ScoreReads):
        return replace(reads, value=np.where(cannot, np.nan, reads.value))
    if isinstance(reads, MaskReads):
        keep = np.repeat(~cannot, np.diff(reads.first))
        length = np.where(cannot, 0, np.diff(reads.first))
        return replace(
            reads,
            value=reads.value[keep],
            length=reads.length[keep],
            first=np.r_[0, np.cumsum(length)],
            unreadable=cannot,
        )
    keep = ~cannot[reads.read]
    if isinstance(reads, BoxReads):
        kept = {"read": reads.read[keep], "label": reads.label[keep], "box": reads.box[keep]}
        return replace(reads, **kept, unreadable=cannot)
    assert isinstance(reads, InstanceReads)
    points = np.diff(reads.first)
    return replace(
        reads,
        read=reads.read[keep],
        label=reads.label[keep],
        point=reads.point[np.repeat(keep, points)],
        first=np.r_[0, np.cumsum(points[keep])],
        unreadable=cannot,
    )


def _of_readers(reads: Reads, number: int) -> Reads:
    index: ReadIndex = reads.index
    return replace(reads, index=replace(index, readers=index.readers[:number]))


def as_it_is(reads: Reads) -> Reads:
    """As it is."""
    return reads


STATES: dict[str, Callable[[Reads], Reads]] = {
    one.__name__: one
    for one in (as_it_is, no_overlap, one_reader, repeats, one_case, one_read, some_unreadable)
}


def state(kind: Kind, name: str) -> Reads:
    """Reads of a kind in a state."""
    return STATES[name](READS[kind]())
