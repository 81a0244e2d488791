"""The pool: labels come, are corrected and go; settings are learned; odd pools are sane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overread.errors import InputError
from overread.selection.belief import belief_of, belief_of_samples, samples_of
from overread.selection.likelihood import Settings, grades
from overread.selection.logistic import fit_logistic, predict_logistic
from overread.selection.multilabel import findings_view, label_findings
from overread.selection.pool import (
    Pool,
    label,
    label_many,
    next_cases,
    open_pool,
    probabilities,
    tune,
    unlabel,
    view_of,
)
from overread.selection.process import one_hot
from overread.selection.tune import fair_weights, neighbours
from tests.selection.conftest import clusters


def _same(one: Pool, other: Pool) -> None:
    for name in ("mean", "variance"):
        ours, theirs = getattr(one.field, name), getattr(other.field, name)
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    np.testing.assert_allclose(one.process.mean, other.process.mean, atol=1e-9)


@pytest.mark.parametrize("ordinal", [False, True])
def test_one_by_one_corrected_undone_and_at_once(ordinal: bool) -> None:
    latents, truth = clusters()
    votes = one_hot(truth, 3)
    empty = open_pool(latents, 3, landmarks=30, settings=grades(3) if ordinal else None)
    rows = np.array([5, 9, 2, 100, 44])
    pool = empty
    for row in rows:
        pool = label(pool, int(row), votes[(row + 1) % 240])  # wrong at first
    for row in rows:
        pool = label(pool, int(row), votes[row])
    _same(pool, label_many(empty, rows, votes[rows]))
    for row in rows[1:4]:
        pool = unlabel(pool, int(row))
    _same(pool, label_many(empty, rows[[0, 4]], votes[rows[[0, 4]]]))
    for row in rows[[0, 4]]:
        pool = unlabel(pool, int(row))
    _same(pool, empty)


def test_the_model_learns_and_never_asks_twice(labelled_pool: Pool) -> None:
    _, truth = clusters()
    pool = tune(labelled_pool)
    for step in range(15):
        rows = next_cases(pool, seed=step, closed=np.array([200])).rows
        assert not set(rows.tolist()) & (set(pool.votes) | {200})
        pool = label(pool, int(rows[0]), one_hot(truth[rows], 3)[0])
    assert (probabilities(pool).argmax(axis=1) == truth).mean() > 0.9
    np.testing.assert_allclose(probabilities(pool).sum(axis=1), 1, atol=1e-9)


def test_settings_are_learned_from_noisy_labels() -> None:
    """Labels by lot: fixed settings are far too sure; learned ones are not."""
    latents, _ = clusters(400)
    truth = np.random.default_rng(7).integers(3, size=400)
    rows = np.arange(150)
    fixed = label_many(open_pool(latents, 3, landmarks=60), rows, one_hot(truth[rows], 3))
    learned = tune(fixed, thorough=True)
    assert learned.tuning is not None
    rest = np.arange(150, 400)
    sure = [probabilities(pool, rest).max(axis=1).mean() for pool in (fixed, learned)]
    assert sure[0] > 0.5
    assert sure[1] < 0.45  # a third is right
    assert learned.tuning.loss == pytest.approx(np.log(3), abs=0.1)


def test_grades_know_their_order() -> None:
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(500, 4))
    grade = np.digitize(latents[:, 0] + 0.3 * rng.normal(size=500), [-1, 0, 1])
    pool = open_pool(latents, 4, landmarks=60, settings=grades(4))
    pool = tune(label_many(pool, np.arange(150), one_hot(grade[:150], 4)))
    found = probabilities(pool, np.arange(150, 500))
    assert np.abs(found.argmax(axis=1) - grade[150:]).mean() < 0.5
    assert pool.process.mean.shape[0] == 1
    at_once, sampled = belief_of(pool.field, pool.settings), samples_of(pool.field, pool.settings)
    told = belief_of_samples(sampled)
    for name in ("mean", "variance", "expected_entropy"):
        np.testing.assert_allclose(getattr(at_once, name), getattr(told, name), atol=1e-9)
    for name in ("baba", "epig", "badge", "margin-cluster"):
        assert len(next_cases(pool, 3, name=name).rows) == 3


def test_soft_labels_of_unequal_readers() -> None:
    latents, _ = clusters()
    empty = open_pool(latents, 3, landmarks=30)
    weak = probabilities(label(empty, 3, np.array([0.4, 0.1, 0.0])), np.array([3]))[0]
    strong = probabilities(label(empty, 3, np.array([2.6, 0.1, 0.0])), np.array([3]))[0]
    assert strong[0] > weak[0] > 1 / 3


def test_one_class_only_so_far_and_all_labels_equal() -> None:
    latents, _ = clusters()
    rows = np.arange(20)
    pool = label_many(open_pool(latents, 3, landmarks=30), rows, one_hot(np.zeros(20), 3))
    tuned = tune(pool)
    assert tuned.settings == pool.settings
    found = probabilities(tuned)
    assert np.isfinite(found).all()
    assert found[:20, 0].min() > 0.5
    assert len(next_cases(tuned, 5).rows) == 5
    ordinal = label_many(open_pool(latents, 3, settings=grades(3)), rows, one_hot(rows * 0, 3))
    assert np.isfinite(probabilities(tune(ordinal))).all()
    assert tune(open_pool(latents, 3)).votes == {}


def test_constant_latents_and_duplicates() -> None:
    pool = open_pool(np.ones((12, 3)), 2)
    pool = tune(label_many(pool, np.arange(6), one_hot(np.arange(6) % 2, 2)))
    np.testing.assert_allclose(probabilities(pool), 0.5, atol=0.1)
    assert len(next_cases(pool, 9).rows) == 6
    twins = np.repeat(clusters(20)[0], 3, axis=0)
    pool = label(open_pool(twins, 2), 0, np.array([1.0, 0.0]))
    np.testing.assert_allclose(probabilities(pool)[0], probabilities(pool)[2], atol=1e-9)


def test_a_large_pool_is_bounded_and_labels_outside_the_candidates_count() -> None:
    latents, truth = clusters(600)
    pool = open_pool(latents, 3, landmarks=30, candidates=100)
    assert len(pool.rows) == 100
    outside = np.setdiff1d(np.arange(600), pool.rows)[:40]
    pool = label_many(pool, outside, one_hot(truth[outside], 3))
    pool = label(pool, int(outside[0]), one_hot(truth[outside[:1]], 3)[0])
    tuned = tune(pool)
    assert len(tuned.rows) == 100
    assert (probabilities(tuned).argmax(axis=1) == truth).mean() > 0.85
    unsure = -np.abs(np.diff(np.sort(probabilities(tuned), axis=1)[:, -2:], axis=1))[:, 0]
    assert set(np.argsort(-unsure)[:50].tolist()) <= set(tuned.rows.tolist())
    in_single = open_pool(latents.astype(np.float32), 3, landmarks=30)
    assert probabilities(in_single).shape == (600, 3)


def test_stale_and_neighbours() -> None:
    latents, truth = clusters()
    pool = open_pool(latents, 3)
    assert not pool.stale
    pool = label_many(pool, np.arange(10), one_hot(truth[:10], 3))
    assert pool.stale
    assert not tune(pool).stale
    assert neighbours((1.0, 2.0, 4.0), 2.1) == (1.0, 2.0, 4.0)
    assert neighbours((1.0, 2.0, 4.0), 0.1) == (1.0, 2.0)


def test_fair_weights_give_the_pool_its_shares() -> None:
    rng = np.random.default_rng(0)
    pool, chosen = rng.uniform(size=5000), rng.uniform(size=300) ** 3
    weight = fair_weights(chosen, pool)
    assert weight.mean() == pytest.approx(1)
    assert np.average(chosen, weights=weight) == pytest.approx(0.5, abs=0.05)
    gentle = fair_weights(chosen, pool, ordinal=True)
    assert gentle.mean() == pytest.approx(1)
    np.testing.assert_allclose(gentle**2 / (gentle**2).sum(), weight / weight.sum(), rtol=1e-9)


def test_several_findings_at_once() -> None:
    latents, truth = clusters()
    pools = tuple(open_pool(latents, 2, landmarks=30) for _ in range(3))
    for row in range(30):
        answers = one_hot((truth[row] == np.arange(3)).astype(int), 2)
        answers[1] *= row % 2  # one finding is answered for every other case only
        pools = label_findings(pools, row, answers)
    assert [len(pool.votes) for pool in pools] == [30, 15, 30]
    view = findings_view(pools)
    assert not view.labelled[0]  # its second finding was never answered
    assert view.open[0]
    heavy = findings_view(pools, weight=np.array([1e6, 1.0, 1.0]))
    np.testing.assert_allclose(heavy.belief.mean, view_of(pools[0]).belief.mean)
    with pytest.raises(InputError, match="votes must"):
        label_findings(pools, 0, np.ones((2, 2)))
    with pytest.raises(InputError, match="pools must"):
        findings_view(())


def test_logistic_equals_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    latents, truth = clusters(100)
    weights = fit_logistic(latents, one_hot(truth, 3), penalty=0.5)
    peer = LogisticRegression(C=2.0, tol=1e-8, max_iter=2000).fit(latents, truth)
    ours = predict_logistic(weights, latents)
    np.testing.assert_allclose(ours, peer.predict_proba(latents), atol=1e-3)


def test_bad_input_of_pools(labelled_pool: Pool) -> None:
    with pytest.raises(InputError, match=r"row must be in 0 \.\. 239"):
        label(labelled_pool, 240, np.array([1.0, 0, 0]))
    with pytest.raises(InputError, match="row 2: case must have a label"):
        unlabel(labelled_pool, 1)
    with pytest.raises(InputError, match="different cases"):
        label_many(labelled_pool, np.array([1, 1]), np.eye(3)[:2])
    with pytest.raises(InputError, match="scores must be one for each of 4"):
        open_pool(np.ones((3, 2)), 4, settings=grades(3))
    with pytest.raises(InputError, match="cuts must ascend"):
        replace(grades(3), cuts=(1.0, 0.0))
    with pytest.raises(InputError, match="lapse must"):
        Settings(lapse=1.0)
    with pytest.raises(InputError, match="one fewer"):
        Settings(cuts=(0.0,))
    with pytest.raises(InputError, match="classes must"):
        grades(1)
