"""Sample sizes: published examples, closed forms, and simulation with our own intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from overread.agreement import agreement
from overread.errors import InputError
from overread.labels import LabelSchema, class_reads
from overread.labels.schema import Kind, LabelClass
from overread.planning.power import cases_by_goodness_of_fit, cases_to_show
from overread.planning.size import (
    Clustering,
    accuracy_cases,
    agreement_cases,
    agreement_width,
    proportion_cases,
    proportion_interval,
    proportion_width,
)
from overread.planning.variance import (
    Answers,
    case_variance,
    disagreement,
    kappa_of,
    latent_class,
    latent_normal,
    variance_of,
)


@pytest.mark.parametrize(
    ("expected", "floor", "shares", "power", "cases"),
    [
        (0.6, 0.4, (0.2, 0.25, 0.55), 0.8, 101),
        (0.6, 0.4, (0.2, 0.25, 0.55), 0.9, 136),
        (0.5, 0.1, (0.2, 0.05, 0.2, 0.05, 0.2, 0.3), 0.8, 18),
    ],
)
def test_flack_1988(expected, floor, shares, power, cases):
    """The examples of R's irr::N2.cohen.kappa, which is Flack et al. 1988."""
    assert cases_to_show(expected, floor, prevalence=shares, power=power) == cases


@pytest.mark.parametrize(("prevalence", "cases"), [(0.5, 74), (0.2, 107)])
def test_donner_and_eliasziw_1992(prevalence, cases):
    """R's kappaSize::PowerBinary(kappa0=0.4, kappa1=0.7, raters=2): 73.26 -> 74, and 107."""
    assert cases_by_goodness_of_fit(0.7, 0.4, prevalence=prevalence) == cases


@pytest.mark.parametrize("prevalence", [0.05, 0.2, 0.5])
def test_buderer_1996(prevalence):
    """n = z² p (1 - p) / w², divided by the prevalence, in Buderer's words; w = 0.1."""
    positive = math.ceil(1.959964**2 * 0.9 * 0.1 / 0.1**2)
    negative = math.ceil(1.959964**2 * 0.85 * 0.15 / 0.1**2)
    for_sens, for_spec = accuracy_cases(0.9, 0.85, prevalence, 0.1, method="normal")
    assert (for_sens.counted, for_spec.counted) == (positive, negative)
    assert for_sens.cases == math.ceil(positive / prevalence - 1e-9)
    assert for_spec.cases == math.ceil(negative / (1 - prevalence) - 1e-9)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.data())
def test_intervals_of_shares_are_scipys(n, data):
    x = data.draw(st.integers(0, n))
    for method in ("wilson", "exact"):
        theirs = binomtest(x, n).proportion_ci(0.95, method=method)
        ours = proportion_interval(x / n, n, method=method)
        assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(0.5, 0.99), st.floats(0.02, 0.2), st.sampled_from(["wilson", "exact"]),
    st.floats(0.02, 1), st.integers(1, 6), st.floats(0, 1),
)  # fmt: skip
def test_fewest_cases_are_enough_and_one_less_is_not(  # noqa: PLR0917 - hypothesis gives them
    expected, half, method, share, readers, rho
):
    how = Clustering(readers, rho, 0.0)
    found = proportion_cases(expected, half, method=method, share=share, clustering=how)
    assert found.half_width <= half + 1e-12
    if found.counted > 1:
        low, high = proportion_interval(expected, how.effective(found.counted - 1), method=method)
        assert (high - low) / 2 > half


@settings(deadline=None, max_examples=40)
@given(
    st.floats(0.1, 0.95), st.floats(0.03, 0.2), st.integers(2, 6),
    st.sampled_from(["nominal", "quadratic"]),
)  # fmt: skip
def test_width_is_the_inverse_of_cases(kappa, half, readers, weights):
    settings_ = {"prevalence": [0.2, 0.3, 0.5], "readers": readers, "weights": weights}
    found = agreement_cases("kappa", kappa, half, **settings_)
    assert agreement_width("kappa", kappa, found.cases, **settings_).half_width <= half
    if found.cases > 2:
        assert agreement_width("kappa", kappa, found.cases - 1, **settings_).half_width > half


@pytest.mark.parametrize("kappa", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_two_readers_and_two_classes_are_bloch_and_kraemer(kappa, p):
    theirs = (1 - kappa) * ((1 - kappa) * (1 - 2 * kappa) + kappa * (2 - kappa) / (2 * p * (1 - p)))
    assert variance_of("kappa", kappa, np.array([p, 1 - p])) == pytest.approx(theirs)
    worst = variance_of("kappa", kappa, np.array([p, 1 - p]), model="worst")
    assert worst == pytest.approx(theirs, abs=1e-8)  # margins and kappa leave no choice


@pytest.mark.parametrize("weights", ["nominal", "linear", "quadratic"])
@pytest.mark.parametrize("model", ["latent_class", "latent_normal"])
def test_two_readers_are_fleiss_cohen_everitt(weights, model):
    shares = np.array([0.15, 0.25, 0.35, 0.25])
    apart = disagreement(4, weights)
    answers = latent_class(shares, 0.55) if model == "latent_class" else latent_normal(
        shares, 0.55, apart
    )  # fmt: skip
    joint = np.einsum("m,ma,mb->ab", answers.share, answers.said, answers.said)
    near = 1 - apart
    row, chance = near @ answers.margin, float(answers.margin @ near @ answers.margin)
    seen = float((near * joint).sum())
    kappa = (seen - chance) / (1 - chance)
    inner = (near - (row[:, None] + row[None, :]) * (1 - kappa)) ** 2
    theirs = ((joint * inner).sum() - (kappa - chance * (1 - kappa)) ** 2) / (1 - chance) ** 2
    assert kappa == pytest.approx(0.55, abs=1e-6)
    assert case_variance(answers, apart, 2, corrected=True) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("readers", [2, 3, 4])
def test_variance_of_many_readers_by_enumeration(readers):
    """Every pattern of answers, its chance and its influence on the coefficient."""
    random = np.random.default_rng(readers)
    answers = Answers(random.dirichlet([2, 2, 2]), random.dirichlet([1, 1, 1], 3))
    apart = disagreement(3, "linear")
    margin = answers.margin
    chance = margin @ apart @ margin
    patterns = np.stack(np.meshgrid(*[range(3)] * readers, indexing="ij"), -1).reshape(-1, readers)
    weight = np.array([answers.share @ answers.said[:, p].prod(axis=1) for p in patterns])
    pairs = readers * (readers - 1)
    seen = np.array([apart[np.ix_(p, p)].sum() / pairs for p in patterns])
    count = np.stack([(patterns == k).mean(axis=1) for k in range(3)], axis=1)
    disagreed = float(weight @ seen)
    influence = -seen / chance + disagreed / chance**2 * 2 * (count @ (apart @ margin))
    variance = weight @ influence**2 - (weight @ influence) ** 2
    assert case_variance(answers, apart, readers, corrected=True) == pytest.approx(variance)
    plain = weight @ seen**2 - disagreed**2
    assert case_variance(answers, apart, readers, corrected=False) == pytest.approx(plain)
    assert kappa_of(answers, apart) == pytest.approx(1 - disagreed / chance)


SIMULATED = [
    ("fleiss", "kappa", 0.6, (0.3, 0.7), 3, "nominal", "latent_class", False),
    ("cohen_quadratic", "kappa", 0.7, (0.3, 0.3, 0.2, 0.2), 2, "quadratic", "latent_normal", True),
    ("alpha_nominal", "alpha", 0.4, (0.2, 0.3, 0.5), 4, "nominal", "latent_class", False),
    ("percent", "percent", 0.8, (0.4, 0.6), 3, "nominal", "latent_class", False),
]


@pytest.mark.parametrize("setting", SIMULATED, ids=lambda one: one[0])
def test_planned_width_is_that_of_our_intervals_on_simulated_reads(setting):
    key, measure, value, shares, readers, weights, model, ordinal = setting
    planned = agreement_cases(
        measure, value, 0.06, prevalence=shares, readers=readers, weights=weights, model=model
    )
    prevalence = np.array(shares)
    apart = disagreement(prevalence.size, weights)
    chance = prevalence @ apart @ prevalence
    kappa = value if measure != "percent" else 1 - (1 - value) / chance
    answers = (
        latent_class(prevalence, kappa)
        if model == "latent_class"
        else latent_normal(prevalence, kappa, apart)
    )
    random = np.random.default_rng(5)
    names = tuple(LabelClass(str(k)) for k in range(prevalence.size))
    schema = LabelSchema(Kind.ORDINAL if ordinal else Kind.NOMINAL, names)
    half, found = [], []
    for _ in range(12):
        kind = random.choice(answers.share.size, planned.cases, p=answers.share)
        level = answers.said.cumsum(axis=1)[kind]
        said = (random.random((planned.cases, readers, 1)) > level[:, None, :-1]).sum(axis=2)
        case, reader = np.divmod(np.arange(said.size), readers)
        reads = class_reads(case, reader, [names[k].name for k in said.reshape(-1)], schema=schema)
        (estimate,) = [
            e
            for e in agreement(reads, measures=[key], draws=200)
            if e.key == key and e.scope == "overall"
        ]
        half.append((estimate.high - estimate.low) / 2)
        found.append(estimate.value)
    assert np.mean(half) == pytest.approx(0.06, rel=0.08)
    assert np.mean(found) == pytest.approx(value, abs=0.04)


def test_clustered_width_is_that_of_simulated_readers():
    """Beta-binomial readers and cases: the scatter of the pooled sensitivity is as planned."""
    how = Clustering(6, case=0.0, reader=0.03)
    random = np.random.default_rng(3)
    size = (1 - how.reader) / how.reader
    skill = random.beta(0.85 * size, 0.15 * size, (4000, how.readers))
    pooled = (random.binomial(120, skill) / 120).mean(axis=1)
    n = how.effective(120)
    assert pooled.var() == pytest.approx(0.85 * 0.15 / n, rel=0.06)
    shared = Clustering(6, case=1.0)
    assert shared.effective(120) == pytest.approx(120)  # six equal answers are one
    assert Clustering(6).effective(120) == pytest.approx(720)


def test_readers_who_differ_bound_the_precision():
    with pytest.raises(InputError, match="however many cases they read"):
        proportion_cases(0.9, 0.02, clustering=Clustering(3, reader=0.05))


def test_assurance_holds_in_the_binomial():
    plain = proportion_cases(0.9, 0.1, share=0.1)
    sure = proportion_cases(0.9, 0.1, share=0.1, assurance=0.9)
    random = np.random.default_rng(0)
    held = random.binomial(sure.cases, 0.1, 20_000) >= plain.counted
    assert sure.cases > plain.cases
    assert held.mean() == pytest.approx(0.9, abs=0.02)


def test_few_errors_and_rare_classes_are_said():
    assert "errors only" in proportion_cases(0.98, 0.05).words
    assert "rarest class" in agreement_width("kappa", 0.7, 100, prevalence=[0.02, 0.98]).words


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: proportion_cases(1.5, 0.1), "expected must be between 0 and 1"),
        (lambda: proportion_cases(0.9, 0.0), "half width"),
        (lambda: proportion_cases(0.9, 0.1, method="wald"), "method must be one of"),
        (lambda: proportion_cases(0.9, 0.1, level=2), "level"),
        (lambda: proportion_width(0.9, 3, share=0.1), "at least one case"),
        (lambda: Clustering(0), "readers must be 1 or more"),
        (lambda: Clustering(2, 0.7, 0.7), "correlations"),
        (lambda: agreement_cases("kappa", 1.0, 0.1, prevalence=[0.5, 0.5]), "below 1"),
        (lambda: agreement_cases("percent", 0.3, 0.1, prevalence=[0.5, 0.5]), "chance"),
        (lambda: agreement_cases("kappa", 0.5, 0.1, prevalence=[0.5, 0.6]), "sum to 1"),
        (lambda: agreement_cases("kappa", 0.5, 0.1, prevalence=[1.0]), "two or more"),
        (lambda: agreement_cases("icc", 0.5, 0.1, prevalence=[0.5, 0.5]), "measure"),
        (lambda: agreement_cases("kappa", 0.5, 0.1, prevalence=[0.5, 0.5], readers=1), "2 or more"),
        (lambda: variance_of("kappa", 0.5, np.ones(2) / 2, readers=3, model="worst"), "model"),
        (lambda: cases_to_show(0.4, 0.6, prevalence=[0.5, 0.5]), "floor"),
    ],
)  # fmt: skip
def test_what_cannot_be(call, words):
    with pytest.raises(InputError, match=words):
        call()
