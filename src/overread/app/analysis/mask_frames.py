"""Masks of a project frame by frame, as runs: no picture is unpacked before it is looked at.

A case of several frames becomes one case for each frame that anybody painted, called
``case#frame``, as findings are told apart: so every form of export can hold them, and what is
computed from the export is what is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.project_reads import FRAME, Said, said_index
from overread.arrays import smallest_int
from overread.labels import MaskReads
from overread.protocol import Question

BATCH_BYTES = 1 << 30
"""Memory that the consensus of masks may take for its pictures at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """One painted frame. Args: code, length: (runs,) of equal values, row by row."""

    frame: int
    code: NDArray[np.int16]
    length: NDArray[np.int64]


def packed(masks: Sequence[Mapping[str, Any]]) -> tuple[Runs, ...]:
    """The masks of an answer, a tenth of the size of their JSON in memory."""
    made = []
    for one in masks:
        code, length = np.array(one["runs"], np.int64).reshape(-1, 2).T
        there = length > 0
        made.append(Runs(int(one["frame"]), code[there].astype(np.int16), length[there]))
    return tuple(made)


def frame_masks(
    question: Question,
    said: Sequence[Said],
    images: Mapping[str, Mapping[str, Any]],
    also: Sequence[Said] = (),
) -> MaskReads | None:
    """Masks as a read table of 2-D cases, one a frame.

    Args:
        said: values of :func:`packed`; reads with classes that the question no longer has are
            left out.
        images: rows, columns and frames of each case.
        also: other answers whose painted frames are told apart too.
    Returns:
        The table; None where nothing is left.
    """
    top = len(question.schema().classes)
    said = [one for one in said if one.value is None or all(r.code.max() < top for r in one.value)]
    if not said:
        return None
    painted: dict[str, set[int]] = {one.case: set() for one in said}
    for one in (*said, *(each for each in also if each.case in painted)):
        painted[one.case] |= {runs.frame for runs in one.value or () if runs.code.any()}
    lines: list[Said] = []
    code: list[NDArray[Any]] = [np.empty(0, np.int16)]
    length: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    first = [0]
    for one in said:
        image = images[one.case]
        pixels = int(image["rows"]) * int(image["columns"])
        by_frame = {runs.frame: runs for runs in one.value or ()}
        blank = Runs(0, np.zeros(1, np.int16), np.array([pixels]))
        for frame in sorted(painted[one.case]) or [0]:
            name = one.case if image["frames"] == 1 else f"{one.case}{FRAME}{frame}"
            lines.append(one.called(name))
            if one.value is not None:
                runs = by_frame.get(frame, blank)
                code.append(runs.code)
                length.append(runs.length)
            first.append(first[-1] + (0 if one.value is None else runs.code.size))
    index = said_index(lines)
    sides = [images[name.split(FRAME, maxsplit=1)[0]] for name in index.cases.tolist()]
    return MaskReads(
        index,
        np.array([[one["rows"], one["columns"]] for one in sides], np.int64),
        np.concatenate(code).astype(smallest_int(top)),
        np.concatenate(length),
        np.array(first),
        question.schema(),
        None,
        np.array([one.value is None for one in lines]),
    )


def batches(reads: MaskReads, *, most_bytes: int = BATCH_BYTES) -> Iterator[MaskReads]:
    """The cases in batches whose pictures fit in memory; a case alone may be larger.

    Args:
        most_bytes: for the probabilities and the masks of a batch.
    """
    pixels = np.prod(reads.shape, axis=1)
    each = pixels * (4 * len(reads.schema.classes) + 2 + 2 * reads.index.reads_per_case())
    start, total = 0, 0
    for case, size in enumerate(each.tolist()):
        if total and total + size > most_bytes:
            yield reads.of_cases(np.arange(start, case))
            start, total = case, 0
        total += size
    yield reads if start == 0 else reads.of_cases(np.arange(start, reads.index.n_cases))
