"""Every coefficient against published numbers, independent libraries and brute force."""

from __future__ import annotations

import itertools

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from overread.agreement.classes import agreement
from overread.agreement.coefficients import linearised, weight_matrix
from overread.agreement.measures import MEASURES
from overread.agreement.votes import votes_of
from overread.labels import CANNOT_BE_READ, ClassReads, class_reads

KRIPPENDORFF = """1 2 3 3 2 1 4 1 2 n n n
1 2 3 3 2 2 4 1 2 5 n 3
n 3 3 3 2 3 4 2 2 5 1 n
1 2 3 3 2 4 4 1 2 5 1 n"""

FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip


def of_matrix(
    wide: np.ndarray, *, ordinal: bool = True, n_classes: int | None = None
) -> ClassReads:
    """Reads of a (cases, readers) table of codes; -1 is not read."""
    case, reader = np.nonzero(wide >= 0)
    top = n_classes or int(wide.max()) + 1
    names = [str(k) for k in range(top)]
    label = [names[k] for k in wide[case, reader]]
    return class_reads(case, [f"R{g}" for g in reader], label, schema=names, ordinal=ordinal)


def of_table(table: list[list[int]]) -> ClassReads:
    rows = [(k, l) for k, row in enumerate(table) for l, n in enumerate(row) for _ in range(n)]
    return of_matrix(np.array(rows))


@pytest.fixture(scope="module")
def four_by_twelve() -> ClassReads:
    case, reader, label = [], [], []
    for g, row in enumerate(KRIPPENDORFF.splitlines()):
        for i, said in enumerate(row.split()):
            if said != "n":
                case.append(i), reader.append(g), label.append(said)
    return class_reads(case, reader, label, ordinal=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("alpha_nominal", 0.743421), ("alpha_ordinal", 0.815388), ("alpha_interval", 0.849107),
        ("alpha_ratio", 0.797403), ("ac1", 0.77544), ("fleiss", 0.76117), ("conger", 0.76207),
        ("brennan_prediger", 0.77273), ("ac2_quadratic", 0.91400),
    ],
)  # fmt: skip
def test_krippendorffs_example(four_by_twelve: ClassReads, key: str, value: float) -> None:
    [found] = agreement(four_by_twelve, measures=[key], interval="analytic")
    assert found.value == pytest.approx(value, abs=6e-6)


def test_published_interval_of_ac1(four_by_twelve: ClassReads) -> None:
    [found] = agreement(four_by_twelve, measures=["ac1"], interval="analytic")
    assert (found.low, found.high) == pytest.approx((0.46081, 1), abs=5e-6)


def test_fleiss_table() -> None:
    wide = np.array([np.repeat(np.arange(5), row) for row in FLEISS])
    [found] = agreement(of_matrix(wide), measures=["fleiss"], interval="analytic")
    assert found.value == pytest.approx(0.209931, abs=5e-7)
    assert found.value == pytest.approx(fleiss_kappa(FLEISS), abs=1e-12)


@pytest.mark.parametrize(
    ("table", "key", "value", "low", "high"),
    [
        ([[20, 5], [10, 15]], "cohen", 0.4, 0.151092, 0.648908),
        ([[11, 3, 1], [2, 9, 4], [0, 3, 12]], "cohen_linear", 0.65, 0.476399, 0.823601),
        ([[11, 3, 1], [2, 9, 4], [0, 3, 12]], "cohen_quadratic", 0.733333, 0.570981, 0.895686),
    ],
)
def test_published_cohen(table, key, value, low, high) -> None:
    [found] = agreement(of_table(table), measures=[key], interval="analytic")
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=6e-7)


def test_plain_cohen_of_three_grades() -> None:
    [found] = agreement(of_table([[11, 3, 1], [2, 9, 4], [0, 3, 12]]), measures=["cohen"])
    assert found.value == pytest.approx(0.566667, abs=5e-7)


tables = st.lists(st.integers(0, 9), min_size=9, max_size=9).map(
    lambda cells: np.array(cells).reshape(3, 3)
)


@settings(deadline=None, max_examples=30)
@given(tables)
def test_analytic_cohen_is_statsmodels(table: np.ndarray) -> None:
    # statsmodels divides by zero where kappa is undefined; that case has a test of its own.
    n = table.sum()
    if n < 3 or (table.sum(0) * table.sum(1)).sum() == n * n:
        return
    for key, weight in (("cohen", None), ("cohen_linear", "linear"), ("cohen_quadratic", "fc")):
        with np.errstate(all="ignore"):
            peer = cohens_kappa(table, wt=weight)
        reads = of_table(table.tolist())
        reads = of_matrix(reads.matrix(), n_classes=3)
        [found] = agreement(reads, measures=[key], interval="analytic")
        assert found.value == pytest.approx(peer.kappa, abs=1e-9)
        if peer.std_kappa > 1e-9 and found.low > -1 and found.high < 1:
            assert found.low == pytest.approx(peer.kappa_low, abs=1e-6)


wide_tables = st.tuples(
    st.integers(2, 12), st.integers(2, 5), st.integers(2, 4), st.integers(0, 10**6)
)


def draw(shape: tuple[int, int, int, int], *, missing: float = 0.3) -> np.ndarray:
    n, readers, classes, seed = shape
    rng = np.random.default_rng(seed)
    wide = rng.integers(0, classes, (n, readers))
    wide[rng.random(wide.shape) < missing] = -1
    return wide


@settings(deadline=None, max_examples=40)
@given(wide_tables)
def test_alpha_is_that_of_the_krippendorff_package(shape) -> None:
    wide = draw(shape)
    said = wide[(wide >= 0).sum(axis=1) > 1]
    if not said.size or np.unique(said[said >= 0]).size < 2:
        return  # undefined; the package raises
    data = np.where(wide < 0, np.nan, wide).T
    reads = of_matrix(wide, n_classes=shape[2])
    for kind, level in (("nominal",) * 2, ("ordinal",) * 2, ("interval",) * 2):
        peer = krippendorff.alpha(
            data, level_of_measurement=level, value_domain=list(range(shape[2]))
        )
        votes = votes_of(reads)
        found = MEASURES[f"alpha_{kind}"].of(votes, np.arange(shape[2], dtype=float))
        assert found.value == pytest.approx(peer, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(wide_tables)
def test_every_coefficient_by_brute_force(shape) -> None:
    """Percent, pooled and reader-wise chance, written out as loops over pairs."""
    wide = draw(shape)
    classes = shape[2]
    weights = weight_matrix("linear", classes)
    by_case = []
    for row in wide:
        said = row[row >= 0]
        pairs = list(itertools.permutations(said.tolist(), 2))
        if pairs:
            by_case.append(np.mean([1 - weights[k, l] for k, l in pairs]))
    if not by_case:
        return
    rated = wide[(wide >= 0).any(axis=1)]
    f = np.mean([[np.mean(r[r >= 0] == k) for k in range(classes)] for r in rated], axis=0)
    of_readers = [
        [np.mean(c[c >= 0] == k) for k in range(classes)] for c in wide.T if (c >= 0).any()
    ]
    between = [
        np.array(g) @ (1 - weights) @ np.array(h) for g, h in itertools.permutations(of_readers, 2)
    ]
    expected = {
        "none": 1.0,
        "pooled": f @ (1 - weights) @ f,
        "uniform": (1 - weights).mean(),
        "gwet": 1 - weights.sum() / (classes * (classes - 1)) * (f * (1 - f)).sum(),
        "readers": np.mean(between),
    }
    votes = votes_of(of_matrix(wide, n_classes=classes))
    for chance, value in expected.items():
        found = linearised(votes, weights, chance)
        if value < 1e-12:
            assert np.isnan(found.value)
        else:
            assert found.value == pytest.approx(1 - np.mean(by_case) / value, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(wide_tables)
def test_mean_pairwise_cohen_is_sklearns_mean(shape) -> None:
    wide = draw((shape[0] + 3, shape[1], shape[2], shape[3]), missing=0.1)
    values = []
    for g, h in itertools.combinations(range(wide.shape[1]), 2):
        both = (wide[:, g] >= 0) & (wide[:, h] >= 0)
        a, b = wide[both, g], wide[both, h]
        if not both.any() or (np.unique(np.r_[a, b]).size == 1):
            continue
        values.append(cohen_kappa_score(a, b, labels=range(shape[2])))
    if not values:
        return
    found = MEASURES["cohen"].of(votes_of(of_matrix(wide, n_classes=shape[2])))
    assert found.value == pytest.approx(np.mean(values), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(wide_tables, st.sampled_from(sorted(MEASURES)))
def test_influence_is_the_derivative_by_each_case(shape, key: str) -> None:
    """Adding a little weight to a case moves the coefficient as its influence says."""
    wide = draw(shape)
    votes = votes_of(of_matrix(wide, n_classes=shape[2]))
    measure = MEASURES[key]
    weights = measure.weights(votes)
    base = linearised(votes, weights, measure.chance)
    if np.isnan(base.value):
        return
    step = 1e-6
    n = base.rated.sum()
    for case in range(min(3, votes.n_cases)):
        if base.rated[case]:
            more = np.ones(votes.n_cases)
            more[case] += step
            moved = linearised(votes, weights, measure.chance, case_weight=more).value
            slope = (moved - base.value) / step
            assert slope == pytest.approx(base.influence[case] / n, abs=1e-4)


@settings(deadline=None, max_examples=25)
@given(wide_tables, st.sampled_from([k for k in sorted(MEASURES) if k != "alpha_ratio"]))
def test_order_of_rows_and_names_of_readers_do_not_matter(shape, key: str) -> None:
    wide = draw(shape)
    turned = wide[::-1, ::-1]
    values = np.arange(shape[2], dtype=float)
    one, other = (
        MEASURES[key].of(votes_of(of_matrix(w, n_classes=shape[2])), values)
        if (w >= 0).any()
        else None
        for w in (wide, turned)
    )
    if one is not None and other is not None:
        assert one.value == pytest.approx(other.value, abs=1e-9, nan_ok=True)


def test_a_readers_repeats_are_one_voice() -> None:
    once = class_reads([1, 1, 2, 2], ["A", "B", "A", "B"], ["x", "y", "y", "y"])
    twice = class_reads(
        [1, 1, 1, 2, 2, 2], ["A", "A", "B", "A", "A", "B"], list("xxyyyy"), repeats="keep"
    )
    for key in ("percent", "fleiss", "conger", "ac1", "alpha_nominal", "cohen"):
        first, second = (MEASURES[key].of(votes_of(r)).value for r in (once, twice))
        assert second == pytest.approx(first, abs=1e-12)


def test_split_repeats_count_half_and_never_with_themselves() -> None:
    # A says x, then y; B says x: half of the comparisons of A with B agree.
    reads = class_reads([1, 1, 1], ["A", "A", "B"], ["x", "y", "x"], repeats="keep")
    assert MEASURES["percent"].of(votes_of(reads)).value == pytest.approx(0.5)


def test_cannot_be_read_is_left_out_and_counted() -> None:
    reads = class_reads(
        [1, 1, 2, 2, 3, 3], list("ABABAB"), ["x", "x", "y", "x", CANNOT_BE_READ, "y"],
        schema=["x", "y"],
    )  # fmt: skip
    [found] = agreement(reads, measures=["percent"])
    assert found.value == pytest.approx(0.5)
    assert "1 answers" in found.words
    assert found.n_reads == 5


@pytest.mark.shared_data
def test_kappa_paradox_on_real_reads(shared_reads) -> None:
    rows = [
        r.split(",")
        for r in (shared_reads / "chexpert-eight-radiologists.csv").read_text().splitlines()
    ]
    at = rows[0].index("Lung Lesion")
    reads = class_reads(*([r[i] for r in rows[1:]] for i in (1, 0, at)))
    kappa, ac1 = agreement(reads, measures=["fleiss", "ac1"])
    assert (round(kappa.value, 2), round(ac1.value, 2)) == (0.32, 0.96)
    assert "AC1 is 0.96" in kappa.warning
    assert not ac1.warning
