"""Plans of audits: what they count on, what they cost, and that certificates from them hold."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.selection.certificate.bounds import audit_size
from overread.selection.certificate.certify import audit_order, certify
from overread.selection.certificate.plan import allowed_errors, error_draws, plan_audit


def _project(seed: int, n: int = 3000, known: int = 400):
    """Auto-labels of two classes, too sure of themselves; their truth; known labels."""
    rng = np.random.default_rng(seed)
    hard = rng.beta(0.5, 12, size=n + known)
    wrong = rng.random(n + known) < hard
    said = rng.integers(2, size=n + known)
    sure = 1 - 0.45 * hard
    table = np.full((n + known, 2), 0.0)
    table[np.arange(n + known), said] = sure
    table[np.arange(n + known), 1 - said] = 1 - sure
    return table[:n], np.where(wrong, 1 - said, said)[:n], sure[n:], ~wrong[n:]


def _plan(seed: int, target: float, **told):
    table, truth, sure, right = _project(seed)
    plan = plan_audit(
        np.arange(len(table)), table, target=target, known_confidence=sure, known_right=right,
        **told,
    )  # fmt: skip
    return plan, truth


def test_allowed_errors_are_those_of_the_sizes() -> None:
    sizes = np.array([audit_size(0.02, allowed=k) for k in range(5)])
    assert allowed_errors(sizes, 0.02, 0.95).tolist() == [0, 1, 2, 3, 4]
    assert allowed_errors(sizes - 1, 0.02, 0.95).tolist() == [-1, 0, 1, 2, 3]


def test_the_doubt_of_few_known_labels_is_in_the_draws() -> None:
    rng = np.random.default_rng(0)
    at = np.linspace(0.5, 1, 50)
    widths = []
    for known in (40, 4000):
        sure = rng.uniform(0.5, 1, size=known)
        right = rng.random(known) < sure
        draws = error_draws(at, sure, right, np.ones(known), rng)
        assert (np.diff(draws, axis=1) <= 1e-12).all()
        assert ((draws >= 0) & (draws <= 1)).all()
        widths.append(draws.std(axis=0).mean())
    np.testing.assert_allclose(draws.mean(axis=0)[1:], 1 - at[1:], atol=0.08)
    assert widths[0] > 3 * widths[1]


def test_tiers_are_nested_and_the_first_is_likely_to_pass() -> None:
    plan, _ = _plan(0, 0.03)
    sizes = [int(((plan.frozen.tier >= 0) & (plan.frozen.tier <= t)).sum()) for t in range(9)]
    assert sizes == sorted(sizes)
    assert plan.chance > 0.7
    assert 0 < plan.accepted <= sizes[-1]
    assert plan.audited <= 1000


def test_certificates_from_plans_hold_and_accept_much() -> None:
    false, accepted = 0, []
    for seed in range(40):
        plan, truth = _plan(seed, 0.03, most_audited=450)
        order = audit_order(plan.frozen, seed=seed)
        audit = {int(place): int(truth[place]) for place in order[: plan.audited]}
        found = certify(plan.frozen, audit, order, target=0.03, class_names=("no", "yes"))
        inside = (plan.frozen.tier >= 0) & (plan.frozen.tier <= found.tier)
        wrong = plan.frozen.label != truth
        false += found.granted and wrong[inside].mean() > 0.03
        accepted.append(inside.mean())
    assert false <= 5  # 2 are expected at most
    assert np.mean(accepted) > 0.6


def test_a_dear_audit_is_not_made() -> None:
    dear, _ = _plan(0, 0.03, reviews_an_audit=1000)
    assert dear.audited == 0
    assert (dear.frozen.tier == -1).all()
    some, _ = _plan(0, 0.03, reviews_an_audit=2)
    free, _ = _plan(0, 0.03)
    assert 0 < some.audited <= free.audited


def test_nothing_known_and_bad_input() -> None:
    table = np.array([[0.99, 0.01]] * 400)
    told = {"known_confidence": np.empty(0), "known_right": np.empty(0, dtype=bool)}
    assert plan_audit(np.arange(400), table, target=0.05, **told).audited > 0
    for bad, words in [({"target": 0.6}, "target"), ({"most_audited": -1}, "price"),
                       ({"known_right": np.ones(3, dtype=bool)}, "fit each other")]:  # fmt: skip
        with pytest.raises(InputError, match=words):
            plan_audit(np.arange(400), table, **({"target": 0.05} | told | bad))
