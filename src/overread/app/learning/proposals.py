"""What the model of a project would say of the cases that nobody read, and how often it errs.

How often it errs is told by labels that it did not see: those held back, and each label that
taught it, predicted from all others.
"""

from __future__ import annotations

import numpy as np

from overread.app.learning.freeze_labels import Proposals
from overread.app.learning.learner import Learner, probabilities_of, tuned_learner
from overread.app.learning.predicted import learned
from overread.arrays import Bools, Floats
from overread.errors import MethodError
from overread.selection.basis import features_of
from overread.selection.belief import belief_of
from overread.selection.tune import left_out_field
from overread.store import Store


def proposals(store: Store, project: str) -> Proposals:
    """The model's answers for all cases that nobody read; a thorough fit, so seconds.

    Raises:
        MethodError: there is no model, and why; or it learns sets of classes.
    """
    learner, until = learned(store, project)
    if len(learner.pools) > 1:
        raise MethodError(
            "auto-labels are certified for questions that are answered with one class; this one "
            "takes several"
        )
    if not learner.can_choose:
        raise MethodError("two classes must have labels before there is a model; one has so far")
    learner = tuned_learner(learner, thorough=True)
    probabilities, said = probabilities_of(learner), learner.said()
    unread = np.flatnonzero(said < 0)
    confidence, right = _known(learner, probabilities)
    taught = learner.taught
    return Proposals(
        learner.setup.question.id,
        tuple(learner.setup.classes),
        [learner.latents.cases[row] for row in unread.tolist()],
        probabilities[unread],
        f"Gaussian process on {learner.latents.version}, taught by {taught} cases, "
        f"log at event {until}",
        confidence,
        right,
    )


def _known(learner: Learner, probabilities: Floats) -> tuple[Floats, Bools]:
    said = learner.said()
    held = np.flatnonzero(learner.held & (said >= 0))
    pool = learner.pools[0]
    rows = np.array(sorted(pool.votes), dtype=np.int64)
    votes = np.array([pool.votes[int(row)] for row in rows])
    field = left_out_field(
        features_of(pool.latents[rows], pool.basis), votes, pool.settings,
        [pool.settings.variance],
    )[0]  # fmt: skip
    table = np.concatenate([probabilities[held], belief_of(field, pool.settings).mean])
    truth = np.concatenate([said[held], said[rows]])
    return table.max(axis=1), table.argmax(axis=1) == truth
