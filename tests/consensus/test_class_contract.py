"""What every class method keeps to: one suite over the table of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.analysis.methods import METHODS
from overread.consensus import SoftVotes, dawid_skene, hierarchical, majority, one_coin
from overread.errors import InputError, MethodError
from overread.labels import ClassReads, Kind, LabelSchema, class_reads
from tests.consensus.tables import simulated

_NAMES = [
    name
    for name, method in METHODS.items()
    if Kind.ORDINAL in method.kinds or Kind.NOMINAL in method.kinds
]


def _ordinal(reads: ClassReads) -> ClassReads:
    return ClassReads(reads.index, reads.label, LabelSchema(Kind.ORDINAL, reads.schema.classes))


def _reach(name: str, reads: ClassReads, **more: Any) -> Any:
    kinds = METHODS[name].kinds
    return METHODS[name].reach(reads if reads.schema.kind in kinds else _ordinal(reads), **more)


@pytest.mark.parametrize("name", _NAMES)
def test_result_is_whole(name: str) -> None:
    reads, truth = simulated(1)
    before = reads.label.copy()
    result = _reach(name, reads)
    n, k = reads.index.n_cases, reads.n_classes
    assert (reads.label == before).all()
    assert result.method == name
    assert result.posterior.shape == (n, k)
    assert result.posterior.sum(axis=1) == pytest.approx(np.ones(n))
    assert result.prevalence.sum() == pytest.approx(1)
    assert result.reliability.confusion.sum(axis=2) == pytest.approx(
        np.ones((reads.index.n_readers, k))
    )
    assert (result.reliability.low <= result.reliability.value).all()
    assert (result.reliability.value <= result.reliability.high).all()
    assert ((result.difficulty >= 0) & (result.difficulty <= 1)).all()
    assert (result.entropy >= 0).all()
    assert result.reads.sum() == reads.index.n_reads
    assert 0 < result.temperature <= 1
    assert len(result.provenance) == 64
    assert "tie_rule" in result.settings
    assert (result.value.code == truth).mean() > 0.7


@pytest.mark.parametrize("name", _NAMES)
def test_order_of_rows_does_not_matter(name: str) -> None:
    reads, _ = simulated(2, cases=80)
    shuffled = reads.select(np.random.default_rng(0).permutation(reads.index.n_reads))
    one, other = _reach(name, reads), _reach(name, shuffled)
    assert other.posterior == pytest.approx(one.posterior, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(_NAMES) - {"ordinal", "ebcc"}))
def test_renaming_the_classes_renames_the_answer(name: str) -> None:
    """(ordinal has an order; ebcc starts from a random symmetry breaking.)"""
    reads, _ = simulated(4, cases=120, accuracy=(0.7, 0.95))
    turn = np.array([2, 0, 1])
    turned = ClassReads(reads.index, turn[reads.label], reads.schema)
    one, other = _reach(name, reads), _reach(name, turned)
    assert other.posterior[:, turn] == pytest.approx(one.posterior, abs=1e-4)


@pytest.mark.parametrize("name", _NAMES)
def test_gold_is_certain_and_the_rest_still_sums(name: str) -> None:
    reads, truth = simulated(5)
    gold = np.where(np.arange(truth.size) < 40, truth, -1)
    result = _reach(name, reads, gold=gold)
    assert (result.value.code[:40] == truth[:40]).all()
    assert result.posterior[np.arange(40), truth[:40]] == pytest.approx(np.ones(40))


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize(
    ("case", "reader", "label"),
    [
        (["a"], ["R1"], ["x"]),
        (["a", "b"], ["R1", "R1"], ["x", "y"]),
        (["a", "a"], ["R1", "R2"], ["x", "x"]),
        (["a", "b"], ["R1", "R2"], ["x", "cannot be read"]),
        (["a", "a", "a"], ["R1", "R1", "R1"], ["x", "y", "x"]),
    ],
    ids=["one read", "one reader", "one category", "nothing readable in b", "repeats only"],
)
def test_small_tables_have_an_answer(name: str, case: Any, reader: Any, label: Any) -> None:
    result = _reach(name, class_reads(case, reader, label, repeats="keep"))
    assert result.posterior.sum(axis=1) == pytest.approx(np.ones(len(set(case))))
    assert np.isfinite(result.entropy).all()


@pytest.mark.parametrize("name", _NAMES)
def test_no_answer_at_all_is_an_error_in_words(name: str) -> None:
    reads = class_reads(["a"], ["R1"], ["cannot be read"], schema=["x", "y"])
    with pytest.raises(MethodError, match="no read that answers"):
        _reach(name, reads)


@pytest.mark.parametrize("name", _NAMES)
def test_gold_outside_the_classes_is_refused(name: str) -> None:
    reads, _ = simulated(5, cases=10)
    with pytest.raises(InputError, match=r"gold must be in 0 \.\. 2"):
        _reach(name, reads, gold=np.full(10, 7))


@pytest.mark.parametrize("method", [dawid_skene, one_coin])
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 4), readers=st.integers(2, 6))
def test_log_posterior_never_falls(method: Any, seed: int, classes: int, readers: int) -> None:
    reads, _ = simulated(seed, cases=30, readers=readers, classes=classes, per_case=min(3, readers),
                         accuracy=(0.1, 0.9))  # fmt: skip
    steps = [s.objective for s in method(reads, starts=1, max_iterations=60, tol=0).history]
    assert (np.diff(steps) > -1e-9 * abs(steps[0])).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_grouping_cases_with_equal_reads_changes_nothing(seed: int) -> None:
    from overread.consensus.dawid_skene import confusion_step, diagonal_prior
    from overread.consensus.em import climb, shares_start
    from overread.consensus.problem import make_problem, of_cases

    reads, truth = simulated(seed, cases=150, readers=3, classes=2, per_case=3)
    gold = np.where(np.arange(150) % 10 == 0, truth, -1)
    step = confusion_step(diagonal_prior(2, 1.0, 0.7), 1.0)
    results = []
    for group in (False, True):
        problem = make_problem(reads, gold, group=group)
        assert (problem.row_of_case is None) is not group
        run = climb(problem, step, shares_start(problem), max_iterations=50, tol=-1.0)
        results.append((of_cases(problem, run.posterior), run.log_likelihood))
    assert results[1][0] == pytest.approx(results[0][0], abs=1e-9)
    assert results[1][1] == pytest.approx(results[0][1], rel=1e-11)


def test_votes_of_a_good_model_help_and_its_reliability_is_found() -> None:
    reads, truth = simulated(21, cases=500, readers=5, classes=2, per_case=4, accuracy=(0.55, 0.75))
    rng = np.random.default_rng(0)
    right = rng.random(500) < 0.92
    p = np.where(right, 0.9, 0.1)
    probability = np.stack([np.where(truth == 0, p, 1 - p), np.where(truth == 1, p, 1 - p)], axis=1)
    probability[:50] = np.nan
    alone = dawid_skene(reads)
    helped = dawid_skene(reads, votes=[SoftVotes("net", probability)])
    assert (helped.value.code == truth)[50:].mean() > (alone.value.code == truth)[50:].mean() + 0.02
    assert helped.reliability.readers[-1] == "net"
    assert helped.reliability.reads[-1] == 450
    assert helped.reliability.value[-1, 0] > helped.reliability.value[:-1, 0].mean()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_log_posterior_never_falls_with_votes_either(seed: int) -> None:
    reads, _ = simulated(seed, cases=40, readers=4, classes=3, per_case=2)
    probability = np.random.default_rng(seed).dirichlet(np.ones(3), 40)
    result = dawid_skene(
        reads, votes=[SoftVotes("net", probability)], starts=1, tol=0, max_iterations=40
    )
    steps = [s.objective for s in result.history]
    assert (np.diff(steps) > -1e-9 * abs(steps[0])).all()


def test_votes_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="row 2: votes must be 0 or more and sum to 1"):
        SoftVotes("net", np.array([[0.5, 0.5], [0.9, 0.9]]))


def test_adding_reads_updates_without_starting_over() -> None:
    """Within .1 nat of the optimum in under a fifth of the iterations, at the same optimum."""
    plain: dict[str, Any] = {"starts": 1, "calibrate": False}
    needed = {"cold": 0, "warm": 0}
    for seed in (31, 32, 33):
        reads, _ = simulated(seed, cases=3000, readers=12, classes=3, per_case=3)
        before = dawid_skene(reads.select(reads.index.case < 2900), starts=1)
        best = dawid_skene(reads, **plain, tol=1e-14, max_iterations=3000)
        top = best.history[-1].objective
        for name, earlier in (("cold", None), ("warm", before)):
            result = dawid_skene(reads, **plain, warm=earlier)
            near = [step.objective > top - 0.1 for step in result.history]
            needed[name] += near.index(True) + 1
            assert result.history[-1].objective == pytest.approx(top, abs=1e-3)
            assert result.posterior == pytest.approx(best.posterior, abs=1e-3)
    assert needed["warm"] < needed["cold"] / 5


def test_a_warm_start_takes_new_cases_new_readers_and_votes() -> None:
    """Readers are matched by name, whatever their place; the new ones begin as an average one."""
    reads, truth = simulated(34, cases=400, readers=8, classes=3, per_case=4)
    names = [f"R{j}" for j in reads.index.reader]
    few = np.flatnonzero((reads.index.case < 300) & (reads.index.reader > 1))
    before = dawid_skene(
        class_reads(
            reads.index.case[few], np.array(names)[few], reads.label[few], schema=reads.schema
        ),
        starts=1,
    )
    now = class_reads(reads.index.case, names, reads.label, schema=reads.schema)
    net = SoftVotes("net", np.eye(3)[truth] * 0.7 + 0.1)
    for votes in ((), (net,)):
        cold = dawid_skene(now, votes=votes, starts=1, calibrate=False)
        warm = dawid_skene(now, votes=votes, starts=1, calibrate=False, warm=before)
        assert warm.posterior == pytest.approx(cold.posterior, abs=1e-3)
        assert warm.settings["start"] == "warm"
        assert warm.settings["warm"] == before.provenance
    with pytest.raises(InputError, match="warm must be a result on the same classes"):
        dawid_skene(class_reads(["a"], ["R1"], ["0"], schema=["0", "9"]), warm=before)


def test_tie_rules_are_obeyed_and_recorded() -> None:
    reads = class_reads(list("aabb"), ["R1", "R2"] * 2, ["x", "y", "y", "y"])
    codes = {
        ties: majority(reads, ties=ties).value.code[0]
        for ties in ("split", "first", "last", "none")
    }
    assert codes == {"split": 0, "first": 0, "last": 1, "none": -1}
    result = majority(reads, ties="none")
    assert result.settings["tied_cases"] == 1
    assert "no consensus" in str(result.settings["tie_rule"])
    assert {int(majority(reads, ties="random", seed=s).value.code[0]) for s in range(20)} == {0, 1}


def test_a_crowd_that_mostly_lies_is_noticed() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    case, reader = np.repeat(np.arange(300), 5), np.tile(np.arange(5), 300)
    said = np.where(truth[case] == 2, rng.choice([1, 2], p=[0.7, 0.3], size=1500), truth[case])
    start = np.eye(3)[truth]
    result = dawid_skene(class_reads(case, reader, said), start=start, starts=1)
    assert any("Label switch" in warning for warning in result.warnings)


def test_hierarchical_beats_plain_where_readers_have_few_reads() -> None:
    gains = []
    for seed in range(6):
        reads, truth = simulated(
            seed, cases=300, readers=120, classes=3, per_case=4, accuracy=(0.4, 0.9)
        )
        score = [
            -np.log(
                m(reads, starts=1, calibrate=False).posterior[np.arange(300), truth].clip(1e-6)
            ).mean()
            for m in (hierarchical, dawid_skene)
        ]
        gains.append(score[1] - score[0])
    assert np.mean(gains) > 0


@pytest.mark.parametrize(
    ("cases", "readers", "seeds"), [(60, 4, 100), (150, 10, 40), (1000, 5, 40)]
)
def test_reliability_intervals_cover(cases: int, readers: int, seeds: int) -> None:
    """Of accuracy and of both recalls; counting expected reads as known covers 75-90 % here."""
    hits, recall_hits = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        truth = (rng.random(cases) < 0.3).astype(int)
        recall = rng.uniform(0.55, 0.95, (readers, 2))
        case, reader = np.divmod(np.arange(cases * readers), readers)
        right = rng.random(case.size) < recall[reader, truth[case]]
        said = np.where(right, truth[case], 1 - truth[case])
        table = dawid_skene(
            class_reads(case, [f"{j:02d}" for j in reader], said, schema=["0", "1"]), starts=1
        ).reliability
        hits.append(_within(table.low[:, 0], recall @ [0.7, 0.3], table.high[:, 0]))
        recall_hits.append(_within(table.low[:, 1:], recall, table.high[:, 1:]))
    assert 0.92 <= np.mean(hits) <= 0.99
    assert 0.92 <= np.mean(recall_hits) <= 0.99


def _within(low: Any, value: Any, high: Any) -> float:
    return float(((low <= value) & (value <= high)).mean())


def test_the_unknown_truth_widens_intervals_and_gold_narrows_them() -> None:
    reads, truth = simulated(41, cases=120, readers=4, classes=2, per_case=4)
    blind = dawid_skene(reads, starts=1).reliability
    told = dawid_skene(reads, gold=truth, starts=1).reliability
    assert ((told.high - told.low) < (blind.high - blind.low)).all()
    counted = np.array([[(reads.label == truth[reads.index.case])[reads.index.reader == j].mean()]
                        for j in range(4)])  # fmt: skip
    assert told.value[:, :1] == pytest.approx(counted, abs=0.02)
