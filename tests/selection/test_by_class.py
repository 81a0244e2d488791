"""Classes in which a model errs more than in others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from overread.errors import InputError
from overread.selection.certificate.by_class import class_ratios
from overread.selection.certificate.freeze import expected_errors, freeze
from overread.selection.certificate.plan import plan_audit

_PRIOR = dict.fromkeys((0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0), 0.5 / 7) | {1e9: 0.5}


def _mean_by_integral(wrong: list[float], expected: list[float]) -> list[float]:
    """Posterior means of the ratios, by quadrature over each prior."""
    found, total = np.zeros(len(wrong)), 0.0
    for shape, prior in _PRIOR.items():
        if shape > 1e6:
            fit = [stats.poisson.pmf(w, e) for w, e in zip(wrong, expected, strict=True)]
            means = np.ones(len(wrong))
        else:
            moments = [
                [_moment(power, w, e, shape) for power in (0, 1)]
                for w, e in zip(wrong, expected, strict=True)
            ]
            fit, first = np.array(moments).T
            means = first / fit
        found += prior * np.prod(fit) * means
        total += prior * np.prod(fit)
    return (found / total).tolist()


def _moment(power: int, wrong: float, expected: float, shape: float) -> float:
    def of(ratio: float) -> float:
        prior = stats.gamma.pdf(ratio, shape, scale=1 / shape)
        return float(ratio**power * stats.poisson.pmf(wrong, ratio * expected) * prior)

    return integrate.quad(of, 0, 40, limit=400, points=[0.1, 1, 5])[0]


def test_ratios_are_those_of_the_integrals() -> None:
    label = np.repeat([0, 1, 2], [60, 30, 10])
    right = np.ones(100, dtype=bool)
    right[[0, 60, 61, 90, 91, 92, 93]] = False
    told = class_ratios(label, right, np.full(100, 0.07), np.ones(100), 3)
    np.testing.assert_allclose(told.mean, _mean_by_integral([1, 2, 4], [4.2, 2.1, 0.7]), rtol=1e-4)
    drawn = told.drawn(40_000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=0), told.mean, rtol=0.02)


def test_classes_that_differ_by_luck_alone_are_drawn_together() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(3, size=3000)
    right = rng.random(3000) > 0.1
    told = class_ratios(label, right, np.full(3000, 0.1), np.ones(3000), 3)
    np.testing.assert_allclose(told.mean, 1, atol=0.06)
    # a class without a known label is in doubt, and no better than the others
    unknown = class_ratios(label, right, np.full(3000, 0.1), np.ones(3000), 4)
    assert unknown.mean[3] == pytest.approx(1, abs=1e-6)


def test_uneven_weights_count_as_fewer_labels() -> None:
    label = np.repeat([0, 1], 20)
    right = np.r_[np.ones(20, bool), np.arange(20) % 2 == 0]
    even = class_ratios(label, right, np.full(40, 0.25), np.ones(40), 2).mean
    uneven = class_ratios(label, right, np.full(40, 0.25), np.repeat([1.0, 9.0], 20), 2).mean
    assert even[1] > 1 > even[0]
    assert uneven[0] > even[0]


def _rare(seed: int, n: int = 2000, known: int = 1000):
    """Two classes told well, and a rare one that is said wrongly as surely as rightly."""
    rng = np.random.default_rng(seed)
    said = rng.choice(3, p=[0.6, 0.33, 0.07], size=n + known)
    confidence = rng.uniform(0.8, 1, size=n + known)
    wrong = rng.random(n + known) < np.where(said == 2, 0.6, 0.05 * (1 - confidence))
    table = np.repeat((1 - confidence[:, None]) / 2, 3, axis=1)
    table[np.arange(n + known), said] = confidence
    told = {"known_confidence": confidence[n:], "known_right": ~wrong[n:]}
    return table[:n], said, wrong, n, told


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_class_is_not_accepted_on_the_record_of_the_others(seed: int) -> None:
    table, said, wrong, n, told = _rare(seed)
    rows = np.arange(n)
    shares = {}
    for words, more in (("alike", {}), ("own", {"known_label": said[n:]})):
        plan = plan_audit(rows, table, target=0.03, **told, **more)
        small = freeze(rows, table, target=0.03, **told, **more)
        for made in (plan.frozen, small):
            inside = made.tier == 0  # the surest
            shares[words, made is small] = [np.mean(inside[said[:n] == c]) for c in range(3)]
            for step, least in enumerate(made.thresholds):  # what stands is what was accepted
                accepted = (made.tier >= 0) & (made.tier <= step)
                np.testing.assert_array_equal(accepted, table.max(axis=1) >= least[made.label])
    alike = shares["alike", False]
    assert alike[2] > 0.5 * alike[0] > 0
    for which in (True, False):
        assert shares["own", which][2] == 0
        assert shares["own", which][0] > shares["alike", which][0]
    expected = expected_errors(
        table.max(axis=1), told["known_confidence"], told["known_right"],
        label=said[:n], known_label=said[n:],
    )  # fmt: skip
    for c in range(3):
        own = said[:n] == c
        assert expected[own].mean() == pytest.approx(wrong[:n][own].mean(), abs=0.2)


def test_bad_classes() -> None:
    right, known = np.ones(4, bool), np.full(4, 0.1)
    with pytest.raises(InputError, match="be 4"):
        class_ratios(np.zeros(3, int), right, known, np.ones(4), 2)
    with pytest.raises(InputError, match=r"be 0 \.\. 1"):
        class_ratios(np.array([0, 1, 2, 0]), right, known, np.ones(4), 2)
