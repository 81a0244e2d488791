"""The loop played again on a labelled set: what would it have cost to stop at so many labels?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.acquisition.scores import entropy
from overread.selection.acquisition.table import DEFAULT, acquisition, choose
from overread.selection.acquisition.view import View
from overread.selection.basis import Latents, check_latents, features_of
from overread.selection.belief import Belief, belief_of_samples, mean_of
from overread.selection.likelihood import grades
from overread.selection.logistic import fit_logistic, predict_logistic
from overread.selection.pool import Pool, label_many, next_cases, open_pool, tune
from overread.selection.process import checked_votes, field_of, one_hot
from overread.selection.propagation import propagate, surroundings
from overread.selection.quality import Quality, quality_of

STANDARD = "standard"
"""Not an acquisition: a random start, logistic regression and the highest entropy, in batches."""

PROCESS = "process"
"""The model that the product learns with; the name of another is told by ``Strategy.model``."""

Sampler = Callable[[Floats, Floats, Floats, int], Floats]
"""Another model: latents and votes of the labels, latents of cases, seed -> their class
probabilities, sampled: (cases, samples, classes). It is fitted anew for each batch."""

BATCHES = 200
"""A batch is this part of the pool, and 4 cases at least."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a replay chooses cases.

    Args:
        acquisition: of :data:`overread.selection.acquisition.table.ACQUISITIONS`, or
            :data:`STANDARD`.
        start: acquisition of the first batch.
        random_share: of the cases taken by lot later on.
        batch: cases a step; a 200th of the pool, at least 4, where it is 0.
        spread: before each measurement labels spread to cases without one
            (:mod:`overread.selection.propagation`); which case is asked for is not changed by it.
        model: who learns: :data:`PROCESS`, or the name of the sampler that a replay is given.
    """

    acquisition: str = DEFAULT
    start: str = "typical"
    random_share: float = 0.0
    batch: int = 0
    spread: bool = False
    model: str = PROCESS

    def __post_init__(self) -> None:
        others = {self.acquisition if self.acquisition == STANDARD else PROCESS, self.model}
        if self.spread and others != {PROCESS}:
            got = " and ".join(sorted(others - {PROCESS}))
            raise InputError("spread", "go with an acquisition of the process", got)
        if self.acquisition == STANDARD and self.model != PROCESS:
            raise InputError("model", f"be left out with {STANDARD}", self.model)
        if self.acquisition != STANDARD:
            acquisition(self.acquisition)
        if acquisition(self.start).needs_labels:
            raise InputError("start", "be an acquisition that needs no labels", self.start)
        if self.batch < 0 or not 0 <= self.random_share <= 1:
            got = f"{self.batch} and {self.random_share}"
            raise InputError("batch and random share", "be at least 0, and in [0, 1]", got)


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What became of one strategy with one seed.

    Args:
        labels: (steps,) labels at each measurement.
        held_back: quality on the held-back cases at each.
        pool: share of the whole pool that is right, the labelled cases counted as right: the
            quality of the set that a team gets.
        order: (labels,) rows of the pool in the order in which they were asked for.
    """

    labels: Ints
    held_back: tuple[Quality, ...]
    pool: Floats
    order: Ints


def replay(
    latents: Latents, truth: Ints, test: Ints, *, n_classes: int, marks: Ints,
    strategy: Strategy | None = None, ordinal: bool = False, seed: int = 0,
    groups: Ints | None = None, votes: Floats | None = None, sampler: Sampler | None = None,
) -> Replay:  # fmt: skip
    """Label the cases of a set in the order that a strategy asks for, and measure on the way.

    Args:
        latents: (cases, latents); truth: (cases,) classes from 0.
        test: rows held back: never asked for, and measured on.
        n_classes: of the set.
        marks: numbers of labels at which to measure, never falling; none above the pool.
        strategy: how cases are chosen.
        ordinal: the classes are grades.
        seed: of everything drawn.
        groups: (cases,) patient, near-duplicates: labels never spread within one.
        votes: (cases, classes) what readers say of each case, where that is not the truth: the loop
            learns from it, and is measured on the truth.
        sampler: the model that the strategy names, where it is another than the process.
    Raises:
        InputError: no held-back case, no pool, marks that do not fit it, or no such model.
    """
    how = strategy or Strategy()
    if (how.model == PROCESS) is not (sampler is None):
        raise InputError("sampler", "be given for the model that the strategy names", how.model)
    check_latents(latents)
    train = np.setdiff1d(np.arange(len(truth)), test)
    marks = np.asarray(marks, dtype=np.int64)
    if not len(test) or not len(train):
        raise InputError("held-back cases", f"be 1 .. {len(truth) - 1}", len(test))
    if not len(marks) or marks[0] < 1 or marks[-1] > len(train) or (np.diff(marks) < 0).any():
        raise InputError("marks", f"not fall, within 1 .. {len(train)}", marks.tolist())
    sure = one_hot(np.asarray(truth, dtype=np.float64), n_classes)
    votes = sure if votes is None else checked_votes(votes, len(truth), n_classes)
    own = np.arange(len(truth)) if groups is None else np.asarray(groups)
    ground = _Ground(latents, sure.argmax(axis=1), votes, train, np.asarray(test), ordinal, own)
    if sampler is not None:
        return _sampled(ground, marks, how, seed, sampler)
    play = _standard if how.acquisition == STANDARD else _ours
    return play(ground, marks, how, seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """A labelled set and its parts. Args: votes: that are learned; train, test: rows."""

    latents: Latents
    truth: Ints
    votes: Floats
    train: Ints
    test: Ints
    ordinal: bool
    groups: Ints

    def measured(self, held: Floats, pool: Floats, known: list[int]) -> tuple[Quality, float]:
        """Quality on the held-back cases, and the share of the pool that is right."""
        right = pool.argmax(axis=1) == self.truth[self.train]
        read = self.train[known]
        right[known] = self.votes[read].argmax(axis=1) == self.truth[read]
        return quality_of(held, self.truth[self.test], ordinal=self.ordinal), float(right.mean())


def batch_of(strategy: Strategy, cases: int) -> int:
    """Cases a step in a pool of so many."""
    return strategy.batch or max(cases // BATCHES, 4)


def predicted(pool: Pool, latents: Latents) -> Floats:
    """(cases, classes) probabilities of cases outside the pool."""
    return mean_of(field_of(pool.process, features_of(latents, pool.basis)), pool.settings)


def _ours(ground: _Ground, marks: Ints, strategy: Strategy, seed: int) -> Replay:
    n_classes = ground.votes.shape[1]
    pool = open_pool(
        ground.latents[ground.train], n_classes, seed=seed,
        settings=grades(n_classes) if ground.ordinal else None,
    )  # fmt: skip
    batch, order = batch_of(strategy, len(ground.train)), list[int]()
    around = surroundings(ground.latents, ground.groups) if strategy.spread else None
    found: list[tuple[Quality, float]] = []
    for mark in marks.tolist():
        while len(order) < mark:
            rows = next_cases(
                pool, min(batch, mark - len(order)), seed=seed,
                name=strategy.acquisition if order else strategy.start,
                random_share=strategy.random_share if order else 0.0,
            ).rows  # fmt: skip
            pool = label_many(pool, rows, ground.votes[ground.train[rows]])
            order += rows.tolist()
            if pool.stale:
                pool = tune(pool)
        # as when a team takes the labels: with settings learned from all of them
        said = predicted(tune(pool, thorough=True), ground.latents)
        if around is not None:
            known = ground.train[order]
            said = propagate(around, said, known, ground.votes[known])
        found.append(ground.measured(said[ground.test], said[ground.train], order))
    return _replay_of(marks, found, order)


def _sampled(
    ground: _Ground, marks: Ints, strategy: Strategy, seed: int, sampler: Sampler
) -> Replay:
    """By another model: places and features are those of the process, the belief is the model's."""
    pool = open_pool(ground.latents[ground.train], ground.votes.shape[1], seed=seed)
    batch, order = batch_of(strategy, len(ground.train)), list[int]()
    every = np.asarray(ground.latents, dtype=np.float64)
    own = every[ground.train]
    belief = Belief(np.empty((0, 0)), np.empty((0, 0)), np.empty(0))  # before there are labels
    found: list[tuple[Quality, float]] = []

    def learned(cases: Floats) -> Floats:
        return sampler(own[order], ground.votes[ground.train[order]], cases, seed)

    for mark in marks.tolist():
        while len(order) < mark:
            labelled = np.isin(pool.rows, order)
            view = View(
                belief, pool.places, ~labelled, labelled, pool.features, pool.process, single=False
            )
            rows = pool.rows[choose(
                view, min(batch, mark - len(order)), np.random.default_rng([seed, len(order)]),
                name=strategy.acquisition if order else strategy.start,
                random_share=strategy.random_share if order else 0.0,
            ).rows]  # fmt: skip
            order += rows.tolist()
            belief = belief_of_samples(learned(pool.places))
        said = learned(every).mean(axis=1)
        found.append(ground.measured(said[ground.test], said[ground.train], order))
    return _replay_of(marks, found, order)


def _standard(ground: _Ground, marks: Ints, strategy: Strategy, seed: int) -> Replay:
    pool = np.asarray(ground.latents[ground.train], dtype=np.float64)
    centre, scale = pool.mean(axis=0), max(float(pool.std(axis=0).mean()), 1e-12)
    pool, held = (pool - centre) / scale, (ground.latents[ground.test] - centre) / scale
    votes, batch = ground.votes[ground.train], batch_of(strategy, len(pool))
    order: list[int] = np.random.default_rng(seed).permutation(len(pool))[: marks[0]].tolist()
    found: list[tuple[Quality, float]] = []
    for mark in marks.tolist():
        while True:
            weights = fit_logistic(pool[order], votes[order])
            said = predict_logistic(weights, pool)
            if len(order) >= mark:
                break
            score = entropy(Belief(said, np.empty((0, 0)), np.empty(0)))
            score[order] = -np.inf
            best = np.argsort(-score, kind="stable")[: min(batch, mark - len(order))]
            order += best.tolist()
        found.append(ground.measured(predict_logistic(weights, held), said, order))
    return _replay_of(marks, found, order)


def _replay_of(marks: Ints, found: list[tuple[Quality, float]], order: list[int]) -> Replay:
    held, pool = zip(*found, strict=True)
    return Replay(marks, held, np.array(pool), np.array(order, dtype=np.int64))
