"""The classifier among scikit-learn's own tools; incremental as at once; bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from overread.errors import InputError
from overread.selection.estimator import DirichletProcessClassifier
from tests.selection.conftest import clusters

FIXED = DirichletProcessClassifier(learn=False, landmarks=20)


def test_scikit_learn_takes_it_for_one_of_its_own() -> None:
    latents, truth = clusters(90)
    names = np.array(["left", "none", "right"])[truth]
    assert is_classifier(FIXED)
    scores = cross_val_score(make_pipeline(StandardScaler(), FIXED), latents, names, cv=3)
    assert scores.mean() > 0.7
    twin = clone(FIXED).set_params(landmarks=9)
    assert (twin.landmarks, FIXED.landmarks) == (9, 20)
    with pytest.raises(InputError, match="parameter must"):
        twin.set_params(best=1)


def test_label_by_label_is_all_at_once() -> None:
    latents, truth = clusters(60)
    pool = latents[30:]
    model = DirichletProcessClassifier(learn=False, landmarks=20, pool=pool)
    model.partial_fit(latents[:10], truth[:10], classes=[0, 1, 2])
    for row in range(10, 30):
        model.partial_fit(latents[row : row + 1], truth[row : row + 1])
    at_once = DirichletProcessClassifier(learn=False, landmarks=20, pool=pool)
    at_once.partial_fit(latents[:10], truth[:10], classes=[0, 1, 2])
    at_once.partial_fit(latents[10:30], truth[10:30])
    np.testing.assert_allclose(model.predict_proba(pool), at_once.predict_proba(pool), atol=1e-9)


@pytest.mark.parametrize("ordinal", [False, True])
def test_it_learns_its_settings(ordinal: bool) -> None:
    latents, truth = clusters(80)
    model = DirichletProcessClassifier(ordinal=ordinal, landmarks=30).fit(latents[:50], truth[:50])
    found = model.predict_proba(latents[50:])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert model.score(latents[50:], truth[50:]) > 0.6
    assert model.settings_.ordinal is ordinal


def test_a_sure_label_counts_more() -> None:
    x, y = np.array([[0.0], [0.0], [1.0]]), ["a", "b", "b"]
    even = clone(FIXED).fit(x, y).predict_proba([[0.0]])[0, 0]
    sure = clone(FIXED).fit(x, y, sample_weight=[5, 1, 1]).predict_proba([[0.0]])[0, 0]
    assert sure > even


def test_bad_input() -> None:
    for given, words in [
        (([[1.0]], ["a"]), "two classes"), (([1.0, 2.0], ["a", "b"]), "X must"),
        (([[np.nan], [1.0]], ["a", "b"]), "row 1: X must be finite"),
        (([[0.0], [1.0]], ["a", "b", "a"]), "y must be one for each"),
        (([[0.0]], [["a"]]), "y must be one class a row"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=words):
            clone(FIXED).fit(*given)
    with pytest.raises(InputError, match="be fitted first"):
        clone(FIXED).predict([[0.0]])
    with pytest.raises(InputError, match="be given with the first labels"):
        clone(FIXED).partial_fit([[0.0]], ["a"])
    with pytest.raises(InputError, match="row 1: y must be one of the classes"):
        clone(FIXED).fit([[0.0], [1.0]], ["a", "b"]).partial_fit([[0.0]], ["c"])
