"""How sure a label of each class had to be when auto-labels were frozen, and what that takes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overread.arrays import Floats
from overread.selection.certificate.freeze import Frozen


@dataclass(frozen=True, slots=True)
class ClassThreshold:
    """A class of a run, as it was frozen.

    Args:
        said: cases that the model said it of.
        least: confidence from which a label was taken; None: no label of the class was.
        taken: labels that were.
        error: share of errors that the known labels let expect among them; None where none was.
    """

    name: str
    said: int
    least: float | None
    taken: int
    error: float | None


def told_by_class(frozen: Frozen, error: Floats | None, classes: Sequence[str]) -> list[Any]:
    """Figures of each class, to be kept with a run: said, least, taken, error.

    Args:
        frozen: its labels, with thresholds by class.
        error: (cases,) chance that each label is wrong; None where none was taken.
        classes: names, in the order of the codes.
    """
    loosest = frozen.thresholds.min(axis=0, initial=2.0)
    made: list[Any] = []
    for code, _ in enumerate(classes):
        said = frozen.label == code
        taken = said & (frozen.tier >= 0)
        count = int(taken.sum())
        wrong = float(np.mean(error[taken])) if count and error is not None else None
        least = float(loosest[code]) if count else None
        made.append([int(said.sum()), least, count, wrong])
    return made


def class_thresholds(settings: Mapping[str, Any]) -> tuple[ClassThreshold, ...]:
    """The classes of a run; () where one threshold is for all, or an older program froze it.

    Args:
        settings: of the run.
    """
    kept = settings.get("by_class", ())
    return tuple(
        ClassThreshold(name, *row) for name, row in zip(settings["classes"], kept, strict=False)
    )
