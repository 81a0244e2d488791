"""Active learning as other libraries have it: a random start, then the smallest margins."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np


def modal(pool, truth, start, batch: int, marks: list[int], told: Callable) -> None:  # noqa: PLR0917 - one call, below
    """modAL: its choice on logistic regression (its learner breaks with scikit-learn >= 1.8)."""
    from modAL.uncertainty import margin_sampling  # noqa: PLC0415 - a peer may be missing
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    order, model = list(start), LogisticRegression(max_iter=300)
    for mark in marks:
        while len(order) < mark:
            model.fit(pool[order], truth[order])
            left = np.setdiff1d(np.arange(len(pool)), order)
            found = margin_sampling(model, pool[left], min(batch, mark - len(order)))
            order += left[found[0] if isinstance(found, tuple) else found].tolist()
        told(model.fit(pool[order], truth[order]), order)


def activeml(pool, truth, start, batch: int, marks: list[int], told: Callable) -> None:  # noqa: PLR0917
    """scikit-activeml: UncertaintySampling on logistic regression."""
    from skactiveml.classifier import SklearnClassifier  # noqa: PLC0415 - a peer may be missing
    from skactiveml.pool import UncertaintySampling  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    model = SklearnClassifier(LogisticRegression(max_iter=300), classes=np.unique(truth))
    query = UncertaintySampling(method="margin_sampling", random_state=0)
    order, known = list(start), np.full(len(truth), np.nan)
    known[order] = truth[order]
    for mark in marks:
        while len(order) < mark:
            wanted = min(batch, mark - len(order))
            found = query.query(X=pool, y=known, clf=model, fit_clf=True, batch_size=wanted)
            known[found] = truth[found]
            order += found.tolist()
        told(model.fit(pool, known), order)


PEERS = {"modAL": modal, "scikit-activeml": activeml}


def played(name: str, x, truth, test, marks: list[int], *, seed: int, measure: Callable):
    """Figures of a peer at each mark; a sentence where it is not installed.

    Args:
        measure: (probabilities of the held-back cases, of the pool, rows labelled) to figures.
    """
    train = np.setdiff1d(np.arange(len(truth)), test)
    pool = np.asarray(x[train], dtype=np.float64)
    centre, scale = pool.mean(axis=0), pool.std(axis=0).mean()
    pool, held = (pool - centre) / scale, (x[test] - centre) / scale
    # at least two classes at the start, or no logistic regression runs
    lot = np.random.default_rng(seed).permutation(len(pool))
    first = [int(lot[truth[train][lot] == c][0]) for c in np.unique(truth)]
    start = list(dict.fromkeys([*first, *lot.tolist()]))[: marks[0]]
    found: list = []
    width = int(truth.max()) + 1

    def probabilities(model, cases) -> np.ndarray:
        made = np.zeros((len(cases), width))
        made[:, np.asarray(model.classes_, dtype=int)] = model.predict_proba(cases)
        return made

    def told(model, order) -> None:
        found.append(measure(probabilities(model, held), probabilities(model, pool), order))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            PEERS[name](pool, truth[train], start, max(len(pool) // 200, 4), marks, told)
        except ImportError as error:
            return f"not installed: {error.name}"
    return found
