"""The process against brute force: batch, one by one, undone, left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from overread.errors import InputError
from overread.selection.basis import basis_of, features_of, median_distance
from overread.selection.likelihood import Settings, targets
from overread.selection.process import (
    add,
    field_of,
    fit,
    one_hot,
    remove,
    unlabelled,
)
from overread.selection.tune import left_out_field
from tests.selection.conftest import clusters


def _made(seed: int = 0, n: int = 60, classes: int = 3):
    latents, truth = clusters(n, classes, seed=seed)
    return features_of(latents, basis_of(latents, landmarks=20)), one_hot(truth, classes)


def _apart(one, other) -> float:
    return max(
        float(np.abs(one.mean - other.mean).max()),
        float(
            np.abs(
                getattr(one, "covariance", getattr(one, "variance", None))
                - getattr(other, "covariance", getattr(other, "variance", None))
            ).max()
        ),
    )


def test_targets_of_a_hard_label() -> None:
    target, variance = targets(np.array([[1.0, 0.0]]), Settings())
    np.testing.assert_allclose(target, [[-0.334142, -6.912730]], atol=1e-6)
    np.testing.assert_allclose(variance, [[0.688184, 4.615121]], atol=1e-6)


def test_one_by_one_equals_batch_and_undone_equals_never_given() -> None:
    features, votes = _made()
    process = unlabelled(3, features.shape[1])
    field = field_of(process, features)
    order = np.random.default_rng(3).permutation(60)
    for row in order:
        process, field = add(process, features[row], votes[row], field=field, features=features)
    batch = fit(features, votes)
    assert _apart(process, batch) < 1e-9
    assert _apart(field, field_of(batch, features)) < 1e-9
    for row in order[:35]:  # not the last ones first: any order
        process, field = remove(process, features[row], votes[row], field=field, features=features)
    rest = fit(features[order[35:]], votes[order[35:]])
    assert _apart(process, rest) < 1e-9
    assert _apart(field, field_of(rest, features)) < 1e-9


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000), classes=st.integers(2, 5), noise=st.floats(0.003, 1.0),
    variance=st.floats(0.1, 64.0), weight=st.floats(0.1, 5.0),
)  # fmt: skip
def test_any_label_can_be_taken_back(seed, classes, noise, variance, weight) -> None:
    features, votes = _made(seed, 25, classes)
    soft = votes * 0.8 + 0.3 * np.random.default_rng(seed).random(votes.shape)
    before = fit(features, soft, settings=Settings(noise, variance))
    after, _ = add(before, features[3] * 0.7, soft[4], weight=weight)
    back, _ = remove(after, features[3] * 0.7, soft[4], weight=weight)
    assert _apart(back, before) < 1e-9


def test_equals_a_gaussian_process_of_scikit_learn_where_every_case_is_a_landmark() -> None:
    latents, truth = clusters(40, 2)
    basis = basis_of(latents, landmarks=40)
    features, votes = features_of(latents, basis), one_hot(truth, 2)
    process = fit(features, votes, settings=Settings(variance=4.0))
    field = field_of(process, features)
    target, variance = targets(votes, Settings())
    kernel = ConstantKernel(4.0) * RBF(basis.length) + ConstantKernel(4.0)
    for c in range(2):
        peer = GaussianProcessRegressor(kernel, alpha=variance[:, c], optimizer=None)
        mean, spread = peer.fit(latents, target[:, c]).predict(latents, return_std=True)
        np.testing.assert_allclose(field.mean[:, c], mean, atol=1e-4)
        np.testing.assert_allclose(field.variance[:, c], spread**2, atol=1e-4)


@pytest.mark.parametrize("n", [60, 15])
def test_left_out_labels_equal_refitting_without_each(n: int) -> None:
    features, votes = _made(n=n)
    chosen = Settings(noise=0.03, variance=4.0)
    weight = np.random.default_rng(0).uniform(0.5, 2, n)
    (field,) = left_out_field(features, votes, chosen, [4.0], weight=weight)
    for i in range(n):
        keep = np.arange(n) != i
        process = fit(features[keep], votes[keep], weight=weight[keep], settings=chosen)
        alone = field_of(process, features[i : i + 1])
        np.testing.assert_allclose(field.mean[i], alone.mean[0], atol=1e-9)
        np.testing.assert_allclose(field.variance[i], alone.variance[0], atol=1e-9)


def test_more_votes_make_a_case_surer() -> None:
    features, votes = _made()
    one, three = fit(features, votes), fit(features, votes * 3)
    assert (field_of(three, features).variance < field_of(one, features).variance).all()


def test_constant_and_duplicate_latents() -> None:
    latents = np.ones((30, 4))
    basis = basis_of(latents)
    assert basis.size == 2
    assert median_distance(latents[:1]) == 1.0
    features = features_of(np.repeat(clusters(5)[0], 4, axis=0), basis_of(clusters(5)[0]))
    assert np.isfinite(fit(features, one_hot(np.arange(20) % 2, 2)).mean).all()


@pytest.mark.parametrize(
    "votes", [[[0.0, 0.0]], [[-1.0, 2.0]], [[np.nan, 1.0]], [[1.0]], [[1.0, 0.0], [0.0, 1.0]]]
)
def test_votes_that_are_none(votes) -> None:
    with pytest.raises(InputError, match="votes must"):
        fit(np.ones((1, 2)), np.array(votes))


def test_bad_input_is_named() -> None:
    features, votes = _made()
    process = fit(features[:5], votes[:5])
    with pytest.raises(InputError, match="given before it is taken back"):
        remove(unlabelled(3, features.shape[1]), features[0] * 10, votes[0])
    with pytest.raises(InputError, match="label must be a class"):
        one_hot(np.array([0, 3]), 3)
    with pytest.raises(InputError, match="classes must be at least 2"):
        unlabelled(1, 4)
    with pytest.raises(InputError, match="noise must be above 0"):
        Settings(noise=0)
    with pytest.raises(InputError, match="weight must"):
        add(process, features[0], votes[0], weight=0)
    wrong = np.ones((4, 2))
    wrong[2, 1] = np.inf
    with pytest.raises(InputError, match="row 3: latents must be finite"):
        basis_of(wrong)
    with pytest.raises(InputError, match="latents must be"):
        features_of(np.ones((3, 9)), basis_of(np.ones((3, 2))))
    with pytest.raises(InputError, match="above 0"):
        basis_of(np.ones((3, 2)), landmarks=0)
