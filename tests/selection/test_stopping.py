"""Learning curves with known answers; advice in words; effort of the article."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InputError
from overread.selection.curve import fit_curve
from overread.selection.effort import Work, effort_of
from overread.selection.stopping import (
    RULES,
    Costs,
    advise,
    cost_rule,
    elbow_rule,
    kappa,
    stable_rule,
)

STEPS = np.array([50, 100, 200, 400, 800])


def _curve(floor: float = 0.03, scale: float = 2.0, power: float = 0.8, tested: float = 1e6):
    wrong = (floor + scale * STEPS**-power) * tested
    return fit_curve(STEPS, wrong, np.full(5, tested))


def test_a_known_curve_is_found() -> None:
    curve = _curve()
    np.testing.assert_allclose(curve.error(1600), 0.03 + 2 * 1600**-0.8, atol=1e-3)
    low, high = curve.between(np.array([400.0, 1600.0]))
    assert (low <= high).all()


def test_interval_holds_the_curve_to_come() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        wrong = rng.binomial(500, 0.03 + 2 * STEPS**-0.8)
        curve = fit_curve(STEPS, wrong, np.full(5, 500), draws=80, seed=seed)
        low, high = curve.between(np.array([1600.0]))
        held += low[0] <= 0.03 + 2 * 1600**-0.8 <= high[0]
    assert held >= 50


def test_advice_on_a_target() -> None:
    curve, costs = _curve(), Costs(label=105, review=5, correct=60)
    wanted = 1 - (0.03 + 2 * 920**-0.8)
    advice = advise(curve, pool=10_000, costs=costs, target=wanted)
    assert not advice.stop
    assert advice.more == pytest.approx(120, abs=40)
    assert advice.hours == pytest.approx(advice.more * 105 / 3600)
    assert advice.words.startswith("About ")
    assert "more labels" in advice.words
    assert advise(curve, pool=10_000, costs=costs, target=0.9).words.startswith("Stop now")
    beyond = advise(curve, pool=10_000, costs=costs, target=0.99)
    assert beyond.more is None
    assert "levels off near 97" in beyond.words


def test_cost_rule_by_brute_force() -> None:
    curve, costs = _curve(), Costs(600, 20, 600)
    total = [
        more * 600 + (5000 - 800 - more) * (20 + float(curve.error(800 + more)) * 600)
        for more in range(4201)
    ]
    found = cost_rule(curve, 5000, costs)
    best = int(np.argmin(total))
    assert total[found.more or 0] <= total[best] * 1.001
    many = cost_rule(_curve(0.0, 2.0, 0.5), 200_000, costs)
    assert not many.stop
    assert cost_rule(curve, 800, costs).stop
    slow = Costs(600, 2, 20)
    stop = cost_rule(curve, 5000, slow)
    spared = 2 + 20 * float(4200 * curve.error(800) - 4199 * curve.error(801))
    assert stop.stop
    assert f"600 against {float(f'{spared:.3g}'):g} s" in stop.words
    assert f"{4200 * (2 + 20 * float(curve.error(800))) / 3600:.1f} hours to the end" in stop.words


def test_elbow_and_stability() -> None:
    assert elbow_rule(_curve(0.2, 0.5, 1.5)).stop
    steep = elbow_rule(_curve(0.001, 2.0, 0.9))
    assert not steep.stop
    assert steep.more is None or steep.more > 0
    same = np.arange(100) % 3
    other = same.copy()
    other[:30] = 0
    assert stable_rule((same,) * 4).stop
    assert not stable_rule((same, other, same, other)).stop
    few = stable_rule((same, same))
    assert (few.stop, few.known) == (False, False)
    assert kappa(np.zeros(5, int), np.zeros(5, int)) == 1.0
    assert kappa(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == pytest.approx(0)


def test_any_rule_can_decide_and_all_are_told() -> None:
    curve, costs = _curve(), Costs(label=105, review=5, correct=60)
    same = (np.arange(100) % 3,) * 4
    for rule in RULES:
        found = advise(
            curve, pool=10_000, costs=costs, target=0.99, predictions=same, rule=rule
        )  # fmt: skip
        assert (found.decides, {one.name for one in found.rules}) == (rule, set(RULES))
        (chosen,) = (one for one in found.rules if one.name == rule)
        assert (found.stop, found.more) == (chosen.stop, chosen.more)
        assert chosen.words in found.words
    assert found.stop
    assert advise(curve, pool=10_000, costs=costs, target=0.99).decides == "target"
    assert advise(curve, pool=10_000, costs=costs).decides == "cost"
    with pytest.raises(InputError, match="rule must be one of cost"):
        advise(curve, pool=10_000, costs=costs, rule="target")


def test_bad_input_of_curves() -> None:
    with pytest.raises(InputError, match="labels must"):
        fit_curve(np.array([5, 5, 6]), np.ones(3), np.full(3, 9))
    with pytest.raises(InputError, match="wrong and tested"):
        fit_curve(STEPS, np.full(5, 10), np.full(5, 9))
    with pytest.raises(InputError, match="seconds must"):
        Costs(0, 1, 1)
    with pytest.raises(InputError, match="target must"):
        advise(_curve(), pool=9, costs=Costs(1, 1, 1), target=2)
    with pytest.raises(InputError, match="rule must be one of"):
        advise(_curve(), pool=9, costs=Costs(1, 1, 1), rule="luck")
    with pytest.raises(InputError, match="predictions must"):
        kappa(np.zeros(3, int), np.zeros(2, int))


def test_the_articles_person_years() -> None:
    """Bangert et al. 2021: 24 person-years, 3.2 with a tenth labelled (87 %), 89 % with one."""
    three = effort_of(100_000, share_labelled=0.1, readers=3, label_seconds=600, review_seconds=20)
    assert int(three.years[1]) == 24
    assert three.years[0] == pytest.approx(3.2, abs=0.05)
    assert three.saved == pytest.approx(0.87, abs=0.005)
    one = effort_of(
        100_000, share_labelled=0.1, readers=3, label_seconds=600, review_seconds=20, reviewers=1
    )
    assert three.years[0] - one.years[0] == pytest.approx(0.5, abs=0.01)
    assert one.saved == pytest.approx(0.89, abs=0.005)
    assert three.words.endswith("87 % saved")


def test_effort_with_a_certificate() -> None:
    spared = effort_of(
        1000, share_labelled=0.05, readers=1, label_seconds=600, review_seconds=20, audited=100,
        share_accepted=1.0, cost_an_hour=90,
    )  # fmt: skip
    assert spared.hours == pytest.approx(150 * 600 / 3600)
    assert spared.cost[1] == pytest.approx(1000 * 600 / 3600 * 90)
    assert "hours" in spared.words
    with pytest.raises(InputError, match="share labelled must"):
        effort_of(10, share_labelled=2, readers=1, label_seconds=1, review_seconds=1)
    with pytest.raises(InputError, match="cases must"):
        Work(-1, 1, 1)
