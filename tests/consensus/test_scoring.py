from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, recall_score

from overread.consensus.scoring import CLIP, calibration_error, reliability_curve, score
from overread.errors import InputError, MethodError


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 500)
    truth = (rng.random((500, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return p, truth


def test_measures_agree_with_scikit_learn(scored) -> None:
    p, truth = scored
    s = score(p, truth, draws=0)
    said = p.argmax(axis=1)
    assert s.accuracy == pytest.approx((said == truth).mean())
    assert s.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, said))
    assert s.nll == pytest.approx(log_loss(truth, p))
    assert s.recall == pytest.approx(recall_score(truth, said, average=None))
    assert s.brier == pytest.approx(((p - np.eye(3)[truth]) ** 2).sum(axis=1).mean())


def test_honest_probabilities_have_a_small_error_and_the_debiased_one_is_smaller(scored) -> None:
    p, truth = scored
    plain, debiased = (score(p, truth, draws=0, debiased=d).ece for d in (False, True))
    assert debiased < plain < 0.1
    sharp = p**4 / (p**4).sum(axis=1, keepdims=True)
    assert score(sharp, truth, draws=0).ece > 0.2


def test_curve_by_hand() -> None:
    curve = reliability_curve(np.array([0.9, 0.6, 0.8, 0.7]), np.array([1, 0, 1, 1]), bins=2)
    assert curve.confidence == pytest.approx([0.65, 0.85])
    assert curve.accuracy == pytest.approx([0.5, 1.0])
    assert curve.cases.tolist() == [2, 2]
    assert calibration_error(curve) == pytest.approx(0.15)


def test_intervals_hold_the_estimate_and_shrink(scored) -> None:
    p, truth = scored
    few, many = score(p[:50], truth[:50], draws=300), score(p, truth, draws=300)
    for name in ("accuracy", "nll", "brier"):
        assert many.low[name] < getattr(many, name) < many.high[name]
        assert many.high[name] - many.low[name] < few.high[name] - few.low[name]


def test_unknown_truth_is_left_out_and_zero_is_clipped() -> None:
    p = np.array([[1.0, 0.0], [0.5, 0.5], [0.2, 0.8]])
    s = score(p, np.array([1, -1, 1]), draws=0)
    assert s.n_cases == 2
    assert s.nll == pytest.approx((-np.log(CLIP) - np.log(0.8)) / 2)
    assert np.isnan(s.recall[0])
    assert s.balanced_accuracy == 0.5


def test_bad_truth_is_named() -> None:
    p = np.full((2, 2), 0.5)
    with pytest.raises(
        InputError, match=r"row 2: truth must be in 0 .. 1 or -1 \(unknown\); got 2"
    ):
        score(p, np.array([0, 2]))
    with pytest.raises(InputError, match="truth must have 2 entries"):
        score(p, np.array([0]))
    with pytest.raises(MethodError, match="nothing to score"):
        score(p, np.array([-1, -1]))
