"""What is kept of the images of a set of labels while they pass, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.project_reads import FRAME
from overread.arrays import Floats
from overread.labels import MaskReads, Reads
from overread.monitoring.rules import (
    Annotation,
    Constraints,
    DrawnFigures,
    Fingerprint,
    Probes,
    RuleContext,
    drawings_of,
    fingerprint,
    gathered,
    gathered_probes,
    measure_with_probes,
    plane,
    populations,
)

_PROBES = 60  # drawings of a class that are drawn too wide to learn what that changes


class SeenImages:
    """Figures of the drawings of a set, from its images.

    Attributes:
        prints: case code -> fingerprint of its image.
        spacing: case code -> mm a pixel.
        misplaced: reads drawn on an image of another size, which were left out.
    """

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.prints: dict[int, Fingerprint] = {}
        self.spacing: dict[int, tuple[float, float]] = {}
        self.misplaced = 0
        self._drawn: list[DrawnFigures] = []
        self._probes: list[Probes] = []
        self._probed: dict[int, int] = {}
        order = np.argsort(reads.index.case, kind="stable")
        start = np.searchsorted(reads.index.case[order], np.arange(reads.index.n_cases + 1))
        self._rows = [order[a:b] for a, b in pairwise(start)]

    def look(
        self,
        case: int,
        frames: Sequence[NDArray[Any]],
        *,
        spacing_mm: tuple[float, float] | None = None,
    ) -> None:
        """Measure every read of a case.

        Args:
            case: code in ``reads.index``.
            frames: of its image, each (rows, columns) or (rows, columns, 3); those drawn on are
                used, or the middle one.
            spacing_mm: mm a pixel (row, column).
        """
        if spacing_mm is not None:
            self.spacing[case] = spacing_mm
        name = str(self.reads.index.cases[case])
        middle = int(name.rpartition(FRAME)[2]) if FRAME in name else len(frames) // 2
        shown = plane(frames[min(middle, len(frames) - 1)])
        self.prints[case] = fingerprint(shown)
        for row in self._rows[case].tolist():
            those = list(drawings_of(self.reads, row))
            if isinstance(self.reads, MaskReads) and those:
                shape = self.reads.shape[case]
                if tuple(shape[-2:]) != shown.shape[:2]:
                    self.misplaced += 1
                    continue
                if len(shape) == 3 and len(frames) == int(shape[0]):
                    for one in those:
                        self._measure(plane(frames[one.frame]), [one])
                    continue
            if those:
                self._measure(shown, those)

    def context(self, constraints: Constraints, false_alarm: float) -> RuleContext:
        """What the rules are asked with, now that the images have passed."""
        drawn = gathered(self._drawn)
        return RuleContext(
            self.reads,
            drawn=drawn,
            usual=populations(drawn, gathered_probes(self._probes)),
            prints=self.prints,
            constraints=constraints,
            spacing_mm=self.spacing,
            false_alarm=false_alarm,
        )

    def _measure(self, pixels: Floats, those: list[Annotation]) -> None:
        """Measure the drawings of a read; the first of each class is a probe until enough are."""
        first = {one.label: at for at, one in reversed(list(enumerate(those)))}
        chosen = [at for label, at in first.items() if self._probed.get(label, 0) < _PROBES]
        for at in chosen:
            self._probed[those[at].label] = self._probed.get(those[at].label, 0) + 1
        drawn, probes = measure_with_probes(pixels, those, chosen)
        self._drawn.append(drawn)
        self._probes.append(probes)


def power(context: RuleContext) -> Mapping[str, float]:
    """Class -> share of its drawings that would be listed were they drawn 30 % too wide.

    Classes with few drawings are left out.
    """
    return {
        context.reads.schema.names[code]: float(np.nanmean(one.probed > limit))
        for code, one in context.usual.items()
        if np.isfinite(one.probed).any()
        for limit in [one.limit(context.false_alarm)]
    }
