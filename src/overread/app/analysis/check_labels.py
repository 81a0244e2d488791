"""Look at labels beside their images by the label rules: a whole set, or one read on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.label_images import decoded, images_by_name
from overread.app.analysis.project_reads import FRAME, Said, read_table
from overread.arrays import Floats
from overread.exchange.gather import NO_FINDING
from overread.images import CaseImage
from overread.labels import MaskReads, Reads
from overread.monitoring.rules import (
    RULES,
    Annotation,
    Constraints,
    DrawnFigures,
    Fingerprint,
    Hint,
    Population,
    Probes,
    Rule,
    RuleContext,
    check,
    drawings_of,
    fingerprint,
    gathered,
    gathered_probes,
    measure_drawings,
    measure_with_probes,
    plane,
    populations,
)
from overread.protocol import Protocol, Question

_PROBES = 60  # drawings of a class that are drawn too wide to learn what that changes


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What the rules found in a set.

    Args:
        hints: errors first, then warnings, then notes.
        context: what the rules were asked with; figures of every drawing.
        looked_at: cases whose image was looked at.
        not_found, refused: cases without an image, and with one that could not be decoded.
        misplaced: reads drawn on an image of another size, which the pixel rules left out.
    """

    hints: tuple[Hint, ...]
    context: RuleContext
    looked_at: int = 0
    not_found: int = 0
    refused: int = 0
    misplaced: int = 0


def check_labels(
    reads: Reads,
    *,
    images: Path | None = None,
    constraints: Constraints | None = None,
    rules: Mapping[str, Rule] = RULES,
    false_alarm: float = 0.01,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """Check a whole set.

    Args:
        reads: of any kind.
        images: folder with their images; None: the rules that need none.
        constraints: of the final protocol; by default "no finding" stands alone.
        rules: name -> rule, of :func:`overread.app.analysis.label_rules.rules_with`.
        false_alarm: see :class:`overread.monitoring.rules.RuleContext`.
        progress: called with cases looked at, and in all.
    Raises:
        InputError: a folder without an image of any case, a false-alarm rate out of range.
        MethodError: a user's own rule failed.
    """
    constraints = constraints or usual_constraints(reads.schema.names)
    context = RuleContext(reads, constraints=constraints, false_alarm=false_alarm)
    if images is None:
        return Checked(check(context, rules), context)
    seen = _Seen(reads)
    index = reads.index
    code = {str(name): at for at, name in enumerate(index.cases)}
    found = images_by_name(images, code)
    for done, (name, image) in enumerate(decoded(found), start=1):
        seen.look(code[name], image)
        progress(done, len(found))
    drawn = gathered(seen.drawn)
    context = replace(
        context,
        drawn=drawn,
        usual=populations(drawn, gathered_probes(seen.probes)),
        prints=seen.prints,
        spacing_mm=seen.spacing,
    )
    return Checked(
        check(context, rules),
        context,
        looked_at=len(seen.prints),
        not_found=index.n_cases - len(found),
        refused=len(found) - len(seen.prints),
        misplaced=seen.misplaced,
    )


def check_answer_gently(
    protocol: Protocol,
    answer: Mapping[str, Any],
    frames: Sequence[NDArray[Any]],
    *,
    spacing_mm: tuple[float, float] | None = None,
    usual: Mapping[str, Mapping[int, Population]] = MappingProxyType({}),
    constraints: Mapping[str, Constraints] = MappingProxyType({}),
    rules: Mapping[str, Rule] = RULES,
    false_alarm: float = 0.01,
) -> dict[str, tuple[Hint, ...]]:
    """Hints about one read before it is sent; nothing is refused.

    Args:
        protocol: that the read is made under.
        answer: question id -> value, sound by :func:`overread.protocol.check_answer`.
        frames: of the case, (rows, columns) or (rows, columns, 3) each; those drawn on are used.
        spacing_mm: mm a pixel (row, column).
        usual: question id -> class code -> what is usual, from an earlier :func:`check_labels`
            (``checked.context.usual``); without it a drawing is judged by its image alone.
        constraints: question id -> what the protocol says beyond its classes.
        rules: name -> rule.
        false_alarm: as above.
    Returns:
        question id -> its hints; questions without hints are left out. A finding on one of
        several frames is counted within its frame, whose number (from 0) is ``numbers["frame"]``.
    """
    out = {}
    for question in protocol.questions:
        if question.id not in answer:
            continue
        told = constraints.get(question.id) or usual_constraints(question.names)
        made = _context(question, answer[question.id], frames, spacing_mm)
        if made is None:
            continue
        known = usual.get(question.id, {})
        context = replace(made, usual=known, constraints=told, false_alarm=false_alarm)
        found = tuple(_plain(hint) for hint in check(context, rules))
        if found:
            out[question.id] = found
    return out


def usual_constraints(names: Sequence[str]) -> Constraints:
    """Constraints that go without saying: a class called "no finding" stands alone."""
    return Constraints(no_finding=frozenset(n for n in names if n.casefold() == NO_FINDING))


def _context(
    question: Question,
    value: Any,
    frames: Sequence[NDArray[Any]],
    spacing: tuple[float, float] | None,
) -> RuleContext | None:
    """What the rules are asked with about one answer; None where it says nothing."""
    rows, columns = frames[0].shape[:2]
    image = {"rows": rows, "columns": columns, "frames": len(frames)}
    reads = read_table(question, [Said("case", "reader", value)], {"case": image})
    if reads is None:
        return None
    drawn = []
    for row in range(reads.index.n_reads):
        those = list(drawings_of(reads, row))
        if those:
            frame = _frame_of(reads, row, those[0].frame)
            drawn.append(measure_drawings(plane(frames[frame]), those))
    spacings = {} if spacing is None else dict.fromkeys(range(reads.index.n_cases), spacing)
    return RuleContext(reads, drawn=gathered(drawn), sample=True, spacing_mm=spacings)


def _frame_of(reads: Reads, row: int, otherwise: int) -> int:
    """Frame of a read: told by the name of its case, or by its drawing."""
    name = str(reads.index.cases[reads.index.case[row]])
    return int(name.rpartition(FRAME)[2]) if FRAME in name else otherwise


def _plain(hint: Hint) -> Hint:
    """The hint without the names that stood in for case and reader."""
    _, mark, frame = hint.case.partition(FRAME)
    numbers = dict(hint.numbers) | ({"frame": float(frame)} if mark else {})
    return replace(hint, case="", reader="", numbers=numbers)


def power(checked: Checked) -> dict[str, float]:
    """Class -> share of its drawings that would be listed were they drawn 30 % too wide.

    Classes with few drawings are left out.
    """
    context = checked.context
    return {
        context.reads.schema.names[code]: float(np.nanmean(one.probed > limit))
        for code, one in context.usual.items()
        if np.isfinite(one.probed).any()
        for limit in [one.limit(context.false_alarm)]
    }


class _Seen:
    """What is kept of the images of a set while they pass."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.drawn: list[DrawnFigures] = []
        self.probes: list[Probes] = []
        self._probed: dict[int, int] = {}
        self.prints: dict[int, Fingerprint] = {}
        self.spacing: dict[int, tuple[float, float]] = {}
        self.misplaced = 0
        order = np.argsort(reads.index.case, kind="stable")
        start = np.searchsorted(reads.index.case[order], np.arange(reads.index.n_cases + 1))
        self._rows = [order[a:b] for a, b in pairwise(start)]

    def look(self, case: int, image: CaseImage | None) -> None:
        """Measure every read of a case."""
        if image is None:
            return
        if image.spacing_mm is not None:
            self.spacing[case] = image.spacing_mm
        name = str(self.reads.index.cases[case])
        middle = int(name.rpartition(FRAME)[2]) if FRAME in name else len(image.frames) // 2
        shown = plane(image.frames[min(middle, len(image.frames) - 1)])
        self.prints[case] = fingerprint(shown)
        for row in self._rows[case].tolist():
            those = list(drawings_of(self.reads, row))
            if isinstance(self.reads, MaskReads) and those:
                shape = self.reads.shape[case]
                if tuple(shape[-2:]) != (image.rows, image.columns):
                    self.misplaced += 1
                    continue
                if len(shape) == 3 and len(image.frames) == int(shape[0]):
                    for one in those:
                        pixels = plane(image.frames[one.frame])
                        self._measure(pixels, [one])
                    continue
            if those:
                self._measure(shown, those)

    def _measure(self, pixels: Floats, those: list[Annotation]) -> None:
        """Measure the drawings of a read; the first of each class is a probe until enough are."""
        first = {one.label: at for at, one in reversed(list(enumerate(those)))}
        chosen = [at for label, at in first.items() if self._probed.get(label, 0) < _PROBES]
        for at in chosen:
            self._probed[those[at].label] = self._probed.get(those[at].label, 0) + 1
        drawn, probes = measure_with_probes(pixels, those, chosen)
        self.drawn.append(drawn)
        self.probes.append(probes)
