"""Settings are learned: against refits and brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as told
from hypothesis import strategies as st

from overread.selection.basis import basis_of, features_of
from overread.selection.belief import mean_of
from overread.selection.likelihood import Settings, grades
from overread.selection.pool import label_many, open_pool, probabilities, tune
from overread.selection.process import field_of, fit, one_hot
from overread.selection.tune import Tried, at_start, averaged, finished, tried_settings
from tests.selection.conftest import clusters


def _labels(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    latents, truth = clusters(n)
    return features_of(latents, basis_of(latents, landmarks=12)), one_hot(truth, 3)


@pytest.mark.parametrize("start", [Settings(), grades(3)])
def test_losses_are_those_of_refits_without_each_label(start: Settings) -> None:
    features, votes = _labels()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(votes))
    tried = tried_settings(
        features, votes, start, weight=weight, noises=(0.05, 0.3), variances=(2.0,)
    )
    assert len(tried.settings) == len(tried.losses) == 16
    for at in (0, 5, 11):
        lost = np.empty(len(votes))
        for i in range(len(votes)):
            keep = np.arange(len(votes)) != i
            process = fit(features[keep], votes[keep], settings=tried.settings[at])
            alone = mean_of(field_of(process, features[i : i + 1]), tried.settings[at])[0]
            lost[i] = -np.log(alone[votes[i].argmax()])
        assert tried.losses[at] == pytest.approx(np.average(lost, weights=weight), abs=1e-6)


@told(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0.1, 3), min_size=2, max_size=6), st.integers(1, 60), st.integers(0, 2**32)
)
def test_the_mean_of_settings_by_brute_force(losses: list[float], labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = np.exp(rng.normal(size=(len(losses), 4)))
    every = [Settings(*map(float, one)) for one in drawn]
    split = [Tried(tuple(every[:1]), np.array(losses[:1]))]
    split += [Tried(tuple(every[1:]), np.array(losses[1:]))]
    found = averaged(split, labels)
    part = np.array([
        np.exp(-labels * (loss - min(losses))) * np.exp(-2 * np.log(one.temperature) ** 2)
        for loss, one in zip(losses, every, strict=True)
    ])  # fmt: skip
    wanted = np.exp((part[:, None] * np.log(drawn)).sum(axis=0) / part.sum())
    got = [found.noise, found.variance, found.length, found.temperature]
    np.testing.assert_allclose(got, wanted, rtol=1e-9)
    assert (np.array(got) <= drawn.max(axis=0) * (1 + 1e-9)).all()
    assert (np.array(got) >= drawn.min(axis=0) * (1 - 1e-9)).all()


def test_many_labels_give_the_best_settings_and_few_a_mean() -> None:
    some = (Settings(variance=1.0), Settings(variance=100.0))
    tried = Tried(some, np.array([0.5, 0.6]))
    assert averaged([tried], 10_000).variance == pytest.approx(1.0)
    assert averaged([tried], 1).variance == pytest.approx(10, rel=0.2)
    even = Tried(some, np.array([0.5, 0.5]))
    assert averaged([even], 10_000).variance == pytest.approx(10)


def test_the_last_of_the_temperature_and_the_cuts() -> None:
    features, votes = _labels(60)
    soft = finished(features, votes, Settings(temperature=0.3))
    assert soft.settings.temperature > 0.3  # clusters are told apart well: sharper than that
    assert replace(soft.settings, temperature=0.3) == Settings(temperature=0.3)
    start = at_start(votes, grades(3))
    assert start.lapse == pytest.approx(3 / 123)
    learned = finished(features, votes, start)
    assert learned.settings.scores == start.scores
    assert learned.settings.cuts != start.cuts
    assert learned.left_out.shape == (60, 3)


def test_labels_that_the_latents_have_seen_do_not_tell_how_sure_the_process_may_be() -> None:
    """Latents that give shown labels away: the other labels know better."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=400)
    shown = rng.random(400) < 0.7
    told = np.where(shown, truth, rng.integers(3, size=400))  # of the others: by lot
    latents = 6 * np.eye(3)[told] + rng.normal(size=(400, 3))
    rows = np.arange(240)
    test = np.flatnonzero(~shown & (np.arange(400) >= 240))
    lost = {}
    for judges in (None, ~shown):
        pool = open_pool(latents, 3, judges=judges, seed=0)
        pool = tune(label_many(pool, rows, one_hot(truth[rows], 3)), thorough=True)
        found = probabilities(pool, test)
        lost[judges is None] = -np.log(found[np.arange(len(test)), truth[test]]).mean()
        assert pool.tuning is not None
        assert pool.tuning.left_out.shape == (240, 3)
    assert lost[False] < lost[True] - 0.2
    assert lost[False] < 1.2  # ln 3 = 1.1: that nothing is known of them


def test_too_few_that_may_judge_leave_it_to_all() -> None:
    latents, truth = clusters(90)
    votes, rows = one_hot(truth, 3), np.arange(60)
    found = []
    for judges in (None, np.ones(90, dtype=bool), np.arange(90) < 10):
        pool = tune(label_many(open_pool(latents, 3, judges=judges), rows, votes[rows]))
        found.append(pool.settings)
    assert found[0] == found[1] == found[2]
    assert (
        tune(
            label_many(open_pool(latents, 3, judges=np.arange(90) < 30), rows, votes[rows])
        ).settings
        != found[0]
    )
