"""What the model says of every case of a project, beside what its readers said.

This is a batch: all labels of the store, a thorough fit. The loop beside the pages keeps the same
model fresh read by read (:mod:`overread.app.learning.loop`).
"""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.learning.case_latents import latents_of
from overread.app.learning.heard import reads_so_far
from overread.app.learning.learner import (
    Learner,
    begin_learner,
    probabilities_of,
    taught_by,
    tuned_learner,
)
from overread.app.learning.seen_labels import unseen_by_encoders
from overread.app.learning.set_apart import groups_of, held_back
from overread.app.learning.settings import setup_of
from overread.arrays import Bools, Floats, Ints
from overread.errors import MethodError
from overread.store import Store
from overread.store.learning.asking import list_asked


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """The model of one question, or of one finding of a set, over all cases with latents.

    Args:
        question: its id.
        classes: names; of a finding "absent" and "present".
        cases: ids.
        probabilities: (cases, classes), rows sum to 1.
        said: (cases,) code of what readers said together; -1 of those not read.
        held_back: (cases,) set apart: their labels test the model and never taught it.
        latent_version: of the encoder.
        reads_seen: last event of the log that was taken in.
        finding: of a set of classes, the one that this is about; "" otherwise.
    """

    question: str
    classes: tuple[str, ...]
    cases: tuple[str, ...]
    probabilities: Floats
    said: Ints
    held_back: Bools
    latent_version: str
    reads_seen: int
    finding: str = ""


def predicted(store: Store, project: str) -> Predicted | None:
    """The model of a project; of a set of classes that of its first finding.

    Returns:
        None where there is none; :func:`predicted_parts` says why.
    """
    try:
        return predicted_parts(store, project)[0]
    except MethodError:
        return None


def predicted_parts(store: Store, project: str) -> tuple[Predicted, ...]:
    """The model of a project: one part, or one for each finding of a set.

    Raises:
        MethodError: there is none, and why.
        NotFoundError: no such project.
    """
    learner, until = learned(store, project)
    if not learner.can_choose:
        raise MethodError("two classes must have labels before there is a model; one has so far")
    return parts_of(tuned_learner(learner, thorough=True), until)


def parts_of(learner: Learner, until: int) -> tuple[Predicted, ...]:
    """What a learner says of all cases. Args: until: last event that it knows."""
    setup = learner.setup
    return tuple(
        Predicted(
            setup.question.id,
            setup.classes,
            learner.latents.cases,
            probabilities_of(learner, part),
            learner.said(part),
            learner.held,
            learner.latents.version,
            until,
            name,
        )
        for part, name in enumerate(setup.parts)
    )


def learned(store: Store, project: str) -> tuple[Learner, int]:
    """All labels of the store in one learner, its settings not learned yet; and the last event.

    Raises:
        MethodError: the project learns nothing, or its images are not encoded yet.
    """
    setup = setup_of(store, project)
    if setup is None:
        raise MethodError("the protocol has no learning block; add one to let a model learn")
    if not setup.modelled:
        raise MethodError("a model learns classes and grades; drawings are proposed by pre-labels")
    latents = latents_of(store, project)
    if latents is None or len(latents.cases) < 2:
        raise MethodError("fewer than two images are encoded yet; wait for the images")
    heard = reads_so_far(store, project, setup)
    asked = list_asked(store, project)
    share = setup.wishes.held_back
    held = held_back(project, latents, groups_of(latents), share=share, asked=asked)
    begun = begin_learner(setup, latents, held, unseen=unseen_by_encoders(project, latents))
    return taught_by(begun, heard.votes(setup)), heard.until
