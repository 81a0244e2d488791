"""Replays: what is asked for is what is measured; figures against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, log_loss

from overread.errors import InputError
from overread.selection.quality import calibration_error, quality_of
from overread.selection.replay import STANDARD, Strategy, replay
from tests.selection.conftest import clusters


def test_quality_is_that_of_sklearn() -> None:
    rng = np.random.default_rng(0)
    p, truth = rng.dirichlet(np.ones(4), size=200), rng.integers(4, size=200)
    said = p.argmax(axis=1)
    found = quality_of(p, truth, ordinal=True)
    assert found.accuracy == pytest.approx((said == truth).mean())
    assert found.balanced == pytest.approx(balanced_accuracy_score(truth, said))
    assert found.nll == pytest.approx(log_loss(truth, p))
    median = (np.cumsum(p, axis=1) < 0.5).sum(axis=1)
    assert found.kappa == pytest.approx(cohen_kappa_score(truth, median, weights="quadratic"))
    assert found.mae == pytest.approx(np.abs(median - truth).mean())
    assert np.isnan(quality_of(p, truth).kappa)


def test_calibration_error_by_hand() -> None:
    confidence, right = np.array([0.9, 0.9, 0.55, 0.55]), np.array([True, True, True, False])
    assert calibration_error(confidence, right) == pytest.approx((0.2 + 0.1) / 4)


def test_a_class_that_does_not_occur_has_no_recall() -> None:
    found = quality_of(np.array([[0.8, 0.2, 0.0], [0.3, 0.7, 0.0]]), np.array([0, 1]))
    assert found.balanced == 1.0
    assert np.isnan(found.recall[2])
    with pytest.raises(InputError, match="truth must"):
        quality_of(np.ones((2, 2)) / 2, np.array([0, 5]))


@pytest.mark.parametrize("name", ["margin-cluster", STANDARD])
@pytest.mark.parametrize("ordinal", [False, True])
def test_replay_asks_each_case_once_and_never_a_held_back_one(name, ordinal) -> None:
    latents, truth = clusters(90)
    test = np.arange(0, 90, 4)
    how = Strategy(name, "random", batch=10)
    marks = np.array([10, 20])
    found = replay(
        latents, truth, test, n_classes=3, marks=marks, strategy=how, ordinal=ordinal, seed=1
    )
    train = np.setdiff1d(np.arange(90), test)
    assert len(set(found.order.tolist())) == len(found.order) == 20
    assert found.order.max() < len(train)
    assert [one.cases for one in found.held_back] == [len(test)] * 2
    assert found.held_back[1].accuracy > 0.6
    assert np.isnan(found.held_back[1].kappa) is not ordinal
    assert found.pool[1] > 0.6


def test_all_labelled_means_all_right() -> None:
    latents, truth = clusters(60)
    every = Strategy("random", "random", batch=100)
    found = replay(latents, truth, np.arange(10), n_classes=3, marks=np.array([50]), strategy=every)
    assert found.pool.tolist() == [1.0]


def test_readers_who_err_teach_what_they_say_and_are_measured_on_the_truth() -> None:
    latents, truth = clusters(90)
    test = np.arange(0, 90, 4)
    train = np.setdiff1d(np.arange(90), test)
    said = np.where(np.arange(90) % 3 == 0, (truth + 1) % 3, truth)  # one in three is wrong
    every = Strategy("random", "random", batch=100)
    told = {"n_classes": 3, "marks": np.array([len(train)]), "strategy": every}
    wrong = replay(latents, truth, test, votes=np.eye(3)[said], **told)
    assert wrong.pool[0] == pytest.approx((said == truth)[train].mean())
    assert wrong.held_back[0].accuracy > 0.8  # most are right, and the truth decides
    votes = 3 * np.eye(3)[truth] + 2 * np.eye(3)[said]  # of five readers two err there
    assert replay(latents, truth, test, votes=votes, **told).pool[0] == 1.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"votes": np.ones((59, 3))}, "votes must"),
        ({"marks": np.array([5, 4])}, "marks must"),
        ({"marks": np.array([61])}, "marks must"),
        ({"test": np.arange(0)}, "held-back cases must"),
    ],
)
def test_bad_replays(given, words) -> None:
    latents, truth = clusters(60)
    right = {"test": np.arange(10), "marks": np.array([5]), "n_classes": 3}
    with pytest.raises(InputError, match=words):
        replay(latents, truth, **(right | given))


@pytest.mark.parametrize(
    "bad", [{"acquisition": "best"}, {"start": "margin"}, {"batch": -1}, {"random_share": 2.0}]
)
def test_bad_strategies(bad) -> None:
    with pytest.raises(InputError):
        Strategy(**bad)


@pytest.mark.parametrize("name", ["bald-first", "margin-cluster", "epig", "badge", "class-quota"])
def test_another_model_is_asked_for_every_batch(name) -> None:
    latents, truth = clusters(90)
    test = np.arange(0, 90, 4)
    fitted: list[int] = []

    def sampler(own, votes, cases, seed):
        """Nearest labelled case, with some doubt that differs between the samples."""
        assert seed == 3
        fitted.append(len(own))
        near = ((cases[:, None] - own[None]) ** 2).sum(axis=2).argmin(axis=1)
        sure = votes[near][:, None, :] * np.array([0.7, 0.9])[:, None]
        return sure + (1 - sure.sum(axis=2, keepdims=True)) / votes.shape[1]

    found = replay(
        latents, truth, test, n_classes=3, marks=np.array([12, 20]), seed=3, sampler=sampler,
        strategy=Strategy(name, "random", batch=6, model="near"),
    )  # fmt: skip
    assert fitted == [6, 12, 12, 18, 20, 20]  # for each batch, and for each measurement
    assert len(set(found.order.tolist())) == 20
    assert found.held_back[1].accuracy > 0.6


def test_a_model_is_named_and_given_or_neither() -> None:
    latents, truth = clusters(30)
    told = {"n_classes": 3, "marks": np.array([10])}
    with pytest.raises(InputError, match="sampler must be given for the model"):
        replay(latents, truth, np.arange(5), strategy=Strategy(model="near"), **told)
    with pytest.raises(InputError, match="sampler must be given for the model"):
        replay(latents, truth, np.arange(5), sampler=lambda *_: None, **told)
    with pytest.raises(InputError, match="spread must go with"):
        Strategy(spread=True, model="near")
    with pytest.raises(InputError, match="model must be left out"):
        Strategy(STANDARD, "random", model="near")
