"""STAPLE against SimpleITK, brute force and its own likelihood."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own convention)
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus.mask_patterns import vote_patterns
from overread.consensus.staple import multi_label_staple_arrays, staple_arrays
from overread.errors import InputError


def itk_staple(masks, most_iterations=None):
    peer = sitk.STAPLEImageFilter()
    peer.SetForegroundValue(1.0)
    if most_iterations is not None:
        peer.SetMaximumIterations(most_iterations)
    found = peer.Execute([sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    quality = np.array(peer.GetSensitivity()), np.array(peer.GetSpecificity())
    return sitk.GetArrayFromImage(found), *quality, peer.GetElapsedIterations()


def noisy(seed, shape, n_reads, share=0.3):
    rng = np.random.default_rng(seed)
    truth = rng.random(shape) < share
    wrong = rng.uniform(0.02, 0.3, n_reads)
    return [np.where(rng.random(shape) < w, ~truth, truth).astype(np.uint8) for w in wrong]


def assert_same(masks, most_iterations=None):
    peer = itk_staple(masks, most_iterations)
    limit = {} if most_iterations is None else {"max_iterations": most_iterations}
    ours = staple_arrays(masks, **limit)
    np.testing.assert_allclose(ours.sensitivity, peer[1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(ours.specificity, peer[2], rtol=0, atol=1e-13)
    np.testing.assert_allclose(ours.probability, peer[0], rtol=0, atol=1e-12)
    assert ours.iterations == peer[3]


@pytest.mark.parametrize("shape", [(37, 41), (9, 17, 20)])
@pytest.mark.parametrize("n_reads", range(2, 9))
def test_equals_itk(shape, n_reads):
    for seed in range(3):
        assert_same(noisy(100 * seed + n_reads, shape, n_reads))


@pytest.mark.parametrize("most", [1, 2, 5])
def test_equals_itk_when_stopped_early(most):
    assert_same(noisy(3, (30, 30), 4), most)


def test_equals_itk_with_one_reader_all_background():
    masks = noisy(4, (30, 30), 3)
    masks[1][:] = 0
    assert_same(masks)


def test_equals_itk_when_all_agree():
    assert_same([noisy(5, (20, 20), 1)[0]] * 3)


def test_equals_itk_with_one_read():
    assert_same(noisy(6, (20, 20), 1))


def test_equals_itk_beyond_eight_reads():
    assert_same(noisy(7, (40, 40), 12))


def test_many_reads_are_renumbered_not_packed():
    assert_same(noisy(8, (25, 25), 20))


def test_three_hundred_reads_do_not_underflow():
    rng = np.random.default_rng(0)
    truth = rng.random((12, 12)) < 0.4
    masks = [np.where(rng.random(truth.shape) < 0.45, ~truth, truth) for _ in range(1500)]
    found = staple_arrays(masks)
    assert np.isfinite(found.probability).all()
    assert ((found.probability > 0.5) == truth).mean() > 0.95


@pytest.mark.parametrize("value", [0, 1])
def test_nothing_or_everything_marked_is_no_nan_image(value):
    found = staple_arrays([np.full((4, 5), value, np.uint8)] * 3)
    assert (found.probability == value).all()
    defined, undefined = found.specificity, found.sensitivity
    if value:
        defined, undefined = undefined, defined
    assert (defined == 1).all()
    assert np.isnan(undefined).all()


def test_255_and_booleans_and_floats_are_foreground():
    masks = noisy(9, (15, 15), 3)
    plain = staple_arrays(masks).probability
    for other in ([m * 255 for m in masks], [m > 0 for m in masks], [m * 1.0 for m in masks]):
        assert np.array_equal(staple_arrays(other).probability, plain)
    assert np.array_equal(staple_arrays([m.T for m in masks]).probability, plain.T)


def test_float32_is_the_rounded_float64():
    masks = noisy(10, (15, 15), 3)
    half = staple_arrays(masks, dtype=np.float32).probability
    assert half.dtype == np.float32
    assert np.array_equal(half, staple_arrays(masks).probability.astype(np.float32))


def test_disagreement_region_does_not_see_the_background():
    masks = noisy(11, (20, 20), 4)
    wide = [np.pad(m, 50) for m in masks]
    small = staple_arrays(masks, region="disagreement")
    large = staple_arrays(wide, region="disagreement")
    assert np.array_equal(large.probability[50:-50, 50:-50], small.probability)
    assert np.array_equal(large.sensitivity, small.sensitivity)
    assert large.probability[:40].max() == 0
    full = staple_arrays(wide).probability[50:-50, 50:-50]
    assert not np.allclose(full, staple_arrays(masks).probability)


def test_inputs_are_not_touched_and_reader_order_does_not_matter():
    masks = noisy(12, (20, 20), 5)
    copies = [m.copy() for m in masks]
    one = staple_arrays(masks)
    two = staple_arrays(masks[::-1])
    assert all(np.array_equal(a, b) for a, b in zip(masks, copies, strict=True))
    np.testing.assert_allclose(one.probability, two.probability, atol=1e-12)
    np.testing.assert_allclose(one.sensitivity, two.sensitivity[::-1], atol=1e-12)


@pytest.mark.parametrize(
    ("masks", "setting", "words"),
    [
        ([], {}, "at least one"),
        ([np.zeros((2, 2)), np.zeros((3, 2))], {}, "row 2: mask must have the shape"),
        ([np.array([["a"]])], {}, "hold numbers"),
        ([np.zeros((2, 2))], {"prior": 1.0}, "prior must be in"),
        ([np.zeros((2, 2))], {"max_iterations": 0}, "max_iterations must be 1"),
        ([np.zeros((2, 2))], {"tolerance": float("nan")}, "tolerance must be 0"),
        ([np.zeros((2, 2))], {"region": "all"}, "region must be"),
    ],
)
def test_bad_input_is_named(masks, setting, words):
    with pytest.raises(InputError, match=words):
        staple_arrays(masks, **setting)


def brute_force(masks, n_classes, iterations):
    """Textbook EM, a loop over pixels, reads and classes."""
    said = np.stack([m.reshape(-1) for m in masks], axis=1)
    n, r = said.shape
    w = np.array([[np.mean(said[i] == k) for k in range(n_classes)] for i in range(n)])
    prior = w.mean(axis=0)
    likelihoods = []
    for _ in range(iterations):
        theta = np.zeros((r, n_classes, n_classes))
        for i, j, k in itertools.product(range(n), range(r), range(n_classes)):
            theta[j, k, said[i, j]] += w[i, k]
        theta /= theta.sum(axis=2, keepdims=True)
        total = 0.0
        for i in range(n):
            p = prior.copy()
            for j in range(r):
                p *= theta[j, :, said[i, j]]
            total += np.log(p.sum())
            w[i] = p / p.sum()
        likelihoods.append(total)
    return w, theta, likelihoods


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_multi_label_equals_brute_force(n_classes):
    rng = np.random.default_rng(n_classes)
    truth = rng.integers(0, n_classes, (5, 6))
    masks = [
        np.where(rng.random((5, 6)) < 0.3, rng.integers(0, n_classes, (5, 6)), truth)
        for _ in range(4)
    ]
    w, theta, likelihoods = brute_force(masks, n_classes, 15)
    found = multi_label_staple_arrays(masks, n_classes, max_iterations=15, tolerance=0.0)
    flat = found.probability.reshape(n_classes, -1).T
    np.testing.assert_allclose(flat, w, atol=1e-12)
    np.testing.assert_allclose(found.confusion, theta, atol=1e-12)
    np.testing.assert_allclose(found.log_likelihood, likelihoods, rtol=1e-12)


def test_two_class_multi_label_is_staple():
    masks = noisy(13, (20, 20), 4)
    both = multi_label_staple_arrays(masks, 2)
    plain = staple_arrays(masks)
    assert np.array_equal(both.probability[1], plain.probability)
    assert np.array_equal(both.confusion[:, 1, 1], plain.sensitivity)


def test_a_tie_starts_even_whatever_the_order_of_classes():
    """Two reads, each the other's mirror: neither class may win by its number."""
    one = np.array([[0, 1, 2, 1, 2]])
    two = np.array([[0, 2, 1, 1, 2]])
    found = multi_label_staple_arrays([one, two], 3).probability
    np.testing.assert_allclose(found[1, 0, 1:3], found[2, 0, 1:3], atol=1e-12)


@given(seed=st.integers(0, 10**6), n_classes=st.integers(2, 4), n_reads=st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_likelihood_never_falls_and_rows_sum_to_one(seed, n_classes, n_reads):
    rng = np.random.default_rng(seed)
    masks = [rng.integers(0, n_classes, (6, 5)) for _ in range(n_reads)]
    for pseudo in (0.0, 1.5):
        found = multi_label_staple_arrays(masks, n_classes, pseudo=pseudo, max_iterations=50)
        assert np.diff(found.log_likelihood).min(initial=0) > -1e-9
        np.testing.assert_allclose(found.probability.sum(axis=0), 1, atol=1e-12)
        rows = found.confusion.sum(axis=2)
        np.testing.assert_allclose(rows[~np.isnan(rows)], 1, atol=1e-12)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"n_classes": 1}, "n_classes must be 2"),
        ({"n_classes": 3, "prior": [0.5, 0.5, 0.5]}, "prior must be 3 shares"),
        ({"n_classes": 3, "pseudo": -1.0}, "pseudo must be 0"),
    ],
)
def test_bad_multi_label_settings_are_named(setting, words):
    with pytest.raises(InputError, match=words):
        multi_label_staple_arrays([np.zeros((2, 2), int)], **setting)


def test_unknown_class_is_named():
    with pytest.raises(InputError, match=r"row 2: mask must hold codes in 0 .. 2; got 5"):
        multi_label_staple_arrays([np.zeros((2, 2), int), np.full((2, 2), 5)], 3)


@given(seed=st.integers(0, 10**6), n_classes=st.integers(2, 5), n_reads=st.integers(1, 18))
@settings(max_examples=40, deadline=None)
def test_patterns_give_back_every_vote(seed, n_classes, n_reads):
    rng = np.random.default_rng(seed)
    masks = [rng.integers(0, n_classes, (4, 7)) for _ in range(n_reads)]
    patterns = vote_patterns(masks, n_classes)
    for read, mask in enumerate(masks):
        assert np.array_equal(patterns.spread(patterns.said[:, read]), mask.reshape(-1))
    assert patterns.count.sum() == 28
    assert (patterns.count > 0).all()
    assert len(np.unique(patterns.said, axis=0)) == len(patterns.said)
