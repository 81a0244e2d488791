"""Class proposals of the project's own model, as pre-labels: of cases that nobody has read yet."""

from __future__ import annotations

import numpy as np

from overread.app.learning.pre_label_import import Kept
from overread.app.learning.predicted import Predicted, predicted_parts
from overread.app.study.project_protocol import protocol_of
from overread.errors import MethodError
from overread.labels import Kind
from overread.store import Store
from overread.store.learning.pre_labels import Proposal, add_pre_labels

MODEL = "gaussian process"


def bring_predicted(store: Store, project: str, *, by: str) -> Kept:
    """Have the model that learns from the reads so far propose the classes of unread cases.

    Cases that are held back to test the model get no proposal: their reads must not know of it.

    Raises:
        MethodError: there is no model yet (and why), or nothing is left unread.
    """
    parts = predicted_parts(store, project)
    kind = protocol_of(store, project).protocol.question(parts[0].question).kind
    proposals = _sets(parts) if kind is Kind.MULTILABEL else _classes(parts[0])
    if not proposals:
        raise MethodError("every case has been read, or is held back to test the model")
    version = f"{parts[0].latent_version} after event {parts[0].reads_seen}"[:200]
    add_pre_labels(store, project, proposals, model=MODEL, version=version, by=by)
    return Kept(len(proposals), 0)


def _open(one: Predicted) -> list[int]:
    return np.flatnonzero((one.said < 0) & ~one.held_back).tolist()


def _classes(one: Predicted) -> list[Proposal]:
    code = one.probabilities.argmax(axis=1)
    sure = one.probabilities.max(axis=1)
    return [
        Proposal(one.cases[at], one.question, one.classes[int(code[at])], float(sure[at]))
        for at in _open(one)
    ]


def _sets(parts: tuple[Predicted, ...]) -> list[Proposal]:
    """A set of findings is as sure as its least sure finding."""
    first = parts[0]
    present = np.stack([one.probabilities[:, 1] for one in parts], axis=1)
    sure = np.maximum(present, 1 - present).min(axis=1)
    names = [one.finding for one in parts]
    return [
        Proposal(
            first.cases[at],
            first.question,
            [name for name, p in zip(names, present[at], strict=True) if p >= 0.5],
            float(sure[at]),
        )
        for at in _open(first)
    ]
