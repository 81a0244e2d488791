"""How much more often, or less, a model errs in one class than at its confidence in all.

A class has a ratio: of the errors that its known labels show to those that the curve of all
classes lets expect of them. A few labels show ratios by luck alone, so they are drawn together as
far as the classes look alike (empirical Bayes): even chances that all have ratio 1, else a gamma
prior of mean 1 whose width the classes tell.

Source:
    Clayton & Kaldor 1987, Biometrics 43:671-681 (ratios drawn together, negative binomial).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, softmax

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError

_ALIKE = 1e9  # the gamma's shape, where all ratios are 1
_SHAPES = np.array([0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, _ALIKE])
_PRIOR = np.r_[np.full(7, 0.5 / 7), 0.5]


@dataclass(frozen=True, slots=True, eq=False)
class ClassRatios:
    """Errors of each class over those expected of it, as far as the known labels tell.

    Args:
        chance: (shapes,) of each width of the prior.
        wrong, expected: (classes,) errors seen, and expected by the curve of all.
    """

    chance: Floats
    wrong: Floats
    expected: Floats

    @property
    def mean(self) -> Floats:
        """(classes,) of the ratios."""
        shape = _SHAPES[:, None]
        return np.asarray(self.chance @ ((shape + self.wrong) / (shape + self.expected)))

    def drawn(self, count: int, rng: np.random.Generator) -> Floats:
        """(count, classes) plausible ratios."""
        shape = rng.choice(_SHAPES, p=self.chance, size=count)[:, None]
        return np.asarray(rng.gamma(shape + self.wrong) / (shape + self.expected))


def class_ratios(
    known_label: Ints, known_right: Bools, expected: Floats, weight: Floats, n_classes: int
) -> ClassRatios:
    """Ratios of the classes from the known labels.

    Args:
        known_label: (labels,) class that the model said of each.
        known_right: (labels,) whether it was right.
        expected: (labels,) share of errors at the confidence of each, in all classes.
        weight: (labels,) how much each counts; uneven weights count as fewer labels.
        n_classes: of the model; a class without any known label has ratio 1, in doubt.
    Raises:
        InputError: a class that is none, or lengths that differ.
    """
    known_label = np.asarray(known_label, dtype=np.int64)
    if len(known_label) != len(known_right):
        raise InputError("classes of known cases", f"be {len(known_right)}", len(known_label))
    if len(known_label) and not 0 <= known_label.min() <= known_label.max() < n_classes:
        raise InputError("classes of known cases", f"be 0 .. {n_classes - 1}", "others")
    # as many labels as even weights would make of them (Kish)
    each = weight * (weight.sum() / (weight**2).sum())
    member = np.eye(n_classes)[known_label]  # (labels, classes)
    wrong: Floats = (each * ~known_right) @ member
    awaited: Floats = np.maximum((each * expected) @ member, 1e-9)
    shape = _SHAPES[:, None]
    fits = gammaln(shape + wrong) - gammaln(shape) - shape * np.log1p(awaited / shape)
    fits += wrong * np.log(awaited / (shape + awaited))
    return ClassRatios(softmax(fits.sum(axis=1) + np.log(_PRIOR)), wrong, awaited)
