"""How good the model is on the cases that are set apart, how it got there, and when to stop.

The curve is replayed: the model is fitted to the first labels, to some more, and so on, in the
order in which they came, always under the settings of now, and tested on all labels set apart. So
every point rests on the same test, and a server that starts again draws the same curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.app.learning.learner import Learner
from overread.arrays import Floats, Ints
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.curve import LearningCurve, fit_curve
from overread.selection.pool import Pool
from overread.selection.process import Process, field_of, fit
from overread.selection.stopping import Advice, Costs, advise

_STEPS = 10
_FIRST = 6
_BACK = 8
LEAST_TESTED = 15
"""Labels set apart, before which nothing is advised."""

ENOUGH_TESTED = 40
"""Labels set apart, before which an advice to stop is not believed: fewer agree by luck."""
_LEAST_STEPS = 3
_WATCHED = 2_000  # cases whose predictions are compared from step to step
_COMPARED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The model after so many labels, on the cases set apart.

    Args:
        labels: of cases that teach and of cases that test, up to then.
        taught: of them, that taught.
        tested, wrong: answers compared, and those that differ from the readers'.
        balanced: accuracy with each class counting the same; nan where nothing is tested.
        recall: (classes,) share found of each class; of sets of each finding; nan for none.
        of_class: (classes,) tested of each.
    """

    labels: int
    taught: int
    tested: int
    wrong: int
    balanced: float
    recall: Floats
    of_class: Ints

    @property
    def accuracy(self) -> float:
        """Share right; nan where nothing is tested."""
        return 1 - self.wrong / self.tested if self.tested else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class LearnedSoFar:
    """How far the learning is.

    Args:
        points: of the learning curve, the newest last; empty before there is a model.
        curve: fitted to them; None while too little is tested.
        advice: None as well.
        labels: cases with a label; taught: of them, that teach; tested: that test.
        costs: seconds that the advice reckons with.
        testable: cases set apart, read or not.
    """

    points: tuple[Point, ...]
    curve: LearningCurve | None
    advice: Advice | None
    labels: int
    taught: int
    tested: int
    costs: Costs
    testable: int = 0

    @property
    def to_test(self) -> int:
        """Test labels that are missing before an advice to stop is believed; 0 where none is."""
        if self.advice is None or not self.advice.stop:
            return 0
        return max(min(ENOUGH_TESTED, self.testable) - self.tested, 0)


def learned_so_far(
    learner: Learner, order: Iterable[str], *, costs: Costs, target: float | None, seed: int = 0
) -> LearnedSoFar:
    """Replay the learning, and advise.

    Args:
        learner: with all labels, tuned.
        order: cases in the order in which they were read first.
        costs: seconds of a label, a review and a correction.
        target: accuracy that is wanted; None goes by the cost.
        seed: of the resampled curves.
    """
    rows = [learner.row[case] for case in order if case in learner.row]
    taught = [row for row in rows if any(row in pool.votes for pool in learner.pools)]
    tests = np.array(sorted(row for row in learner.heard if learner.held[row]), dtype=np.int64)
    tests = tests[[any(code >= 0 for code in learner.heard[int(row)].code) for row in tests]]
    labels = len(taught) + len(tests)
    testable = int(learner.held.sum())
    plain = LearnedSoFar((), None, None, labels, len(taught), len(tests), costs, testable)
    if not learner.can_choose or not len(tests):
        return plain
    watched = np.sort(np.random.default_rng(seed).permutation(len(learner.row))[:_WATCHED])
    points: list[Point] = []
    answers: list[Ints] = []
    for count in _steps(len(taught)):
        tested, seen = _answers(learner, taught[:count], tests, watched)
        share = count / len(taught)
        points.append(_point(learner, tests, tested, count, count + round(share * len(tests))))
        answers.append(seen)
    return _advised(replace(plain, points=tuple(points)), len(learner.row), answers, target, seed)


def _steps(count: int) -> list[int]:
    first = min(max(_FIRST, count // _BACK), count)  # the very beginning says little of the end
    return sorted({round(one) for one in np.geomspace(first, count, _STEPS)})


def _advised(
    found: LearnedSoFar, pool: int, answers: Sequence[Ints], target: float | None, seed: int
) -> LearnedSoFar:
    labels = np.array([one.labels for one in found.points], dtype=np.float64)
    if found.tested < LEAST_TESTED or len(np.unique(labels)) < _LEAST_STEPS:
        return found
    wrong = np.array([one.wrong for one in found.points], dtype=np.float64)
    tested = np.array([one.tested for one in found.points], dtype=np.float64)
    curve = fit_curve(labels, wrong, tested, seed=seed)
    advice = advise(
        curve, pool=pool, costs=found.costs, target=target, predictions=tuple(answers[-_COMPARED:])
    )
    return replace(found, curve=curve, advice=advice)


def _answers(
    learner: Learner, taught: Sequence[int], tests: Ints, watched: Ints
) -> tuple[Ints, Ints]:
    """(parts, cases) what the model of the first labels says of the tests, and of the watched."""
    of_tests: list[Ints] = []
    of_watched: list[Ints] = []
    for pool in learner.pools:
        rows = np.array([row for row in taught if row in pool.votes], dtype=np.int64)
        process = _fitted(pool, rows)
        for to, which in ((of_tests, tests), (of_watched, watched)):
            features = features_of(learner.latents.values[which], pool.basis)
            belief = belief_of(field_of(process, features), pool.settings)
            to.append(belief.mean.argmax(axis=1))
    return np.array(of_tests), np.array(of_watched).ravel()


def _fitted(pool: Pool, rows: Ints) -> Process:
    votes = np.array([pool.votes[int(row)] for row in rows]).reshape(len(rows), pool.n_classes)
    features = features_of(pool.latents[rows], pool.basis)
    return fit(features, votes, settings=pool.settings)


def _point(learner: Learner, tests: Ints, answers: Ints, taught: int, labels: int) -> Point:
    said = np.array([learner.said(part)[tests] for part in range(len(learner.pools))])
    known = said >= 0
    right = (answers == said) & known
    classes = range(len(learner.setup.classes))
    if len(learner.pools) == 1:
        of_class = np.array([int((said[0] == c).sum()) for c in classes])
        hits = np.array([int(right[0][said[0] == c].sum()) for c in classes])
        recall = _share(hits, of_class)
        balanced = float(np.nanmean(recall)) if of_class.any() else float("nan")
    else:
        of_class = (said == 1).sum(axis=1)
        recall = _share((right & (said == 1)).sum(axis=1), of_class)
        absent = _share((right & (said == 0)).sum(axis=1), (said == 0).sum(axis=1))
        both = np.concatenate([recall, absent])
        balanced = float(np.nanmean(both)) if known.any() else float("nan")
    wrong = int((known & ~right).sum())
    return Point(labels, taught, int(known.sum()), wrong, balanced, recall, of_class)


def _share(part: Ints, whole: Ints) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
