"""Which reader; whole groups; near-duplicates; k-means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.selection.acquisition.scores import bald
from overread.selection.belief import belief_of_samples
from overread.selection.grouping import kmeans, nearest
from overread.selection.readers import choose_reads, read_information
from overread.selection.splits import near_duplicates, split_by_group

PERFECT, COIN = np.eye(2), np.full((2, 2), 0.5)
GOOD = np.array([[0.9, 0.1], [0.2, 0.8]])


def test_a_perfect_reader_tells_bald_and_a_coin_nothing() -> None:
    sampled = np.random.default_rng(0).dirichlet(np.ones(2), size=(6, 50))
    told = read_information(sampled, np.stack([PERFECT, COIN, GOOD]))
    np.testing.assert_allclose(told[:, 0], bald(belief_of_samples(sampled)), atol=1e-12)
    np.testing.assert_allclose(told[:, 1], 0, atol=1e-12)
    assert (told[:, 2] < told[:, 0]).all()


def test_information_of_a_second_read_by_enumeration() -> None:
    """I(model; second read | first read = 0), from the joint table of sample, truth and reads."""
    sampled = np.random.default_rng(1).dirichlet(np.ones(2), size=(1, 4))
    joint = np.zeros((4, 2))  # sample, second read; the first read said 0
    for s in range(4):
        for truth in range(2):
            for said in range(2):
                chance = sampled[0, s, truth] * GOOD[truth, 0] * GOOD[truth, said] / 4
                joint[s, said] += chance
    joint /= joint.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    wanted = (joint * np.log(joint / apart)).sum()
    found = read_information(sampled, GOOD[None], likelihood=GOOD[:, :1].T)
    np.testing.assert_allclose(found, [[wanted]], atol=1e-12)
    assert wanted < read_information(sampled, GOOD[None])[0, 0]  # a new case tells more


def test_choice_by_the_second() -> None:
    information = np.array([[0.5, 0.4], [0.2, 0.19], [0.0, 0.3]])
    ask = choose_reads(information, np.array([10.0, 2.0]), 2)
    assert (ask.case.tolist(), ask.reader.tolist()) == ([0, 2], [1, 1])
    allowed = np.array([[True, False], [False, False], [True, True]])
    ask = choose_reads(information, np.array([1.0, 1.0]), 5, allowed=allowed)
    assert (ask.case.tolist(), ask.reader.tolist()) == ([0, 2], [0, 1])
    with pytest.raises(InputError, match="seconds must"):
        choose_reads(information, np.array([0.0, 1.0]), 1)
    with pytest.raises(InputError, match="confusion must"):
        read_information(np.ones((1, 2, 2)), np.ones((1, 2, 2)))


@settings(deadline=None, max_examples=40)
@given(groups=st.lists(st.integers(0, 30), min_size=1, max_size=200), seed=st.integers(0, 99))
def test_no_group_is_in_two_parts(groups, seed) -> None:
    codes = np.array(groups)
    part = split_by_group(codes, (0.7, 0.0, 0.3), seed=seed)
    assert set(part.tolist()) <= {0, 2}
    for group in set(groups):
        assert len(set(part[codes == group].tolist())) == 1


def test_parts_near_their_shares_of_every_class() -> None:
    rng = np.random.default_rng(0)
    groups, classes = rng.integers(300, size=3000), rng.choice(3, size=3000, p=[0.7, 0.25, 0.05])
    part = split_by_group(groups, (0.8, 0.2), strata=classes)
    for c in range(3):
        assert (part[classes == c] == 1).mean() == pytest.approx(0.2, abs=0.03)
    with pytest.raises(InputError, match="shares must"):
        split_by_group(groups, (0.5, 0.2))
    with pytest.raises(InputError, match="groups must"):
        split_by_group(np.array([-1]), (1.0,))
    with pytest.raises(InputError, match="strata must"):
        split_by_group(groups, (1.0,), strata=classes[:5])


@pytest.mark.parametrize("latents", [3, 20])
def test_near_duplicates_are_joined_through_others(latents: int) -> None:
    points = np.zeros((5, latents))
    points[:, 0] = [0, 0.9, 1.8, 9, 9.5]
    assert near_duplicates(points, within=1).tolist() == [0, 0, 0, 1, 1]
    known = np.array([0, 1, 2, 0, 3])
    assert near_duplicates(points, within=1, groups=known).tolist() == [0] * 5
    assert near_duplicates(points, within=0).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(InputError, match="distance must"):
        near_duplicates(points, within=-1)


def test_kmeans_finds_clusters_and_survives_duplicates() -> None:
    points = np.repeat([[0.0, 0], [9, 0], [0, 9]], 20, axis=0)
    points += np.random.default_rng(0).normal(size=points.shape) * 0.1
    group, far = nearest(points, kmeans(points, 3, np.random.default_rng(1)))
    assert len(set(zip(group.tolist(), np.repeat(range(3), 20).tolist(), strict=True))) == 3
    assert far.max() < 1
    assert len(kmeans(np.ones((4, 2)), 9, np.random.default_rng(0))) == 4
