"""What the model of a project would say of the cases that nobody read, and how often it errs.

How often it errs is told by labels that it did not see: those held back, and each label that
taught it, predicted from all others. Where labels held back show that it helps, labels spread to
unlabelled cases (:mod:`overread.app.learning.spreading`); then those held back alone tell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from overread.app.analysis.set_labels import set_text
from overread.app.learning.freeze_labels import Proposals
from overread.app.learning.learner import Learner, probabilities_of, tuned_learner
from overread.app.learning.predicted import learned
from overread.app.learning.seen_labels import unseen_by_encoders
from overread.app.learning.spreading import spread_where_it_helps
from overread.arrays import Bools, Floats, Ints
from overread.errors import MethodError
from overread.labels import Kind
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.certificate.sets import likely_sets
from overread.selection.tune import left_out_field
from overread.store import Store


def proposals(store: Store, project: str) -> Proposals:
    """The model's answers for all cases that nobody read; a thorough fit, so seconds.

    Raises:
        MethodError: there is no model, and why.
    """
    learner, until = learned(store, project)
    if not learner.can_choose:
        raise MethodError("two classes must have labels before there is a model; one has so far")
    learner = tuned_learner(learner, thorough=True)
    said = [learner.said(part) for part in range(len(learner.pools))]
    unread = np.flatnonzero(np.all([one < 0 for one in said], axis=0))
    tables = [probabilities_of(learner, part) for part in range(len(learner.pools))]
    tables, told = spread_where_it_helps(learner, tables, said)
    spread = told is not None and told.on
    unseen = unseen_by_encoders(project, learner.latents)
    known, truth = _known(learner, tables, said, unseen, held_alone=spread)
    made = Proposals(
        learner.setup.question.id,
        tuple(learner.setup.classes),
        [learner.latents.cases[row] for row in unread.tolist()],
        tables[0][unread],
        f"Gaussian process on {learner.latents.version}, taught by {learner.taught} cases, "
        f"log at event {until}" + (f". {told.words}" if told is not None else ""),
        known[0].max(axis=1),
        known[0].argmax(axis=1) == truth[0],
        known_label=known[0].argmax(axis=1),
    )
    if learner.setup.question.kind is not Kind.MULTILABEL:
        return made
    return _of_sets(
        made, learner.setup.question.names, [one[unread] for one in tables], known, truth
    )


def _of_sets(
    made: Proposals,
    names: tuple[str, ...],
    tables: list[Floats],
    known: list[Floats],
    truth: list[Ints],
) -> Proposals:
    """A label is a whole set: right where every class is."""
    code, sets, sure = likely_sets(np.stack([one[:, 1] for one in tables], axis=1))
    _, _, known_sure = likely_sets(np.stack([one[:, 1] for one in known], axis=1))
    right = np.all(
        [(one[:, 1] >= 0.5) == (of == 1) for one, of in zip(known, truth, strict=True)], axis=0
    )
    texts = [
        set_text([name for name, there in zip(names, row, strict=True) if there], names)
        for row in sets.tolist()
    ]
    return replace(
        made, classes=tuple(texts), probabilities=sure[:, None], code=code, findings=names,
        known_confidence=known_sure, known_right=right, known_label=None,
    )  # fmt: skip


def _known(
    learner: Learner, tables: list[Floats], said: list[Ints], unseen: Bools, *, held_alone: bool
) -> tuple[list[Floats], list[Ints]]:
    """Of each part: probabilities without the label, and the label, of the same cases.

    Args:
        unseen: (cases,) of whose labels no encoder has learned: of others none is told without.
        held_alone: of cases held back alone; without it, of each label that taught too.
    """
    heard = np.all([one >= 0 for one in said], axis=0)
    held = np.flatnonzero(learner.held & heard)
    if held_alone:
        return [one[held] for one in tables], [one[held] for one in said]
    taught = set.intersection(*(set(pool.votes) for pool in learner.pools))
    rows = np.array(sorted(taught & set(np.flatnonzero(heard & unseen).tolist())), dtype=np.int64)
    known: list[Floats] = []
    for pool, table in zip(learner.pools, tables, strict=True):
        own = np.array(sorted(pool.votes), dtype=np.int64)
        votes = np.array([pool.votes[int(row)] for row in own])
        features = features_of(pool.latents[own], pool.basis)
        field = left_out_field(features, votes, pool.settings, [pool.settings.variance])[0]
        left_out = belief_of(field, pool.settings).mean[np.searchsorted(own, rows)]
        known.append(np.concatenate([table[held], left_out]))
    every = np.concatenate([held, rows])
    return known, [one[every] for one in said]
