"""Look at a whole set of labels beside its images by the label rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from overread.app.analysis.gentle_check import usual_constraints
from overread.app.analysis.label_images import decoded, images_by_name
from overread.app.analysis.project_reads import FRAME
from overread.arrays import Floats
from overread.images import CaseImage
from overread.labels import MaskReads, Reads
from overread.monitoring.rules import (
    RULES,
    Annotation,
    Constraints,
    DrawnFigures,
    Fingerprint,
    Hint,
    Probes,
    Rule,
    RuleContext,
    check,
    drawings_of,
    fingerprint,
    gathered,
    gathered_probes,
    measure_with_probes,
    plane,
    populations,
)

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
