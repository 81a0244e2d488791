"""A model of a project's question over its latents: one pool, or one a finding of a set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.settings import Setup
from overread.app.learning.votes import CaseVotes
from overread.arrays import Bools, Floats, Ints
from overread.selection.acquisition.view import View
from overread.selection.multilabel import findings_view
from overread.selection.pool import (
    Pool,
    label,
    label_many,
    open_pool,
    probabilities,
    tune,
    unlabel,
    view_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """What was learned so far; every step returns a new one.

    Args:
        setup: what is learned.
        latents: of the cases.
        row: case -> its row.
        held: (cases,) set apart: their labels never reach a pool.
        pools: one a part of the question.
        heard: row -> what was said, of all cases, those set apart too.
    """

    setup: Setup
    latents: CaseLatents
    row: Mapping[str, int]
    held: Bools
    pools: tuple[Pool, ...]
    heard: Mapping[int, CaseVotes]

    @property
    def taught(self) -> int:
        """Cases whose labels teach."""
        return len({row for pool in self.pools for row in pool.votes})

    @property
    def can_choose(self) -> bool:
        """Two classes have labels, in some part at least: before, all cases tell as much."""
        return any(len(_classes_in(pool)) > 1 for pool in self.pools)

    @property
    def stale(self) -> bool:
        """Labels have grown so that the settings should be learned anew."""
        return any(pool.stale for pool in self.pools)

    def said(self, part: int = 0) -> Ints:
        """(cases,) codes of what readers said; -1 of those not read."""
        made = np.full(len(self.row), -1, dtype=np.int64)
        for row, one in self.heard.items():
            made[row] = one.code[part]
        return made


def begin_learner(
    setup: Setup, latents: CaseLatents, held: Bools, *, unseen: Bools | None = None, seed: int = 0
) -> Learner:
    """A learner before any label.

    Args:
        unseen: (cases,) of whose labels no encoder has learned
            (:func:`overread.app.learning.seen_labels.unseen_by_encoders`); all by default.
    """
    pool = open_pool(
        latents.values, len(setup.classes), settings=setup.start_settings(), seed=seed,
        judges=unseen,
    )  # fmt: skip
    row = {case: at for at, case in enumerate(latents.cases)}
    return Learner(setup, latents, row, held, (pool,) * len(setup.parts), {})


def taught_by(learner: Learner, votes: Mapping[str, CaseVotes]) -> Learner:
    """The learner with the labels of cases, all at once; a label that was there is replaced."""
    heard = dict(learner.heard)
    heard |= {learner.row[case]: one for case, one in votes.items() if case in learner.row}
    pools: list[Pool] = []
    for part, pool in enumerate(learner.pools):
        rows = [row for row, one in sorted(heard.items()) if _teaches(learner, row, one, part)]
        gone = sorted(set(pool.votes) - set(rows))
        for row in gone:
            pool = unlabel(pool, row)  # noqa: PLW2901 - one step after the other
        if rows:
            told = np.array([heard[row].votes[part] for row in rows])
            pool = label_many(pool, np.array(rows, dtype=np.int64), told)  # noqa: PLW2901
        pools.append(pool)
    return replace(learner, pools=tuple(pools), heard=heard)


def with_label(learner: Learner, case: str, votes: CaseVotes) -> Learner:
    """The learner with one more label, or a corrected one: milliseconds, not a new fit."""
    row = learner.row.get(case)
    if row is None:
        return learner
    pools = []
    for part, pool in enumerate(learner.pools):
        if _teaches(learner, row, votes, part):
            same = row in pool.votes and np.array_equal(pool.votes[row], votes.votes[part])
            pools.append(pool if same else label(pool, row, votes.votes[part]))
        else:
            pools.append(unlabel(pool, row) if row in pool.votes else pool)
    return replace(learner, pools=tuple(pools), heard={**learner.heard, row: votes})


def tuned_learner(learner: Learner, *, thorough: bool = False) -> Learner:
    """The learner with settings learned from its labels: a second or more a part."""
    pools = tuple(tune(pool, thorough=thorough) if pool.votes else pool for pool in learner.pools)
    return replace(learner, pools=pools)


def learner_view(learner: Learner) -> View:
    """The cases for an acquisition function; those set apart are closed."""
    shut = np.flatnonzero(learner.held)
    if len(learner.pools) == 1:
        return view_of(learner.pools[0], closed=shut)
    return findings_view(learner.pools, closed=shut)


def probabilities_of(learner: Learner, part: int = 0, rows: Ints | None = None) -> Floats:
    """(cases, classes) of a part, of given cases or all."""
    return probabilities(learner.pools[part], rows)


def _teaches(learner: Learner, row: int, votes: CaseVotes, part: int) -> bool:
    return not learner.held[row] and votes.votes[part].sum() > 0


def _classes_in(pool: Pool) -> set[int]:
    return {int(votes.argmax()) for votes in pool.votes.values()}
