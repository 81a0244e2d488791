"""Acquisition functions: published vectors, quadrature, brute force, and one contract for all."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from overread.errors import InputError
from overread.selection.acquisition.adaptive import ignorance, noise_share
from overread.selection.acquisition.epig import draws_of, information_between
from overread.selection.acquisition.scores import (
    balanced_entropy_score,
    bald,
    entropy,
    least_confidence,
    margin,
    marginal_joint_entropy,
    soft_ranked,
)
from overread.selection.acquisition.table import ACQUISITIONS, DEFAULT, asked_now, choose
from overread.selection.acquisition.view import View
from overread.selection.belief import belief_of, belief_of_samples, entropy_of, samples_of
from overread.selection.pool import Pool, view_of

# mean, variance, H, MJEnt, score: shared/methods.md section 5
VECTORS = [
    ([0.5] * 2, [1 / 12] * 2, 0.693147, 0.500000, 2.772589),
    ([0.5] * 2, [0.01] * 2, 0.693147, -0.212201, -0.153070),
    ([0.5] * 2, [1e-4] * 2, 0.693147, -2.493285, -1.798525),
    ([0.7, 0.3], [0.0625] * 2, 0.610864, 0.171117, 7.620601),
    ([0.99, 0.01], [1e-4] * 2, 0.056002, -3.553550, -4.743451),
    ([1 / 3] * 3, [1 / 18] * 3, 1.098612, 0.973519, 1.840497),
    ([0.5, 0.25, 0.25], [0.05, 0.0375, 0.0375], 1.039721, 0.804814, 2.153128),
    ([0.6, 0.3, 0.1], [0.04, 0.03, 0.006], 0.897946, 0.466393, 3.411487),
    ([0.1] * 10, [0.09 / 11] * 10, 2.302585, 1.420633, 2.108731),
]


@pytest.mark.parametrize(("mean", "variance", "total", "joint", "score"), VECTORS)
def test_baba_vectors(mean, variance, total, joint, score) -> None:
    m, v = np.array([mean]), np.array([variance])
    found = marginal_joint_entropy(m, v)
    np.testing.assert_allclose([found[0][0], found[1][0]], [joint, total], atol=1e-6)
    np.testing.assert_allclose(balanced_entropy_score(m, v), [score], atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(mean=st.floats(0.1, 0.9), part=st.floats(0.02, 0.6))
def test_joint_entropy_is_the_integral(mean, part) -> None:
    """Minus the integral of p f(p) ln(p f(p)), by the trapezoid rule in the logit of p."""
    t = np.linspace(-400, 400, 16_001)
    log_x, log_rest = -np.logaddexp(0, -t), -np.logaddexp(0, t)
    total = 0.0
    for m in (mean, 1 - mean):
        times = 1 / part - 1
        a, b = m * times, (1 - m) * times
        log_pf = a * log_x + (b - 1) * log_rest - betaln(a, b)
        total -= (np.exp(log_pf + log_x + log_rest) * log_pf).sum() * (t[1] - t[0])
    m = np.array([[mean, 1 - mean]])
    joint, _ = marginal_joint_entropy(m, part * m * (1 - m))
    np.testing.assert_allclose(joint[0], total, atol=1e-6)


def test_nothing_uncertain_is_never_asked() -> None:
    score = balanced_entropy_score(np.array([[0.5, 0.5], [1.0, 0.0]]), np.zeros((2, 2)))
    assert np.isneginf(score).all()


def test_scores_by_hand() -> None:
    sampled = np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]], [[1, 0], [1, 0]]])
    belief = belief_of_samples(sampled.astype(float))
    np.testing.assert_allclose(least_confidence(belief), [0.5, 0.5, 0])
    np.testing.assert_allclose(margin(belief), [0, 0, -1])
    np.testing.assert_allclose(entropy(belief), [np.log(2), np.log(2), 0])
    inner = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    np.testing.assert_allclose(bald(belief), [np.log(2) - inner, 0, 0], atol=1e-12)


def test_moments_without_samples_are_those_of_the_samples(labelled_pool: Pool) -> None:
    softer = replace(labelled_pool.settings, temperature=0.7)
    at_once = belief_of(labelled_pool.field, softer)
    sampled = belief_of_samples(samples_of(labelled_pool.field, softer))
    for name in ("mean", "variance", "expected_entropy"):
        np.testing.assert_allclose(getattr(at_once, name), getattr(sampled, name), atol=1e-12)


def test_information_between_cases_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    sampled = rng.dirichlet(np.ones(3), size=(4, 7))
    others = rng.dirichlet(np.ones(3), size=(5, 7))
    found = information_between(sampled, others)
    for i in range(4):
        each = []
        for t in range(5):
            gain = 0.0
            for k, m in itertools.product(range(3), range(3)):
                joint = (sampled[i, :, k] * others[t, :, m]).mean()
                apart = sampled[i, :, k].mean() * others[t, :, m].mean()
                gain += joint * np.log(joint / apart)
            each.append(gain)
        np.testing.assert_allclose(found[i], np.mean(each), atol=1e-12)


def test_functions_drawn_have_the_moments_of_the_field(labelled_pool: Pool) -> None:
    process = labelled_pool.process
    drawn = draws_of(process, labelled_pool.features[:40], np.random.default_rng(0), draws=4000)
    np.testing.assert_allclose(
        drawn.mean(axis=1),
        belief_of(labelled_pool.field, process.settings, samples=4096).mean[:40],
        atol=0.03,
    )


def test_an_order_looks_at_the_noise(labelled_pool: Pool) -> None:
    view = view_of(labelled_pool)
    for level, name in ((0.05, "margin-cluster"), (0.6, "epig")):
        noise = np.full(len(view.open), level * np.log(3))
        seen = replace(view, belief=replace(view.belief, expected_entropy=noise))
        assert noise_share(seen) == pytest.approx(level)
        same_choice("adaptive", name, seen)


def test_the_default_looks_at_what_the_model_does_not_know(labelled_pool: Pool) -> None:
    view = view_of(labelled_pool)
    doubt = entropy_of(view.belief.mean)
    for share, name in ((0.3, "margin-cluster"), (0.4, "bald")):
        belief = replace(view.belief, expected_entropy=(1 - share) * doubt)
        seen = replace(view, belief=belief)
        assert ignorance(seen) == pytest.approx(share)
        assert asked_now(DEFAULT, seen) is ACQUISITIONS[name]
        same_choice(DEFAULT, name, seen)
    sure = replace(view.belief, mean=np.eye(3)[np.zeros(len(doubt), dtype=int)])
    assert ignorance(replace(view, belief=replace(sure, expected_entropy=0 * doubt))) == 0


def same_choice(name: str, as_: str, view: View) -> None:
    chosen = ACQUISITIONS[name].choose(view, 5, np.random.default_rng(1))
    wanted = ACQUISITIONS[as_].choose(view, 5, np.random.default_rng(1))
    np.testing.assert_array_equal(chosen, wanted)


def test_several_findings_have_no_one_process(labelled_pool: Pool) -> None:
    view = replace(view_of(labelled_pool), single=False)
    rng = np.random.default_rng(1)
    wanted = ACQUISITIONS["bald"].choose(view, 5, rng)
    np.testing.assert_array_equal(ACQUISITIONS["epig"].choose(view, 5, rng), wanted)


def test_functions_of_a_singular_process_are_drawn(labelled_pool: Pool) -> None:
    process = labelled_pool.process
    flat = replace(process, covariance=np.zeros_like(process.covariance))
    drawn = draws_of(flat, labelled_pool.features[:3], np.random.default_rng(0), draws=4)
    np.testing.assert_allclose(drawn, drawn[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize("name", ACQUISITIONS)
@pytest.mark.parametrize("count", [1, 7, 10_000])
def test_contract(name: str, count: int, labelled_pool: Pool) -> None:
    """Open rows, all different, as many as asked or as there are; the view is as it was."""
    view = view_of(labelled_pool, closed=np.array([1, 3, 5]))
    kept = [np.copy(part) for part in (view.places, view.open, view.features, view.belief.mean)]
    how = ACQUISITIONS[name]
    rows = how.choose(view, count, np.random.default_rng(5))
    assert len(rows) == min(count, int(view.open.sum()))
    assert len(set(rows.tolist())) == len(rows)
    assert view.open[rows].all()
    again = how.choose(view, count, np.random.default_rng(5))
    np.testing.assert_array_equal(rows, again)
    now = (view.places, view.open, view.features, view.belief.mean)
    for before, after in zip(kept, now, strict=True):
        np.testing.assert_array_equal(before, after)
    if how.score is not None:
        score = how.score(view.belief)
        assert score.shape == view.open.shape
        assert not np.isnan(score).any()
        assert score[rows].tolist() == sorted(score[view.open].tolist(), reverse=True)[: len(rows)]


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_contract_on_the_edge(name: str, labelled_pool: Pool) -> None:
    """Nothing open; one case open; all cases alike."""
    view = view_of(labelled_pool)
    rng = np.random.default_rng(0)
    none = replace(view, open=np.zeros_like(view.open))
    assert len(ACQUISITIONS[name].choose(none, 3, rng)) == 0
    one = none.open.copy()
    one[17] = True
    assert ACQUISITIONS[name].choose(replace(view, open=one), 3, rng).tolist() == [17]
    alike = replace(view, places=np.zeros_like(view.places), features=np.ones_like(view.features))
    assert len(set(ACQUISITIONS[name].choose(alike, 9, rng).tolist())) == 9


@pytest.mark.parametrize("name", [n for n, how in ACQUISITIONS.items() if how.score])
def test_scores_follow_a_new_order_of_classes_and_cases(name: str, labelled_pool: Pool) -> None:
    belief = view_of(labelled_pool).belief
    score = ACQUISITIONS[name].score
    assert score is not None
    cases = np.random.default_rng(0).permutation(len(belief.mean))
    turned = replace(
        belief, mean=belief.mean[cases][:, ::-1], variance=belief.variance[cases][:, ::-1],
        expected_entropy=belief.expected_entropy[cases],
    )  # fmt: skip
    np.testing.assert_allclose(score(turned), score(belief)[cases], rtol=1e-9, atol=1e-12)


def test_random_share_and_parallel_readers(labelled_pool: Pool) -> None:
    view = view_of(labelled_pool)
    rng = np.random.default_rng(0)
    lots = [choose(view, 20, rng, random_share=0.3).by_lot for _ in range(200)]
    assert np.mean(lots) == pytest.approx(0.3, abs=0.02)
    both = [
        choose(view, 5, np.random.default_rng(i), name="entropy", parallel=True).rows.tolist()
        for i in (1, 2)
    ]
    assert both[0] != both[1]
    with pytest.raises(InputError, match="count and random share"):
        choose(view, -1, rng)
    with pytest.raises(InputError, match="acquisition must be one of bald-first"):
        choose(view, 1, rng, name="best")


def test_what_is_awaited_keeps_its_near_copies_from_being_asked(labelled_pool: Pool) -> None:
    view = view_of(labelled_pool)
    order = scores_order(view)
    first, second = order[0], order[1]
    places = view.places.copy()
    places[second] = places[first] + 1e-6  # the least sure but one is its copy
    open_ = view.open.copy()
    open_[first] = False
    asked = replace(view, places=places, open=open_)
    alone = choose(asked, 1, np.random.default_rng(0), name="margin-cluster").rows
    assert alone.tolist() == [second]
    awaited = np.zeros(len(open_), dtype=bool)
    awaited[first] = True
    beside = replace(asked, awaited=awaited)
    for seed in range(5):
        chosen = choose(beside, 1, np.random.default_rng(seed), name="margin-cluster").rows
        assert len(chosen) == 1
        assert chosen[0] != second
        assert len(set(choose(beside, 4, np.random.default_rng(seed)).rows.tolist())) == 4
    every = choose(beside, len(open_), np.random.default_rng(0), name="margin-cluster").rows
    assert set(every.tolist()) == set(np.flatnonzero(open_).tolist())


def scores_order(view: View) -> list[int]:
    """Open rows, the smallest margin first."""
    return ACQUISITIONS["margin"].choose(view, len(view.open), np.random.default_rng(0)).tolist()


def test_soft_rank_draws_the_first_as_often_as_its_rank_says() -> None:
    rng = np.random.default_rng(0)
    score = np.array([3.0, 2.0, 1.0, -np.inf])
    first = [int(soft_ranked(score, rng).argmax()) for _ in range(4000)]
    share = np.bincount(first, minlength=4) / 4000
    wanted = np.array([1, 1 / 2, 1 / 3, 0])
    np.testing.assert_allclose(share, wanted / wanted.sum(), atol=0.025)
