"""Labels that spread to unlabelled cases of a project: used where its held-back labels show a gain.

Labels never spread within a patient or among near-duplicates, and the gain is counted by them too.
"""

from __future__ import annotations

import numpy as np

from overread.app.learning.learner import Learner
from overread.app.learning.set_apart import groups_of
from overread.arrays import Floats, Ints
from overread.selection.propagation import (
    LEAST_GROUPS,
    MOST,
    Verdict,
    propagate,
    surroundings,
    verdict,
)


def spread_where_it_helps(
    learner: Learner, tables: list[Floats], said: list[Ints]
) -> tuple[list[Floats], Verdict | None]:
    """Spread the labels, and decide by the labels held back whether that is kept.

    Args:
        learner: whose labels they are.
        tables: of each part, (cases, classes) probabilities; said: (cases,) codes, -1 unread.
    Returns:
        The tables, spread or as they were, all or none of them; and what the held-back labels say
        of it, None of a set that is too large.
    """
    if not 2 <= len(learner.latents.cases) <= MOST:
        return tables, None
    groups = groups_of(learner.latents)
    heard = np.all([one >= 0 for one in said], axis=0)
    held = np.flatnonzero(learner.held & heard)
    if len(np.unique(groups[held])) < LEAST_GROUPS:  # nothing could be shown: not worked out
        return tables, _together(tables, tables, said, held, groups)
    around = surroundings(learner.latents.values, groups)
    made: list[Floats] = []
    for pool, table in zip(learner.pools, tables, strict=True):
        rows = np.array(sorted(pool.votes), dtype=np.int64)
        votes = np.array([pool.votes[int(row)] for row in rows])
        made.append(propagate(around, table, rows, votes) if len(rows) else table)
    found = _together(tables, made, said, held, groups)
    return (made if found.on else tables), found


def _together(
    before: list[Floats], after: list[Floats], said: list[Ints], held: Ints, groups: Ints
) -> Verdict:
    """One decision for all parts: a case with its parts is as sure as all of them are right."""
    right = [
        np.prod([t[held, s[held]] for t, s in zip(each, said, strict=True)], axis=0)
        for each in (before, after)
    ]
    tables = [np.column_stack([1 - one, one]) for one in right]
    return verdict(tables[0], tables[1], np.ones(len(held), dtype=np.int64), groups[held])
