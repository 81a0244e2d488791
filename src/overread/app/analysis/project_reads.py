"""What readers said to one question, as a read table of the analytic core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.labels import (
    UNREADABLE,
    BoxReads,
    ClassReads,
    InstanceReads,
    Kind,
    MultiLabelReads,
    ReadIndex,
    Reads,
    ScoreReads,
    mask_reads,
    read_index,
)
from overread.protocol import Question

FRAME = "#"
"""Between the id of a case and the number of a frame, where findings lie on several."""


@dataclass(frozen=True, slots=True)
class Said:
    """One read of one case.

    Args:
        value: the answer to the question; None is "cannot be read".
        group: the patient, or "".
        submitted, seconds, protocol: when, how long, under which version; "" where not told.
    """

    case: str
    reader: str
    value: Any
    group: str = ""
    submitted: str = ""
    seconds: float = 0.0
    protocol: str = ""

    def called(self, case: str) -> Said:
        """The same, of a frame of its case."""
        return replace(self, case=case, group=self.group or self.case)


def read_table(
    question: Question,
    said: Sequence[Said],
    images: Mapping[str, Mapping[str, Any]],
    also: Sequence[Said] = (),
) -> Reads | None:
    """Make the read table of a question.

    Findings on cases of several frames are told apart by frame: each frame that anybody marked is
    a case of its own, called ``case#frame``. Answers whose classes the question no longer has
    (of an older protocol) are left out.

    Args:
        said: each reader's latest read of each case, repeats left out.
        images: rows, columns and frames of each case.
        also: other answers whose frames are told apart too (so that gold and reads meet).
    Returns:
        The table; None where nothing is left.
    """
    kept = [one for one in said if one.value is None or fits(question, one.value)]
    if question.kind in {Kind.BOX, Kind.INSTANCE}:
        kept = list(_by_frame(kept, images, also))
    if not kept:
        return None
    made: Reads = _MAKE[question.kind](question, kept, said_index(kept), images)
    return made


def said_index(said: Sequence[Said]) -> ReadIndex:
    """Who read which case; when, how long and under which version where every read tells."""
    groups = [one.group or one.case.split(FRAME, maxsplit=1)[0] for one in said]
    more: dict[str, Any] = {}
    if all(one.submitted for one in said):
        # to the second, UTC: what stands behind is a fraction and "+00:00"
        more = {
            "time": [one.submitted[:19] for one in said],
            "seconds": [one.seconds for one in said],
            "protocol": [one.protocol for one in said],
        }
    cases, readers = [one.case for one in said], [one.reader for one in said]
    return read_index(cases, readers, group=groups, **more)


def fits(question: Question, value: Any) -> bool:
    """The value names no class that the question no longer has. Not for masks."""
    names = set(question.names)
    if question.kind in {Kind.NOMINAL, Kind.ORDINAL}:
        return value in names
    if question.kind is Kind.MULTILABEL:
        return set(value) <= names
    if question.kind in {Kind.BOX, Kind.INSTANCE}:
        return {one["class"] for one in value} <= names
    return True


def _by_frame(
    said: Sequence[Said], images: Mapping[str, Mapping[str, Any]], also: Sequence[Said]
) -> Iterator[Said]:
    marked: dict[str, set[int]] = {}
    for one in (*said, *also):
        marked.setdefault(one.case, set()).update(each["frame"] for each in one.value or ())
    for one in said:
        if images[one.case]["frames"] == 1:
            yield one
            continue
        for frame in sorted(marked[one.case]) or [0]:
            found = one.value and [each for each in one.value if each["frame"] == frame]
            value = None if one.value is None else found or []
            yield replace(one.called(f"{one.case}{FRAME}{frame}"), value=value)


def _classes(question: Question, said: Sequence[Said], index: ReadIndex, _: Any) -> ClassReads:
    code = {name: at for at, name in enumerate(question.names)}
    label = [UNREADABLE if one.value is None else code[one.value] for one in said]
    return ClassReads(index, np.array(label, np.int64), question.schema())


def _sets(question: Question, said: Sequence[Said], index: ReadIndex, _: Any) -> MultiLabelReads:
    rows = [
        [UNREADABLE if one.value is None else int(name in one.value) for name in question.names]
        for one in said
    ]
    return MultiLabelReads(index, np.array(rows, np.int8), question.schema())


def _scores(question: Question, said: Sequence[Said], index: ReadIndex, _: Any) -> ScoreReads:
    value = [np.nan if one.value is None else float(one.value) for one in said]
    return ScoreReads(index, np.array(value), question.schema())


def _boxes(question: Question, said: Sequence[Said], index: ReadIndex, images: Any) -> BoxReads:
    found = [(row, one) for row, each in enumerate(said) for one in each.value or ()]
    box = [[one["x1"], one["y1"], one["x2"], one["y2"]] for _, one in found]
    return BoxReads(
        index,
        np.array([row for row, _ in found], np.int64),
        _codes(question, found),
        np.array(box, np.float64).reshape(-1, 4),
        question.schema(),
        np.array([one.value is None for one in said]),
        _sizes(index, images),
    )


def _outlines(
    question: Question, said: Sequence[Said], index: ReadIndex, images: Any
) -> InstanceReads:
    found = [(row, one) for row, each in enumerate(said) for one in each.value or ()]
    rings = [np.array(one["points"], np.float64) for _, one in found]
    return InstanceReads(
        index,
        np.array([row for row, _ in found], np.int64),
        _codes(question, found),
        np.concatenate(rings) if rings else np.empty((0, 2)),
        np.cumsum([0, *map(len, rings)]).astype(np.int64),
        question.schema(),
        np.array([one.value is None for one in said]),
        _sizes(index, images),
    )


def _codes(question: Question, found: Sequence[tuple[int, Any]]) -> NDArray[np.int64]:
    code = {name: at for at, name in enumerate(question.names)}
    return np.array([code[one["class"]] for _, one in found], np.int64)


def _sizes(index: ReadIndex, images: Mapping[str, Mapping[str, Any]]) -> NDArray[np.int64]:
    of = [images[str(name).split(FRAME, maxsplit=1)[0]] for name in index.cases]
    return np.array([[one["columns"], one["rows"]] for one in of], np.int64)


def _masks(question: Question, said: Sequence[Said], index: ReadIndex, images: Any) -> Reads:
    arrays = [
        None if one.value is None else mask_array(one.value, images[one.case]) for one in said
    ]
    return mask_reads(index, arrays, question.schema())


def mask_array(masks: Sequence[Mapping[str, Any]], image: Mapping[str, Any]) -> NDArray[np.uint8]:
    """(frames, rows, columns) class codes of the masks of an answer."""
    shape = image["frames"], image["rows"], image["columns"]
    made = np.zeros(shape, np.uint8)
    for one in masks:
        code, length = np.array(one["runs"], np.int64).T
        made[one["frame"]] = np.repeat(code, length).reshape(shape[1:])
    return made


_MAKE: dict[Kind, Any] = {
    Kind.NOMINAL: _classes,
    Kind.ORDINAL: _classes,
    Kind.MULTILABEL: _sets,
    Kind.SCORE: _scores,
    Kind.BOX: _boxes,
    Kind.INSTANCE: _outlines,
    Kind.MASK: _masks,
}
