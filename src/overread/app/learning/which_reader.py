"""Another read of an old case, and by whom, where that tells the model more than a new case.

Once readers are known by their confusions, the same measure serves both: what one more read by a
reader would tell about the model, for each second that they need. Of cases that are read already
the model speaks without their own labels, and their reads so far are weighed in.
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
from overread.selection.process import Field, field_of
from overread.selection.readers import choose_reads, read_information
from overread.selection.tune import left_out_field

_LOOKED_AT = 200  # old cases, those of which least is known


def read_again(
    learner: Learner,
    model: ReaderModel,
    said: Mapping[str, Mapping[str, Said]],
    new: Sequence[str],
    *,
    readers: Sequence[str],
    seconds: Mapping[str, float],
    shut: frozenset[tuple[str, str]],
) -> list[tuple[str, str]]:
    """Old cases worth more than new ones that are about to be asked for.

    Args:
        learner: of a question with one part.
        model: of its readers.
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
    pool = learner.pools[0]
    field = _stacked(_without_own(learner, old), field_of(
        pool.process, features_of(learner.latents.values[fresh], pool.basis)
    ))  # fmt: skip
    cases = [learner.latents.cases[row] for row in [*old.tolist(), *fresh.tolist()]]
    told = read_information(
        samples_of(field, pool.settings),
        _confusion(model, readers),
        likelihood=_likelihood(learner, model, said, cases),
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
    """Taught cases with reads, the least decided first."""
    pool = learner.pools[0]
    rows = [row for row in sorted(pool.votes) if learner.latents.cases[row] in said]
    sure = np.array([pool.votes[row].max() / pool.votes[row].sum() for row in rows])
    order = np.argsort(sure, kind="stable")[:_LOOKED_AT]
    return np.array(rows, dtype=np.int64)[order]


def _without_own(learner: Learner, old: Ints) -> Field:
    pool = learner.pools[0]
    rows = np.array(sorted(pool.votes), dtype=np.int64)
    features = features_of(learner.latents.values[rows], pool.basis)
    votes = np.array([pool.votes[int(row)] for row in rows])
    field = left_out_field(features, votes, pool.settings, [pool.settings.variance])[0]
    at = np.searchsorted(rows, old)
    return Field(field.mean[at], field.variance[at])


def _stacked(one: Field, other: Field) -> Field:
    return Field(
        np.vstack([one.mean, other.mean]), np.vstack([one.variance, other.variance])
    )  # fmt: skip


def _confusion(model: ReaderModel, readers: Sequence[str]) -> Floats:
    place = {name: at for at, name in enumerate(model.readers)}
    every = [model.confusion[place[one]] if one in place else model.usual for one in readers]
    table = np.array(every)
    return np.asarray(table / table.sum(axis=2, keepdims=True))


def _likelihood(
    learner: Learner,
    model: ReaderModel,
    said: Mapping[str, Mapping[str, Said]],
    cases: Sequence[str],
) -> Floats:
    """(cases, classes) of the reads so far, for each truth."""
    made = np.ones((len(cases), len(learner.setup.classes)))
    place = {name: at for at, name in enumerate(model.readers)}
    for row, case in enumerate(cases):
        for reader, one in said.get(case, {}).items():
            code = code_of(learner.setup, 0, one.value)
            if code >= 0:
                at = place.get(reader)
                table = model.usual if at is None else model.confusion[at]
                made[row] *= table[:, code]
    return made
