"""Bounds against enumeration and published tables; certificates against simulated projects."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.selection.certificate.betting import (
    anytime_upper,
    anytime_upper_now,
    peak_wealth,
)
from overread.selection.certificate.bounds import audit_size, chance_of_at_most, upper_errors
from overread.selection.certificate.certify import audit_order, certify, planned_audit
from overread.selection.certificate.freeze import Frozen, expected_errors, freeze
from overread.selection.certificate.sets import certify_sets, frozen_sets, likely_sets


@pytest.mark.parametrize(
    ("share", "sizes", "of_500"),
    [(0.01, (299, 473, 628), 196), (0.02, (149, 236, 313), 119), (0.05, (59, 93, 124), 54)],
)
def test_audit_sizes_of_the_tables(share, sizes, of_500) -> None:
    assert tuple(audit_size(share, allowed=k) for k in range(3)) == sizes
    assert audit_size(share, population=500) == of_500


def test_an_audit_of_all_proves_what_is_there_and_no_more() -> None:
    assert upper_errors(3, 60, population=60) == 3 / 60
    assert audit_size(0.01, allowed=2, population=100) is None
    assert upper_errors(0, 0) == 1.0
    assert upper_errors(5, 5) == 1.0


def test_hypergeometric_by_enumeration() -> None:
    for wrong in range(8):
        labels = np.arange(7) < wrong
        drawn = [sum(labels[list(few)]) for few in combinations(range(7), 3)]
        for errors in range(4):
            share = np.mean(np.array(drawn) <= errors)
            assert chance_of_at_most(errors, 3, wrong, 7) == pytest.approx(share, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(population=st.integers(2, 60), data=st.data())
def test_exact_bound_is_too_low_rarely_enough(population, data) -> None:
    """Over all samples, exactly: whatever the number of wrong labels."""
    audited = data.draw(st.integers(1, population))
    wrong = data.draw(st.integers(0, population))
    missed, before = 0.0, 0.0
    for errors in range(min(audited, wrong) + 1):
        upto = chance_of_at_most(errors, audited, wrong, population)
        if upper_errors(errors, audited, population=population) < wrong / population:
            missed += upto - before
        before = upto
    assert missed <= 0.05 + 1e-9


def test_bets_by_hand_and_by_expectation() -> None:
    """Every order of 6 labels, 2 of them wrong: the wealth against "at least 2" is fair."""
    assert peak_wealth(np.zeros(0, bool), 2, 6) == 1.0
    first = peak_wealth(np.array([False]), 2, 6)
    ratios, shares, m = (0, 0.125, 0.25, 0.5), (0.4, 0.2, 0.2, 0.2), 2 / 6
    by_hand = sum(s * (1 - r * m) / (1 - m) for r, s in zip(ratios, shares, strict=True))
    assert first == pytest.approx(by_hand)
    for claimed, level in ((2, 1 / 2), (2, 1 / 4)):
        orders = [np.isin(np.arange(6), pair) for pair in combinations(range(6), 2)]
        reached = np.mean([peak_wealth(one, claimed, 6) >= 1 / level for one in orders])
        assert reached <= level  # Ville


@settings(deadline=None, max_examples=15)
@given(
    population=st.integers(5, 120), share=st.floats(0, 0.5), seed=st.integers(0, 999),
    confidence=st.floats(0.6, 0.99),
)  # fmt: skip
def test_anytime_bound_is_consistent(population, share, seed, confidence) -> None:
    rng = np.random.default_rng(seed)
    wrong = (rng.random(population) < share)[: max(population // 2, 1)]
    path = anytime_upper(wrong, population, confidence=confidence)
    assert path[-1] == pytest.approx(
        anytime_upper_now(wrong, population, confidence=confidence), abs=1e-12
    )
    assert (path * population >= np.cumsum(wrong) - 1e-9).all()


def test_peeking_fools_the_fixed_bound_and_not_the_anytime_one() -> None:
    """A share of errors just above the target, looked at after every tenth case."""
    rng = np.random.default_rng(0)
    population, wrong_ones, target = 400, 21, 0.05
    looks = range(60, 251, 10)
    sizes = [audit_size(target, allowed=k, population=population) for k in range(12)]
    allowed = [sum(size is not None and size <= n for size in sizes) - 1 for n in looks]
    fixed = anytime = 0
    for _ in range(600):
        wrong = rng.permutation(np.arange(population) < wrong_ones)[:250]
        seen = np.cumsum(wrong)
        fixed += any(seen[n - 1] <= most for n, most in zip(looks, allowed, strict=True))
        anytime += peak_wealth(wrong, wrong_ones, population) >= 20
    assert fixed > 0.07 * 600
    assert anytime <= 0.05 * 600


def _project(n: int = 1000, error: float = 0.005, seed: int = 0, aims=(0.5,)):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n)
    confidence = rng.uniform(0.5, 1, size=n)
    easy = confidence > 0.7
    wrong = rng.random(n) < np.where(easy, error, 0.3)
    said = np.where(wrong, 1 - truth, truth)
    probabilities = np.where(
        said[:, None] == np.arange(2), confidence[:, None], 1 - confidence[:, None]
    )
    known = rng.uniform(0.5, 1, size=400)
    right = rng.random(400) >= np.where(known > 0.7, error, 0.3)
    frozen = freeze(
        np.arange(n), probabilities, target=0.02, known_confidence=known, known_right=right,
        aims=aims,
    )  # fmt: skip
    return frozen, truth


def test_a_good_project_is_certified_and_a_bad_one_is_refused() -> None:
    frozen, truth = _project(4000, 0.0, aims=(0.3,))
    order = audit_order(frozen, seed=3)
    need = planned_audit(frozen, target=0.02, allowed=5)
    assert need is not None
    audit = {int(p): int(truth[p]) for p in order[:need]}
    found = certify(frozen, audit, order, target=0.02, class_names=("no", "yes"))
    wrong = (frozen.label != truth)[(frozen.tier >= 0) & (frozen.tier <= found.tier)]
    assert found.granted
    assert wrong.mean() <= found.most_errors <= 0.02
    assert found.labels + found.left == 4000
    assert found.words.startswith("At least 98")
    assert json.loads(json.dumps(found.to_value())) == json.loads(json.dumps(found.to_value()))
    assert sum(one.audited for one in found.classes) == found.audited
    spoilt = {p: (None if i % 9 == 0 else c) for i, (p, c) in enumerate(audit.items())}
    for anytime in (False, True):
        refused = certify(
            frozen, spoilt, order, target=0.02, class_names=("no", "yes"), anytime=anytime
        )
        assert not refused.granted
        assert refused.tier == -1
        assert refused.words.startswith("Not certified")
        assert refused.left == 4000


def test_certificate_refuses_a_chosen_audit_and_wrong_words() -> None:
    frozen, truth = _project()
    order = audit_order(frozen, seed=0)
    picked = {int(p): int(truth[p]) for p in order[5:50]}
    with pytest.raises(InputError, match="audit must hold the first cases"):
        certify(frozen, picked, order, target=0.02, class_names=("no", "yes"))
    with pytest.raises(InputError, match="class names must name all 2"):
        certify(frozen, {}, order, target=0.02, class_names=("no",))
    nothing = certify(frozen, {}, order, target=0.02, class_names=("no", "yes"))
    assert not nothing.granted
    with pytest.raises(InputError, match="confidence must"):
        upper_errors(0, 3, confidence=0.4)
    with pytest.raises(InputError, match="errors must"):
        upper_errors(4, 3)
    with pytest.raises(InputError, match="audited cases must"):
        upper_errors(1, 30, population=20)
    with pytest.raises(InputError, match="target must"):
        freeze(np.arange(1), np.eye(2)[:1], target=0.9, known_confidence=np.ones(1),
               known_right=np.ones(1, bool))  # fmt: skip


def test_nothing_sure_enough_is_said() -> None:
    frozen, _ = _project(50, 0.3)
    hard = Frozen(frozen.rows, frozen.label, np.full(50, -1), frozen.thresholds, "x")
    found = certify(hard, {}, audit_order(hard, seed=0), target=0.01, class_names=("a", "b"))
    assert "no label is sure enough" in found.words
    assert planned_audit(hard, target=0.01) is None


def test_tiers_are_nested_and_thresholds_are_what_they_say() -> None:
    frozen, truth = _project(4000, 0.0, aims=(0.25, 0.5, 1.0))
    assert (np.diff(frozen.thresholds, axis=0) <= 0).all()
    assert set(np.unique(frozen.tier)) <= {-1, 0, 1, 2}
    order = audit_order(frozen, seed=0)
    audit = {int(p): int(truth[p]) for p in order[:600]}
    found = certify(frozen, audit, order, target=0.02, class_names=("no", "yes"))
    assert found.granted
    assert found.labels == int(((frozen.tier >= 0) & (frozen.tier <= found.tier)).sum())
    need = planned_audit(frozen, target=0.02)
    assert need is not None
    assert need >= 149


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_expected_error_never_rises_with_confidence(known) -> None:
    confidence = np.array([one for one, _ in known])
    right = np.array([bool(ok) for _, ok in known])
    at = np.linspace(0, 1, 21)
    error = expected_errors(at, confidence, right, np.ones(len(known)))
    assert (np.diff(error) <= 1e-12).all()
    assert ((error >= 0) & (error <= 1)).all()


def test_what_is_stated_holds_although_the_audit_chose_the_tier():
    """A sure tier whose bound is sometimes too low, and a large one just worse than the target."""
    rng = np.random.default_rng(5)
    wrong = np.zeros(10_000, dtype=bool)
    wrong[:20] = wrong[1000:1481] = True  # 2 % of the first 1,000; 5.01 % of all
    tier = np.where(np.arange(10_000) < 1000, 0, 1)
    frozen = Frozen(
        np.arange(10_000), np.zeros(10_000, dtype=np.int64), tier, np.zeros((2, 2)), "digest"
    )
    true = {0: wrong[:1000].mean(), 1: wrong.mean()}
    false = of_class = 0
    for _ in range(1200):
        order = rng.permutation(10_000)[:1500]
        audit = dict(zip(order.tolist(), wrong[order].astype(int).tolist(), strict=True))
        found = certify(frozen, audit, order, target=0.05, class_names=("no", "yes"))
        share = true[max(found.tier, 0)]
        false += found.most_errors < share
        of_class += found.classes[0].most_errors < share
    assert false <= 0.06 * 1200  # 9 % if the bound of the chosen tier were stated
    assert of_class <= 0.06 * 1200


def test_far_errors_of_grades_are_bounded_apart() -> None:
    label = np.zeros(400, dtype=np.int64)
    frozen = Frozen(np.arange(400), label, label, np.zeros((1, 4)), "digest")
    order = np.arange(400)
    said = {0: 1, 1: 2, 2: 3, 3: None} | dict.fromkeys(range(4, 120), 0)
    names = ("0", "1", "2", "3")
    found = certify(frozen, said, order, target=0.1, class_names=names, grades=True)
    assert found.errors == 4
    assert found.far is not None
    assert found.far.errors == 3  # one grade off is not far; "cannot be read" is
    assert found.far.most_errors == upper_errors(3, 120, population=400) < found.most_errors
    assert certify(frozen, said, order, target=0.1, class_names=names).far is None


def _sets(present):
    code, sets, sure = likely_sets(present)
    known = np.full(100, 0.9)
    one = freeze(
        np.arange(len(sure)), sure[:, None], target=0.1, known_confidence=known,
        known_right=np.ones(100, dtype=bool), aims=(1.0,),
    )  # fmt: skip
    return frozen_sets(one, code, len(sets)), sets, sure


def test_a_set_is_as_sure_as_all_its_classes_and_wrong_where_any_differs() -> None:
    present = np.array([[0.9, 0.2], [0.4, 0.4], [0.8, 0.1], [0.9, 0.9]])
    frozen, sets, sure = _sets(present)
    np.testing.assert_allclose(sure, [0.72, 0.36, 0.72, 0.81])
    assert (sets[frozen.label] == (present >= 0.5)).all()
    assert frozen.thresholds.shape == (1, len(sets))
    frozen = replace(frozen, tier=np.zeros(4, dtype=np.int64))
    audit = {0: present[0] >= 0.5, 1: np.array([True, False]), 2: None, 3: np.array([True, False])}
    found = certify_sets(frozen, sets, audit, np.arange(4), target=0.4, class_names=("a", "b"))
    assert (found.granted, found.audited, found.errors) == (False, 4, 3)
    rows = {(one.name, one.says): (one.labels, one.audited, one.errors) for one in found.classes}
    assert rows == {
        ("a", "present"): (3, 3, 1), ("a", "absent"): (1, 1, 1),
        ("b", "present"): (1, 1, 1), ("b", "absent"): (3, 3, 1),
    }  # fmt: skip
    # every case was audited: the bounds are what was found
    assert {one.most_errors for one in found.classes} == {1.0, 1 / 3}
    with pytest.raises(InputError, match="sets must hold 1"):
        certify_sets(frozen, sets, {}, np.arange(4), target=0.4, class_names=("a",))
    with pytest.raises(InputError, match="first cases"):
        certify_sets(frozen, sets, {3: None}, np.arange(4), target=0.4, class_names=("a", "b"))


def test_bounds_of_sets_hold_together() -> None:
    """Whole sets just worse than the target, rare and common classes: simulated."""
    rng = np.random.default_rng(11)
    size, rounds, names = 600, 300, ("a", "b", "c")
    says = rng.random((size, 3)) < [0.5, 0.2, 0.05]
    off = np.zeros((size, 3), dtype=bool)
    off[rng.permutation(size)[:31], rng.integers(0, 3, 31)] = True  # 5.2 % of the sets
    sets, code = np.unique(says, axis=0, return_inverse=True)
    nothing = np.zeros(size, dtype=np.int64)
    frozen = Frozen(np.arange(size), code.reshape(-1), nothing, np.zeros((1, len(sets))), "digest")
    false = any_false = 0
    for _ in range(rounds):
        order = rng.permutation(size)
        audit = {int(place): (says ^ off)[place] for place in order[:200]}
        found = certify_sets(frozen, sets, audit, order, target=0.05, class_names=names)
        false += found.granted
        too_low = False
        for one in found.classes:
            at = names.index(one.name)
            of = says[:, at] == (one.says == "present")
            too_low |= one.most_errors < off[of, at].mean()
        any_false += too_low
    most = 0.05 * rounds + 2.4 * np.sqrt(0.05 * 0.95 * rounds)
    assert false <= most
    assert any_false <= most
    # looked at at any time: the bounds of the betting, each with its share of the risk
    found = certify_sets(frozen, sets, audit, order, target=0.05, class_names=names, anytime=True)
    of = says[:, 0]
    seen = off[:, 0][order[:200]][of[order[:200]]]
    joint = 1 - 0.05 / len(found.classes)
    wanted = anytime_upper_now(seen, int(of.sum()), confidence=joint)
    assert found.classes[0].most_errors == wanted
