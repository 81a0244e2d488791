"""What the others say of a case together, for a reader who may know no single other read of it.

A consensus is what more than half of at least two others say. Of one other there is none: it
would be that reader's own answer. Drawings are means, so that no line on the picture is anybody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from overread.app.analysis.case_values import mask_value, values
from overread.app.analysis.project_reads import Said, read_table
from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.quality.gold_marks import overlaps
from overread.errors import InputError, MethodError
from overread.labels import Kind
from overread.protocol import Question

LEAST = 2
"""Others who must have answered."""
_MEETS = 0.3  # IoU from which a drawing is of the same thing as the consensus

Image = Mapping[str, Any]


def of_the_others(question: Question, said: Sequence[Said], image: Image) -> Any | None:
    """The others' consensus of one case.

    Args:
        question: of the protocol.
        said: one read of each of the others, on this case; masks as an answer has them.
        image: rows, columns and frames of the case.
    Returns:
        a value in the shape of an answer ([] is "no finding"); None where the others are fewer
        than two, or of no mind.
    Example:
        >>> from overread.protocol import read_protocol, template
        >>> (grade,) = read_protocol(template("knee-grade")).questions[:1]
        >>> low, high = grade.names[1], grade.names[3]
        >>> reads = [Said("k", "B", low), Said("k", "C", high), Said("k", "D", high)]
        >>> of_the_others(grade, reads, {}) == high, of_the_others(grade, reads[:2], {})
        (True, None)
    """
    given = [one for one in said if one.value is not None]
    if len(given) < LEAST or 2 * len(given) <= len(said):
        return None
    return _SAY[question.kind](question, given, image)


def _class(_question: Question, said: Sequence[Said], _image: Image) -> Any | None:
    value, count = Counter(one.value for one in said).most_common(1)[0]
    return value if 2 * count > len(said) and count >= LEAST else None


def _set(question: Question, said: Sequence[Said], _image: Image) -> Any:
    marked = Counter(name for one in said for name in one.value)
    return [name for name in question.names if 2 * marked[name] > len(said)]


def _score(_question: Question, said: Sequence[Said], _image: Image) -> Any:
    return round(float(np.mean([one.value for one in said])), 2)


def _drawn(question: Question, said: Sequence[Said], image: Image) -> Any | None:
    """Where most drew something: the mean of the boxes, the fused outlines."""
    method = "median_boxes" if question.kind is Kind.BOX else None
    case = said[0].case
    try:
        table = read_table(question, said, {case: image})
        if table is None:  # of classes that the question no longer has
            return None
        found = values(question, reach_consensus(table, method=method)).get(case, [])
    except (InputError, MethodError):
        return None
    return list(_shared(question, found, said))


def _shared(
    question: Question, found: Sequence[dict[str, Any]], said: Sequence[Said]
) -> Iterator[dict[str, Any]]:
    """Those that more than half of the others drew too; boxes as the mean of theirs."""
    for at, one in enumerate(found):
        theirs = [met for each in said if (met := _meeting(question, one, each.value)) is not None]
        if 2 * len(theirs) <= len(said) or len(theirs) < LEAST:
            continue
        mean = one
        if question.kind is Kind.BOX:
            corners = np.mean([[box[side] for side in _SIDES] for box in theirs], axis=0)
            mean = one | dict(zip(_SIDES, corners.tolist(), strict=True))
        yield mean | {"id": f"o{at}"}


_SIDES = ("x1", "y1", "x2", "y2")


def _meeting(
    question: Question, one: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The drawing of one reader that is of the same thing."""
    near = [
        each for each in drawn if each["class"] == one["class"] and each["frame"] == one["frame"]
    ]
    if not near:
        return None
    overlap = overlaps(question.kind, [one], near)[0]
    best = int(overlap.argmax())
    return near[best] if overlap[best] >= _MEETS else None


def _mask(question: Question, said: Sequence[Said], image: Image) -> Any:
    """Each pixel that more than half of the others painted with one class, frame by frame."""
    by_frame: dict[int, list[Mapping[str, Any]]] = {}
    for one in said:
        for each in one.value:
            by_frame.setdefault(each["frame"], []).append(each)
    made: list[dict[str, Any]] = []
    for frame, painted in sorted(by_frame.items()):
        if 2 * len(painted) <= len(said):
            continue
        flat = [np.repeat(*np.array(one["runs"], np.int64).T) for one in painted]
        shared = np.zeros_like(flat[0])
        for code in range(1, len(question.names) + 1):
            votes = np.sum([one == code for one in flat], axis=0)
            shared[2 * votes > len(said)] = code
        whole = shared.reshape(1, image["rows"], image["columns"])
        made += [one | {"frame": frame} for one in mask_value(whole, image)]
    return made


_SAY: dict[Kind, Callable[[Question, Sequence[Said], Image], Any]] = {
    Kind.NOMINAL: _class,
    Kind.ORDINAL: _class,
    Kind.MULTILABEL: _set,
    Kind.SCORE: _score,
    Kind.BOX: _drawn,
    Kind.INSTANCE: _drawn,
    Kind.MASK: _mask,
}
