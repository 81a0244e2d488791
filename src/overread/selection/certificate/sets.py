"""Labels that are sets of classes: a label is wrong where the set differs in any class.

What is frozen and certified is the whole set. Beside it stands, of every class, how many of the
labels that say "present", and of those that say "absent", are wrong at most; all these bounds hold
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from overread.arrays import Bools, Floats, Ints, digest
from overread.errors import InputError
from overread.selection.certificate.certify import (
    Certificate,
    ClassBound,
    Decision,
    audited_cases,
    certificate_of,
    decided,
)
from overread.selection.certificate.freeze import Frozen

SAYS = ("present", "absent")


def likely_sets(present: Floats) -> tuple[Ints, Bools, Floats]:
    """The likeliest set of each case, and how sure it is, one class taken as free of the others.

    Args:
        present: (cases, classes) probability of each.
    Returns:
        (cases,) codes of sets, (sets, classes) what each holds, (cases,) chance that all is right:
        it puts cases in order; how often it is right is learned from labels at hand.
    """
    if present.ndim != 2 or not present.shape[1]:
        raise InputError("probabilities", "be (cases, classes)", present.shape)
    sets, code = np.unique(present >= 0.5, axis=0, return_inverse=True)
    sure = np.maximum(present, 1 - present).prod(axis=1)
    return np.asarray(code, dtype=np.int64).reshape(-1), np.asarray(sets, dtype=np.bool_), sure


def frozen_sets(frozen: Frozen, code: Ints, n_sets: int) -> Frozen:
    """Sets in the place of the one label under which they were frozen.

    Args:
        frozen: of how sure the sets are alone: probabilities (cases, 1), one threshold a tier.
        code: (cases,) of the set of each case.
    """
    thresholds = np.repeat(frozen.thresholds, n_sets, axis=1)
    made = digest(frozen.rows, code, frozen.tier, thresholds)
    return replace(frozen, label=code, thresholds=thresholds, digest=made)


def certify_sets(
    frozen: Frozen, sets: Bools, audit: Mapping[int, Bools | None], order: Ints, *,
    target: float, class_names: tuple[str, ...], confidence: float = 0.95, anytime: bool = False,
) -> Certificate:  # fmt: skip
    """Certify labels that are sets; see :func:`overread.selection.certificate.certify.certify`.

    Args:
        frozen: its labels are codes of sets.
        sets: (sets, classes) what each holds.
        audit: place to what the blind reader found, (classes,); None for "cannot be read".
        order, target, confidence, anytime: as there.
        class_names: of the classes.
    Returns:
        With two bounds a class, of labels that say "present" and of those that say "absent".
    """
    if sets.ndim != 2 or sets.shape[1] != len(class_names):
        raise InputError("sets", f"hold {len(class_names)} classes", sets.shape)
    done = audited_cases(order, audit)
    says = sets[frozen.label]
    off = np.ones((len(done), len(class_names)), dtype=bool)  # "cannot be read": all is wrong
    for at, place in enumerate(done.tolist()):
        said = audit[place]
        if said is not None:
            off[at] = np.asarray(said, dtype=bool) != says[place]
    wrong = np.asarray(off.any(axis=1))
    of = decided(Decision(frozen, done, wrong, target, confidence, anytime))
    return certificate_of(of, _by_finding(of, says, off, class_names))


def _by_finding(
    of: Decision, says: Bools, off: Bools, names: tuple[str, ...]
) -> tuple[ClassBound, ...]:
    member = of.member()
    parts = [
        (at, what, own)
        for at in range(len(names))
        for what, own in zip(SAYS, (member & says[:, at], member & ~says[:, at]), strict=True)
        if own.any()
    ]
    joint = of.shared(len(parts))
    least = float(of.frozen.thresholds[of.about].min(initial=2.0))
    found = []
    for at, what, own in parts:
        wrong = off[:, at][own[of.done]]
        most = of.bound(own, off[:, at], joint)
        counts = int(own.sum()), len(wrong), int(wrong.sum())
        found.append(ClassBound(names[at], *counts, most, least, what))
    return tuple(found)
