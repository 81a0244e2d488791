"""Another read of an old case, and by whom, where that tells the model more than a new case.

Once readers are known by their confusions, the same measure serves both: what one more read by a
reader would tell about the model, for each second that they need; of a set of findings, about all
of them together. Of cases that are read already the model speaks without their own labels, and
their reads so far are weighed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from overread.app.analysis.demand_model import ReaderModel
from overread.app.analysis.project_reads import Said
from overread.app.learning.learner import Learner
from overread.app.learning.votes import code_of
from overread.arrays import Bools, Floats, Ints
from overread.selection.basis import features_of
from overread.selection.belief import samples_of
from overread.selection.pool import Pool
from overread.selection.process import Field, field_of
from overread.selection.readers import choose_reads, read_information
from overread.selection.tune import left_out_field

_LOOKED_AT = 200  # old cases, those of which least is known


def read_again(
    learner: Learner,
    models: Sequence[ReaderModel],
    said: Mapping[str, Mapping[str, Said]],
    new: Sequence[str],
    *,
    readers: Sequence[str],
    seconds: Mapping[str, float],
    shut: frozenset[tuple[str, str]],
) -> list[tuple[str, str]]:
    """Old cases worth more than new ones that are about to be asked for.

    Args:
        learner: with the labels so far.
        models: of its readers, one a part of the question.
        said: case -> reader -> what they said.
        new: cases that were chosen to be read next.
        readers: who could read now.
        seconds: of a read, by reader; those not known take as long as the others.
        shut: (case, reader) that may not be: had it, refused it, or know what is right.
    Returns:
        (case, reader), best first: as many as are better than one of the new cases.
    Source:
        Yan et al. 2011, ICML (which reader); Goh & Mueller 2023, "ActiveLab" (again or new).
    """
    old = _least_known(learner, said)
    if not new or not len(old) or not readers:
        return []
    fresh = np.array([learner.row[case] for case in new if case in learner.row], dtype=np.int64)
    rows = np.concatenate([old, fresh])
    cases = [learner.latents.cases[row] for row in rows.tolist()]
    told = np.zeros((len(cases), len(readers)))
    for part, (pool, model) in enumerate(zip(learner.pools, models, strict=True)):
        told += read_information(
            samples_of(_without_own(pool, rows), pool.settings),
            _confusion(model, readers),
            likelihood=_likelihood(learner, part, model, said, cases),
        )
    usual = float(np.median(list(seconds.values()))) if seconds else 1.0
    cost = np.array([seconds.get(one) or usual for one in readers])
    allowed: Bools = np.array([[(case, one) not in shut for one in readers] for case in cases])
    found = choose_reads(told, cost, len(fresh), allowed=allowed)
    return [
        (cases[case], readers[reader])
        for case, reader in zip(found.case.tolist(), found.reader.tolist(), strict=True)
        if case < len(old)
    ]


def _least_known(learner: Learner, said: Mapping[str, Mapping[str, Said]]) -> Ints:
    """Taught cases with reads, the least decided first; of findings by what all leave open."""
    taught = sorted({row for pool in learner.pools for row in pool.votes})
    rows = [row for row in taught if learner.latents.cases[row] in said]
    decided = [
        sum(votes.max() / votes.sum() - 1 for pool in learner.pools
            if (votes := pool.votes.get(row)) is not None)
        for row in rows
    ]  # fmt: skip
    order = np.argsort(np.array(decided), kind="stable")[:_LOOKED_AT]
    return np.array(rows, dtype=np.int64)[order]


def _without_own(pool: Pool, rows: Ints) -> Field:
    """The latent functions at cases of the pool; at a labelled one, given all other labels."""
    field = field_of(pool.process, features_of(pool.latents[rows], pool.basis))
    own = np.array([int(row) in pool.votes for row in rows])
    if own.any():
        taught = np.array(sorted(pool.votes), dtype=np.int64)
        features = features_of(pool.latents[taught], pool.basis)
        votes = np.array([pool.votes[int(row)] for row in taught])
        left_out = left_out_field(features, votes, pool.settings, [pool.settings.variance])[0]
        at = np.searchsorted(taught, rows[own])
        field.mean[own], field.variance[own] = left_out.mean[at], left_out.variance[at]
    return field


def _confusion(model: ReaderModel, readers: Sequence[str]) -> Floats:
    place = {name: at for at, name in enumerate(model.readers)}
    every = [model.confusion[place[one]] if one in place else model.usual for one in readers]
    table = np.array(every)
    return np.asarray(table / table.sum(axis=2, keepdims=True))


def _likelihood(
    learner: Learner,
    part: int,
    model: ReaderModel,
    said: Mapping[str, Mapping[str, Said]],
    cases: Sequence[str],
) -> Floats:
    """(cases, classes) of the reads so far, for each truth."""
    made = np.ones((len(cases), len(learner.setup.classes)))
    place = {name: at for at, name in enumerate(model.readers)}
    for row, case in enumerate(cases):
        for reader, one in said.get(case, {}).items():
            code = code_of(learner.setup, part, one.value)
            if code >= 0:
                at = place.get(reader)
                table = model.usual if at is None else model.confusion[at]
                made[row] *= table[:, code]
    return made
