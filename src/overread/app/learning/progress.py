"""How good the model is on the cases that are set apart, how it got there, and when to stop.

The curve is replayed: the model is fitted to the first labels, to some more, and so on, in the
order in which they came, always under the settings of now, and tested on all labels set apart. So
every point rests on the same test, and a server that starts again draws the same curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from overread.app.learning.held_figures import HeldFigures, figures_of
from overread.app.learning.learner import Learner
from overread.app.learning.paces import Paces
from overread.app.learning.settings import Setup
from overread.arrays import Floats, Ints
from overread.protocol.learning import Learning
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.curve import LearningCurve, fit_curve
from overread.selection.pool import Pool
from overread.selection.process import Process, field_of, fit
from overread.selection.stopping import Advice, advise

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
        setup: what is learned, with the rule that decides.
        paces: seconds that the advice reckons with.
        testable: cases set apart, read or not; cases: all whose image is encoded.
        figures: of the model of all labels, on the cases set apart; None before there is one.
        predictions: (cases,) each, what the models of the last steps say of the same cases.
    """

    points: tuple[Point, ...]
    curve: LearningCurve | None
    advice: Advice | None
    labels: int
    taught: int
    tested: int
    setup: Setup
    paces: Paces
    testable: int = 0
    cases: int = 0
    figures: HeldFigures | None = None
    predictions: tuple[Ints, ...] = ()

    @property
    def enough(self) -> int:
        """Test labels, before which an advice to stop is not believed."""
        return min(ENOUGH_TESTED, self.testable)

    @property
    def to_test(self) -> int:
        """Test labels that are missing before an advice to stop is believed; 0 where none is."""
        if self.advice is None or not self.advice.stop:
            return 0
        return max(self.enough - self.tested, 0)


def learned_so_far(
    learner: Learner, order: Iterable[str], *, paces: Paces, seed: int = 0
) -> LearnedSoFar:
    """Replay the learning, and advise.

    Args:
        learner: with all labels, tuned.
        order: cases in the order in which they were read first.
        paces: seconds of a read and a review.
        seed: of the resampled curves.
    """
    rows = [learner.row[case] for case in order if case in learner.row]
    taught = [row for row in rows if any(row in pool.votes for pool in learner.pools)]
    tests = np.array(sorted(row for row in learner.heard if learner.held[row]), dtype=np.int64)
    tests = tests[[any(code >= 0 for code in learner.heard[int(row)].code) for row in tests]]
    labels = len(taught) + len(tests)
    testable = int(learner.held.sum())
    plain = LearnedSoFar(
        (), None, None, labels, len(taught), len(tests), learner.setup, paces, testable,
        len(learner.row),
    )  # fmt: skip
    if not learner.can_choose or not len(tests):
        return plain
    watched = np.sort(np.random.default_rng(seed).permutation(len(learner.row))[:_WATCHED])
    points: list[Point] = []
    answers: list[Ints] = []
    sure: list[Floats] = []
    for count in _steps(len(taught)):
        sure, seen = _answers(learner, taught[:count], tests, watched)
        said = np.array([one.argmax(axis=1) for one in sure])
        share = count / len(taught)
        points.append(_point(learner, tests, said, count, count + round(share * len(tests))))
        answers.append(seen)
    truth = [learner.said(part)[tests] for part in range(len(learner.pools))]
    figures = figures_of(sure, truth, kind=learner.setup.question.kind, seed=seed)
    found = replace(
        plain, points=tuple(points), figures=figures, predictions=tuple(answers[-_COMPARED:])
    )
    return advised(_fitted_curve(found, seed), paces, learner.setup.wishes)


def _steps(count: int) -> list[int]:
    first = min(max(_FIRST, count // _BACK), count)  # the very beginning says little of the end
    return sorted({round(one) for one in np.geomspace(first, count, _STEPS)})


def advised(found: LearnedSoFar, paces: Paces, wishes: Learning) -> LearnedSoFar:
    """The same with the advice as other seconds, another target or another rule have it.

    It costs milliseconds: nothing is fitted anew.
    """
    setup = replace(found.setup, wishes=wishes)
    if found.curve is None:
        return replace(found, setup=setup, paces=paces)
    if found.advice is not None and (found.setup, found.paces) == (setup, paces):
        return found
    advice = advise(
        found.curve, pool=found.cases, costs=paces.costs, target=wishes.target,
        predictions=found.predictions, rule=wishes.rule,
    )  # fmt: skip
    return replace(found, setup=setup, paces=paces, advice=advice)


def _fitted_curve(found: LearnedSoFar, seed: int) -> LearnedSoFar:
    labels = np.array([one.labels for one in found.points], dtype=np.float64)
    if found.tested < LEAST_TESTED or len(np.unique(labels)) < _LEAST_STEPS:
        return found
    wrong = np.array([one.wrong for one in found.points], dtype=np.float64)
    tested = np.array([one.tested for one in found.points], dtype=np.float64)
    return replace(found, curve=fit_curve(labels, wrong, tested, seed=seed))


def _answers(
    learner: Learner, taught: Sequence[int], tests: Ints, watched: Ints
) -> tuple[list[Floats], Ints]:
    """What the model of the first labels says.

    Returns:
        (tests, classes) chances, of each part; what is most likely of each watched, all parts.
    """
    of_tests: list[Floats] = []
    of_watched: list[Ints] = []
    for pool in learner.pools:
        rows = np.array([row for row in taught if row in pool.votes], dtype=np.int64)
        process = _fitted(pool, rows)
        values = learner.latents.values
        both = [
            belief_of(field_of(process, features_of(values[which], pool.basis)), pool.settings).mean
            for which in (tests, watched)
        ]
        of_tests.append(both[0])
        of_watched.append(both[1].argmax(axis=1))
    return of_tests, np.array(of_watched).ravel()


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
