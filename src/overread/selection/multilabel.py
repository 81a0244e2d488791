"""Several questions about each case at once: findings that may occur together."""

from __future__ import annotations

import numpy as np

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.acquisition.view import View
from overread.selection.belief import Belief
from overread.selection.pool import Pool, label, view_of


def label_findings(pools: tuple[Pool, ...], row: int, votes: Floats) -> tuple[Pool, ...]:
    """Label one case in every pool, one pool (of 2 classes: no, yes) a finding.

    Args:
        pools: of the same latents.
        votes: (findings, 2); a finding that nobody answered has two zeros and is left as it is.
    """
    if len(votes) != len(pools):
        raise InputError("votes", f"be one row for each of {len(pools)} findings", np.shape(votes))
    return tuple(
        label(pool, row, one) if one.sum() > 0 else pool
        for pool, one in zip(pools, votes, strict=True)
    )


def findings_view(
    pools: tuple[Pool, ...], *, weight: Floats | None = None, closed: Ints | None = None
) -> View:
    """The candidates for an acquisition function, seen through the least certain finding.

    The belief of each case is that of the finding which, by its entropy times its weight, has
    most to tell: a case is worth reading for one open question.

    Args:
        pools: of the same latents and candidates, 2 classes each.
        weight: (findings,) how much each matters; 1 by default.
        closed: as of :func:`overread.selection.pool.view_of`.
    """
    if not pools or any(not np.array_equal(pool.rows, pools[0].rows) for pool in pools):
        raise InputError("pools", "have the same candidates, one pool a finding", len(pools))
    views = [view_of(pool, closed=closed) for pool in pools]
    every = [one.belief for one in views]
    scale = np.ones(len(pools)) if weight is None else np.asarray(weight)
    open_ = np.stack([1 - np.abs(one.mean[:, 1] - one.mean[:, 0]) for one in every])
    which = (open_ * scale[:, None]).argmax(axis=0)
    case = np.arange(len(which))

    def chosen(name: str) -> Floats:
        return np.asarray(np.stack([getattr(one, name) for one in every])[which, case])

    view = views[0]
    labelled = np.all([one.labelled for one in views], axis=0)
    may = np.any([one.open for one in views], axis=0)
    seen = Belief(chosen("mean"), chosen("variance"), chosen("expected_entropy"))
    return View(seen, view.places, may, labelled, view.features, view.process, single=False)
