"""Labels that spread: against the closed form, group by group, and whether that is believed."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.selection.estimator import DirichletProcessClassifier
from overread.selection.propagation import LEAST_GROUPS, propagate, surroundings, verdict
from overread.selection.replay import STANDARD, Strategy, replay


def moons(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Two chains: neighbours share a class, ends are far from each other."""
    along = np.linspace(0, 10, count)
    points = np.concatenate(
        [np.stack([along, np.zeros(count)], 1), np.stack([along, np.ones(count)], 1)]
    )
    return points, np.repeat([0, 1], count)


def test_neighbours_are_of_other_groups_and_each_group_speaks_once() -> None:
    points = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [6.0]])
    groups = np.array([0, 0, 1, 1, 2, 3])
    around = surroundings(points, groups, neighbours=2).toarray()
    np.testing.assert_allclose(around.sum(axis=1), 1)
    assert (around[groups[:, None] == groups[None, :]] == 0).all()
    assert np.flatnonzero(around[0]).tolist() == [2, 4]  # of patient 1 the nearer picture alone
    alone = surroundings(points, np.zeros(6, dtype=np.int64), neighbours=2)
    assert alone.sum() == 0
    same = np.full((6, 2), 0.5)
    none = np.array([], dtype=np.int64)
    np.testing.assert_allclose(propagate(alone, same, none, same[:0]), same)
    with pytest.raises(InputError, match="each with a group"):
        surroundings(points, groups[:3])


def test_spreading_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3))
    around = surroundings(points, np.arange(40), neighbours=5)
    start = rng.dirichlet([1, 1, 1], size=40)
    none = np.array([], dtype=np.int64)
    found = propagate(around, start, none, start[:0], share=0.5)
    # (I - a S) F = (1 - a) B
    wanted = np.linalg.solve(np.eye(40) - 0.5 * around.toarray(), 0.5 * start)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    kept = propagate(around, start, np.array([3]), np.array([[0.0, 2.0, 0.0]]), share=0.0)
    np.testing.assert_allclose(kept[3], [0, 1, 0])
    np.testing.assert_allclose(np.delete(kept, 3, 0), np.delete(start, 3, 0))
    with pytest.raises(InputError, match="share"):
        propagate(around, start, none, start[:0], share=1.0)


def test_a_label_follows_its_chain_and_the_verdict_sees_it() -> None:
    points, truth = moons()
    known = np.array([0, 60])
    flat = np.full((120, 2), 0.5)
    around = surroundings(points, np.arange(120), neighbours=2)
    made = propagate(around, flat, known, np.eye(2), share=0.95)
    assert (made.argmax(axis=1) == truth)[[1, 2, 61, 62]].all()
    found = verdict(flat, np.where(np.eye(2)[truth] > 0, 0.8, 0.2), truth, np.arange(120))
    assert (found.on, found.groups) == (True, 120)
    assert found.gain == pytest.approx(np.log(0.8) - np.log(0.5))
    assert "spread to unlabelled cases: loss 0.693 without, 0.223 with" in found.words


def test_it_is_off_where_nothing_is_known_or_cases_of_a_patient_are_counted_once() -> None:
    truth = np.zeros(60, dtype=np.int64)
    better = np.tile([0.8, 0.2], (60, 1))
    flat = np.full((60, 2), 0.5)
    few = verdict(flat, better, truth, np.arange(60) % (LEAST_GROUPS - 1))
    assert not few.on
    assert "19 groups are held back, and 20 are needed" in few.words
    # one patient of many cases gains, all others lose a little: by patient nothing is gained
    groups = np.r_[np.zeros(31), np.arange(1, 30)].astype(np.int64)
    mixed = np.where((groups == 0)[:, None], better, np.array([0.45, 0.55]))
    found = verdict(flat, mixed, truth, groups)
    assert not found.on
    assert found.gain < 0 < (np.log(mixed[:, 0]) - np.log(0.5)).mean()


def test_replay_and_estimator_spread_where_asked() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 80)
    latents = rng.normal(size=(80, 3)) + 2.5 * truth[:, None]
    test = np.arange(20)
    about = {"n_classes": 2, "marks": np.array([8]), "groups": np.arange(80) // 2}
    one = replay(latents, truth, test, strategy=Strategy("random", "random"), **about)
    other = replay(
        latents, truth, test, strategy=Strategy("random", "random", spread=True), **about
    )
    assert (one.order == other.order).all()
    assert one.held_back[0].accuracy != other.held_back[0].accuracy or (
        one.held_back[0] != other.held_back[0]
    )
    with pytest.raises(InputError, match="spread"):
        Strategy(STANDARD, "random", spread=True)
    model = DirichletProcessClassifier(spread=True, learn=False).fit(latents[:10], truth[:10])
    said = model.predict_proba(latents[10:])
    np.testing.assert_allclose(said.sum(axis=1), 1)
    plain = model.set_params(spread=False).predict_proba(latents[10:])
    assert not np.allclose(said, plain)
