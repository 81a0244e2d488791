"""A pool of cases under the process: label, rescore, choose; every step returns a new pool.

A pool is cheap to copy: latents and features are shared, only the process and its field move.
Keeping the pool from before a label is one way to undo it; :func:`unlabel` is the other, which
takes back any label, in any order.

A large pool is bounded: features and fields are kept for at most ``candidates`` cases (the
labelled ones among them need not be). The candidates are chosen anew when the process is tuned:
half are the least sure of the whole pool, half come by lot. What lies outside waits for the next
tuning; :func:`probabilities` reads the whole pool, in blocks, at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.selection.acquisition.scores import margin
from overread.selection.acquisition.table import DEFAULT, Choice, choose
from overread.selection.acquisition.view import View
from overread.selection.basis import (
    Basis,
    Latents,
    basis_at,
    basis_of,
    blocks,
    features_of,
    median_distance,
)
from overread.selection.belief import Belief, belief_of
from overread.selection.likelihood import Settings
from overread.selection.process import (
    Field,
    Process,
    add,
    checked_votes,
    field_of,
    fit,
    remove,
    unlabelled,
)
from overread.selection.tune import (
    GRADE_NOISES,
    GRADE_VARIANCES,
    NOISES,
    VARIANCES,
    Tuning,
    at_start,
    averaged,
    fair_weights,
    finished,
    left_out_field,
    neighbours,
    teachable,
    tried_settings,
)

LENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
CANDIDATES = 40_000
_GROWTH = 1.15
_FEW = 64
_FEWEST_JUDGES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Cases, their labels so far and what the process makes of them.

    Args:
        latents: (cases, latents) of the whole pool.
        votes: row to (classes,) votes, of the labelled cases.
        basis: of the process's features.
        rows: (candidates,) ascending; their latents (``places``), ``features`` and ``field``.
        process: after all labels.
        tuning: of the last :func:`tune`; None before the first.
        tuned_at: labels there were then.
        seed: of landmarks and candidates.
        limit: candidates at most.
        judges: (cases,) whose labels the latents were not learned from; None where that is so of
            all. Of the labels, these alone judge how sure the process may be.
    """

    latents: Latents
    votes: Mapping[int, Floats]
    basis: Basis
    rows: Ints
    places: Floats
    features: Floats
    process: Process
    field: Field
    tuning: Tuning | None
    tuned_at: int
    seed: int
    limit: int
    judges: Bools | None = None

    @property
    def n_classes(self) -> int:
        """Classes that a label can have."""
        return self.process.n_classes

    @property
    def settings(self) -> Settings:
        """Noise, variance, length and temperature in force."""
        return self.process.settings

    @property
    def stale(self) -> bool:
        """Labels have grown by 15 % since the settings were learned: tune, when there is time."""
        return len(self.votes) >= max(8.0, _GROWTH * self.tuned_at)


def open_pool(
    latents: Latents, n_classes: int, *,
    settings: Settings | None = None, landmarks: int = 256, candidates: int = CANDIDATES,
    seed: int = 0, judges: Bools | None = None,
) -> Pool:  # fmt: skip
    """A pool before any label.

    Args:
        latents: (cases, latents), finite.
        n_classes: at least 2.
        settings: to start from; :func:`overread.selection.likelihood.grades` for ordinal grades.
        landmarks: of the kernel; more are finer and slower (quadratic).
        candidates: most cases that are rescored after every label.
        seed: of landmarks and candidates.
        judges: (cases,) False where a network that made latents has learned from the case's label.
    """
    settings = settings or Settings()
    basis = basis_of(latents, landmarks=landmarks, length=settings.length, seed=seed)
    rng = np.random.default_rng([seed, 1])
    rows = np.sort(rng.permutation(len(latents))[:candidates])
    places = np.asarray(latents[rows], dtype=np.float64)
    features = features_of(places, basis)
    process = unlabelled(n_classes, basis.size, settings=settings)
    count = len(process.mean)
    own = (features**2).sum(axis=1, keepdims=True) * settings.variance
    field = Field(np.zeros((len(rows), count)), np.repeat(own, count, axis=1))
    return Pool(
        latents, {}, basis, rows, places, features, process, field, None, 0, seed, candidates,
        None if judges is None or judges.all() else judges,
    )  # fmt: skip


def label(pool: Pool, row: int, votes: Floats) -> Pool:
    """Label one case, or correct its label.

    Args:
        row: of the case in the pool.
        votes: (classes,) one-hot for one sure reader; of several readers the sum of their votes,
            each as reliable as its reader; or a consensus posterior times its number of reads.
    Returns:
        The pool with the label; its field is rescored, its settings stay.
    """
    _check_row(pool, row)
    votes = checked_votes(np.atleast_2d(votes), 1, pool.n_classes)[0]
    before = unlabel(pool, row) if row in pool.votes else pool
    process, field = add(
        before.process, _feature(pool, row), votes, field=before.field, features=pool.features
    )
    return _moved(before, process, field, {**before.votes, row: votes})


def unlabel(pool: Pool, row: int) -> Pool:
    """Take back the label of a case, whenever it was given."""
    _check_row(pool, row)
    if row not in pool.votes:
        raise InputError("case", "have a label", "one without", rows=[row + 1])
    process, field = remove(
        pool.process, _feature(pool, row), pool.votes[row],
        field=pool.field, features=pool.features,
    )  # fmt: skip
    left = {case: votes for case, votes in pool.votes.items() if case != row}
    return _moved(pool, process, field, left)


def label_many(pool: Pool, rows: Ints, votes: Floats) -> Pool:
    """Label many cases at once (the process is fitted anew): the same as one by one.

    Args:
        rows: (labels,) different cases; votes: (labels, classes).
    """
    votes = checked_votes(votes, len(rows), pool.n_classes)
    for row in rows:
        _check_row(pool, int(row))
    if len(set(rows.tolist())) != len(rows):
        raise InputError("rows", "be different cases", "the same case twice")
    every = {**pool.votes, **{int(row): one for row, one in zip(rows, votes, strict=True)}}
    return _refitted(replace(pool, votes=every), pool.settings)


def tune(pool: Pool, *, thorough: bool = False) -> Pool:
    """Learn the settings from the labels, fit anew, and choose the candidates of a large pool.

    Takes about a second, not milliseconds: call it when :attr:`Pool.stale` says so, in the
    background if somebody waits.

    Args:
        thorough: try every length, noise and variance, as the first time, and not only those next
            to the settings in force.
    """
    if not pool.votes:
        return pool
    rows, votes = _labels(pool)
    latents = np.asarray(pool.latents[rows], dtype=np.float64)
    weight, found = _fair(pool, rows, votes), pool.settings
    if teachable(votes):
        near = not thorough and pool.tuned_at >= _FEW
        found = _learned(pool, latents, votes, weight, near=near)
    basis = _basis_at(pool, found.length)
    tuning = finished(
        features_of(latents, basis), votes, found, weight=weight, judges=_judging(pool, rows, votes)
    )
    moved = replace(pool, basis=basis, tuning=tuning, tuned_at=len(pool.votes))
    if basis.length != pool.basis.length:
        moved = replace(moved, features=features_of(pool.places, basis))
    moved = _refitted(moved, tuning.settings)
    return _candidates(moved) if len(pool.latents) > pool.limit else moved


def belief(pool: Pool) -> Belief:
    """About the candidates, in the order of ``pool.rows``."""
    return belief_of(pool.field, pool.settings)


def probabilities(pool: Pool, rows: Ints | None = None) -> Floats:
    """Class probabilities of given cases, or of the whole pool, read in blocks.

    Returns:
        (cases, classes), rows sum to 1.
    """
    every = np.arange(len(pool.latents)) if rows is None else rows
    found = np.empty((len(every), pool.n_classes))
    for block in blocks(len(every)):
        features = features_of(pool.latents[every[block]], pool.basis)
        field = field_of(pool.process, features)
        found[block] = belief_of(field, pool.settings).mean
    return found


def view_of(pool: Pool, *, closed: Ints | None = None) -> View:
    """The candidates for an acquisition function.

    Args:
        closed: cases that are not to be asked beside the labelled ones (leased, unreadable).
    """
    labelled = np.isin(pool.rows, np.fromiter(pool.votes, dtype=np.int64, count=len(pool.votes)))
    open_ = ~labelled if closed is None else ~labelled & ~np.isin(pool.rows, closed)
    return View(belief(pool), pool.places, open_, labelled, pool.features, pool.process)


def next_cases(
    pool: Pool, count: int = 1, *, name: str = DEFAULT, closed: Ints | None = None,
    random_share: float = 0.0, parallel: bool = False, seed: int = 0,
) -> Choice:  # fmt: skip
    """The cases to read next, as rows of the pool.

    Args:
        count, name, random_share, parallel: as of
            :func:`overread.selection.acquisition.table.choose`.
        closed: as of :func:`view_of`.
        seed: of everything that is drawn; the number of labels goes in as well.
    """
    rng = np.random.default_rng([seed, len(pool.votes)])
    found = choose(
        view_of(pool, closed=closed), count, rng,
        name=name, random_share=random_share, parallel=parallel,
    )  # fmt: skip
    return Choice(pool.rows[found.rows], found.by_lot)


def _feature(pool: Pool, row: int) -> Floats:
    return np.asarray(features_of(pool.latents[row : row + 1], pool.basis)[0])


def _labels(pool: Pool) -> tuple[Ints, Floats]:
    """Labelled rows, ascending (the order of labelling must not matter), and their votes."""
    rows = np.array(sorted(pool.votes), dtype=np.int64)
    return rows, np.array([pool.votes[int(row)] for row in rows])


def _refitted(pool: Pool, settings: Settings) -> Pool:
    rows, votes = _labels(pool)
    process = fit(features_of(pool.latents[rows], pool.basis), votes, settings=settings)
    return replace(pool, process=process, field=field_of(process, pool.features))


def _moved(pool: Pool, process: Process, field: Field | None, votes: Mapping[int, Floats]) -> Pool:
    return replace(pool, process=process, field=field or pool.field, votes=votes)


def _fair(pool: Pool, rows: Ints, votes: Floats) -> Floats:
    """Weights with which the labels, chosen for being hard, stand for the pool."""
    now, features = pool.settings, features_of(pool.latents[rows], pool.basis)
    left_out = left_out_field(features, votes, now, [now.variance])[0]
    own = belief_of(left_out, now).mean.max(axis=1)
    every = np.asarray(belief(pool).mean.max(axis=1))
    return fair_weights(np.asarray(own), every, ordinal=now.ordinal)


def _judging(pool: Pool, rows: Ints, votes: Floats) -> Bools | None:
    """(labels,) that judge; None, for all of them, where those that may are too few to do so."""
    if pool.judges is None:
        return None
    may = pool.judges[rows]
    return may if may.sum() >= _FEWEST_JUDGES and teachable(votes[may]) else None


def _learned(pool: Pool, latents: Floats, votes: Floats, weight: Floats, *, near: bool) -> Settings:
    """Settings by how well they do on the labels; ``near`` tries those beside the ones in force."""
    now = at_start(votes, pool.settings, weight=weight)
    lengths, noises, variances = (
        neighbours(grid, at) if near else grid
        for grid, at in (
            (LENGTHS, now.length),
            (GRADE_NOISES if now.ordinal else NOISES, now.noise),
            (GRADE_VARIANCES if now.ordinal else VARIANCES, now.variance),
        )
    )
    tried = [
        tried_settings(
            features_of(latents, _basis_at(pool, length)), votes, replace(now, length=length),
            weight=weight, noises=noises, variances=variances,
        )
        for length in lengths
    ]  # fmt: skip
    return averaged(tried, len(votes))


def _basis_at(pool: Pool, length: float) -> Basis:
    """The basis at another length, in units of the median distance between landmarks."""
    return basis_at(pool.basis.landmarks, length * median_distance(pool.basis.landmarks))


def _candidates(pool: Pool) -> Pool:
    """Half of the candidates are the least sure of the whole pool, half come by lot."""
    unsure = margin(Belief(probabilities(pool), np.empty((0, 0)), np.empty(0)))
    first = np.argpartition(-unsure, pool.limit // 2)[: pool.limit // 2]
    rng = np.random.default_rng([pool.seed, len(pool.votes)])
    rest = np.setdiff1d(rng.permutation(len(unsure))[: pool.limit], first)
    lot = rng.permutation(rest)[: pool.limit - len(first)]
    rows = np.sort(np.concatenate([first, lot]))
    places = np.asarray(pool.latents[rows], dtype=np.float64)
    features = features_of(places, pool.basis)
    field = field_of(pool.process, features)
    return replace(pool, rows=rows, places=places, features=features, field=field)


def _check_row(pool: Pool, row: int) -> None:
    if not 0 <= row < len(pool.latents):
        raise InputError("row", f"be in 0 .. {len(pool.latents) - 1}", row)
