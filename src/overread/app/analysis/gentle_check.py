"""One answer looked at by the label rules before it is sent; nothing is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from overread.app.analysis.project_reads import FRAME, Said, read_table
from overread.exchange.gather import NO_FINDING
from overread.labels import Reads
from overread.monitoring.rules import (
    RULES,
    Annotation,
    Constraints,
    DrawnFigures,
    Hint,
    Population,
    Rule,
    RuleContext,
    channels,
    check,
    drawings_of,
    gathered,
    measure_drawings,
)
from overread.protocol import Protocol, Question

Usual = Mapping[str, Mapping[int, Population]]
"""Question id -> class code -> what is usual for its drawings."""

GENTLE = ("contradictions", "loose", "size")
"""Rules that are asked where the protocol names none."""

_NEED_ALL = frozenset({"texture", "drawing-duplicates"})
"""Rules that need the slower figures of a drawing."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was seen of one answer.

    Args:
        hints: question id -> its hints; questions without hints are left out.
        drawn: question id -> figures of its drawings, for what is usual.
    """

    hints: Mapping[str, tuple[Hint, ...]] = field(default_factory=lambda: MappingProxyType({}))
    drawn: Mapping[str, DrawnFigures] = field(default_factory=lambda: MappingProxyType({}))


def look_at_answer(
    protocol: Protocol,
    answer: Mapping[str, Any],
    frame: Callable[[int], NDArray[Any]],
    image: Mapping[str, Any],
    *,
    spacing_mm: tuple[float, float] | None = None,
    usual: Usual = MappingProxyType({}),
    constraints: Mapping[str, Constraints] = MappingProxyType({}),
    rules: Mapping[str, Rule] = RULES,
    false_alarm: float = 0.01,
    pause: Callable[[], None] = lambda: None,
) -> Looked:
    """Look at one answer before it is sent.

    Args:
        protocol: that the read is made under.
        answer: question id -> value, sound by :func:`overread.protocol.check_answer`.
        frame: gives one frame of the case, (rows, columns) or (rows, columns, 3); asked for those
            alone that something is drawn on.
        image: rows, columns and frames of the case.
        spacing_mm: mm a pixel (row, column).
        usual: from earlier drawings; without it a drawing is judged by its image alone.
        constraints: question id -> what the protocol says beyond its classes.
        rules: name -> rule.
        false_alarm: see :class:`overread.monitoring.rules.RuleContext`.
        pause: called between steps of the work; what it raises ends it.
    Returns:
        hints and figures. A finding on one of several frames is counted within its frame, whose
        number (from 0) is ``numbers["frame"]``.
    """
    hints: dict[str, tuple[Hint, ...]] = {}
    drawn: dict[str, DrawnFigures] = {}
    whole = bool(_NEED_ALL & rules.keys())
    for question in protocol.questions:
        if question.id not in answer:
            continue
        reads = read_table(question, [Said("case", "reader", answer[question.id])], {"case": image})
        if reads is None:
            continue
        parts = []
        for row in range(reads.index.n_reads):
            parts += _measured(reads, row, frame, whole=whole, pause=pause)
        drawn[question.id] = gathered(parts)
        known = range(reads.index.n_cases)
        context = RuleContext(
            reads,
            drawn=drawn[question.id],
            usual=usual.get(question.id, {}),
            constraints=constraints.get(question.id) or usual_constraints(question.names),
            spacing_mm={} if spacing_mm is None else dict.fromkeys(known, spacing_mm),
            false_alarm=false_alarm,
            sample=True,
        )
        pause()
        found = tuple(_plain(hint) for hint in check(context, rules))
        if found:
            hints[question.id] = found
    return Looked(hints, drawn)


def check_answer_gently(
    protocol: Protocol,
    answer: Mapping[str, Any],
    frames: Sequence[NDArray[Any]],
    *,
    spacing_mm: tuple[float, float] | None = None,
    usual: Usual = MappingProxyType({}),
    constraints: Mapping[str, Constraints] = MappingProxyType({}),
    rules: Mapping[str, Rule] = RULES,
    false_alarm: float = 0.01,
) -> dict[str, tuple[Hint, ...]]:
    """Hints of :func:`look_at_answer` where all frames of the case are at hand.

    Args:
        frames: of the case; those drawn on are used.
    """
    rows, columns = frames[0].shape[:2]
    image = {"rows": rows, "columns": columns, "frames": len(frames)}
    looked = look_at_answer(
        protocol, answer, lambda at: frames[at], image, spacing_mm=spacing_mm, usual=usual,
        constraints=constraints, rules=rules, false_alarm=false_alarm,
    )  # fmt: skip
    return dict(looked.hints)


def usual_constraints(names: Sequence[str]) -> Constraints:
    """Constraints that go without saying: a class called "no finding" stands alone."""
    return Constraints(no_finding=frozenset(n for n in names if n.casefold() == NO_FINDING))


def finding_of(question: Question, value: Any, hint: Hint) -> Any:
    """The finding of an answer that a hint is about; None where it is about the whole answer.

    Args:
        value: of the question in the answer that was looked at.
    """
    if hint.finding is None or not isinstance(value, list):
        return None
    frame = hint.numbers.get("frame")
    if question.kind.value == "mask":
        return None
    there = [one for one in value if frame is None or one["frame"] == int(frame)]
    return there[hint.finding - 1] if hint.finding <= len(there) else None


def _measured(
    reads: Reads,
    row: int,
    frame: Callable[[int], NDArray[Any]],
    *,
    whole: bool,
    pause: Callable[[], None],
) -> list[DrawnFigures]:
    by_frame: dict[int, list[Annotation]] = {}
    for one in drawings_of(reads, row):
        by_frame.setdefault(_frame_of(reads, row, one.frame), []).append(one)
    return [
        measure_drawings(channels(frame(at)), those, whole=whole, pause=pause)
        for at, those in by_frame.items()
    ]


def _frame_of(reads: Reads, row: int, otherwise: int) -> int:
    """Frame of a read: told by the name of its case, or by its drawing."""
    name = str(reads.index.cases[reads.index.case[row]])
    return int(name.rpartition(FRAME)[2]) if FRAME in name else otherwise


def _plain(hint: Hint) -> Hint:
    """The hint without the names that stood in for case and reader."""
    _, mark, frame = hint.case.partition(FRAME)
    numbers = dict(hint.numbers) | ({"frame": float(frame)} if mark else {})
    return replace(hint, case="", reader="", numbers=numbers)
