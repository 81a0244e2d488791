"""How unsure pre-labels are of boxes, outlines and masks: where a reader helps most.

A case is in doubt as far as its newest pre-label says so (one minus its confidence), or as far as
the newest pre-labels of two models differ from each other, whichever is more. Without pre-labels
nothing is known, and the order of the latents stands: typical and different cases first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from overread.app.learning.learner import Learner
from overread.app.learning.pre_label_likeness import alike
from overread.protocol import Question
from overread.selection.acquisition.view import View
from overread.selection.grouping import kmeans, nearest
from overread.store import Store
from overread.store.learning.pre_labels import Proposal, pre_labels_of

_WIDER = 10  # cases among which different ones are looked for, for each that is wanted
_UNKNOWN = 0.5  # doubt of a model that tells none


def doubts(store: Store, question: Question, cases: Sequence[str]) -> dict[str, float]:
    """Doubt of cases, 0 to 1; those without a pre-label of the question are left out."""
    found: dict[str, float] = {}
    for case, every in pre_labels_of(store, cases).items():
        newest: dict[str, Proposal] = {}
        for one in every:  # oldest first
            if one.question == question.id:
                newest.pop(one.model, None)
                newest[one.model] = one
        if newest:
            found[case] = doubt_of(question, list(newest.values()))
    return found


def doubt_of(question: Question, proposals: Sequence[Proposal]) -> float:
    """Doubt of one case.

    Args:
        question: that is asked.
        proposals: the newest of each model, at least one; the newest of all last.
    """
    last = proposals[-1]
    own = _UNKNOWN if last.confidence is None else 1 - last.confidence
    apart = [1 - alike(question, last.value, one.value) for one in proposals[:-1]]
    return float(np.clip(max([own, *apart]), 0.0, 1.0))


def doubtful(
    learner: Learner, view: View, doubt: Mapping[str, float], count: int, rng: np.random.Generator
) -> list[str]:
    """The cases in most doubt, and not all alike; those without a pre-label come last.

    Args:
        learner: whose cases they are.
        view: which are open, and where they lie.
        doubt: of cases.
        count: wanted.
        rng: of the groups.
    Source:
        Citovsky et al. 2021, NeurIPS (cluster-margin), with the doubt of pre-labels as score.
    """
    names = [learner.latents.cases[row] for row in learner.pools[0].rows.tolist()]
    score = np.array([doubt.get(name, -1.0) for name in names])
    open_ = np.flatnonzero(view.open)
    top = open_[np.argsort(-score[open_], kind="stable")][: _WIDER * max(count, 0)]
    if count <= 0 or len(top) <= count:
        return [names[at] for at in top]
    known = top[score[top] >= 0]
    top = known if len(known) >= count else top
    group, _ = nearest(view.places[top], kmeans(view.places[top], count, rng))
    _, first = np.unique(group, return_index=True)  # top is sorted: the first is the most doubtful
    rest = np.setdiff1d(np.arange(len(top)), first)
    order = [*np.sort(first), *rest][:count]
    return [names[at] for at in top[order]]
