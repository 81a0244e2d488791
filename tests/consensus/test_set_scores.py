"""Scores of sets of classes, and the interval of the AUC, against plain recomputation."""

import numpy as np
import pytest

from overread.consensus import majority, median_boxes, score, score_findings
from overread.consensus.choose import compare_by_class, compare_methods
from overread.consensus.scoring import MEASURES, score_sets
from overread.errors import InputError, MethodError
from overread.exchange import read_boxes, read_gold_boxes, read_gold_sets, read_label_sets


def _sets(seed=3, n=40):
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.2, 0.5, 0.7]
    rows = {"case": np.repeat(np.arange(n), 3), "reader": np.tile(list("XYZ"), n)}
    said = np.repeat(truth, 3, axis=0) ^ (rng.random((3 * n, 3)) < 0.2)
    return read_label_sets(rows | {f"k{k}": said[:, k].astype(int) for k in range(3)}), truth


def test_the_mean_over_classes_and_its_interval():
    reads, truth = _sets()
    parts = {name: majority(reads.of_class(k)) for k, name in enumerate(reads.schema.names)}
    right = truth.astype(int)
    right[:10, 1] = -1  # the second class is known of thirty cases alone
    found = score_sets(parts, right, draws=300)
    assert found.n_cases == 40
    alone = {name: score(parts[name], right[:, k], draws=0) for k, name in enumerate(parts)}
    for measure in MEASURES:
        for name in parts:
            assert getattr(found.by_class[name], measure) == getattr(alone[name], measure)
        mean = np.mean([getattr(one, measure) for one in alone.values()])
        assert getattr(found, measure) == pytest.approx(mean)
        assert found.low[measure] < found.high[measure]
        wide = np.mean([one.high[measure] - one.low[measure] for one in found.by_class.values()])
        assert found.high[measure] - found.low[measure] < wide  # a mean is surer than its parts
    assert found.by_class["k1"].n_cases == 30
    assert score_sets(parts, right, draws=0).low == {}


def test_truths_of_sets_that_do_not_fit():
    reads, truth = _sets()
    parts = {name: majority(reads.of_class(k)) for k, name in enumerate(reads.schema.names)}
    with pytest.raises(InputError, match="truth must have 3 columns"):
        score_sets(parts, truth[:, :2].astype(int))
    with pytest.raises(InputError, match="truth must be in 0"):
        score_sets(parts, truth.astype(int) + 1)
    with pytest.raises(MethodError, match="nothing to score"):
        score_sets(parts, np.full(truth.shape, -1))


def test_questions_held_out_together_are_their_mean():
    reads, _ = _sets()
    tables = {name: reads.of_class(k) for k, name in enumerate(reads.schema.names)}
    whole, parts = compare_by_class(tables, {"majority": majority})
    for name, table in tables.items():
        alone = compare_methods(table, {"majority": majority})
        assert parts[name].candidates[0].held_out == alone.candidates[0].held_out
    mean = np.mean([part.candidates[0].held_out for part in parts.values()])
    assert whole.candidates[0].held_out == pytest.approx(mean)
    assert whole.n_held_out == sum(part.n_held_out for part in parts.values())


@pytest.mark.parametrize("answer", [{"k0": [1], "k2": [""]}, {"label": ["k0"]}])
def test_gold_sets_wide_and_long(answer):
    reads, _ = _sets()
    gold = read_gold_sets({"case": ["7"]} | answer, reads)
    assert gold.shape == (40, 3)
    known = gold[reads.index.cases.tolist().index("7")].tolist()
    assert known == ([1, -1, -1] if "k0" in answer else [1, 0, 0])
    assert (np.delete(gold, reads.index.cases.tolist().index("7"), axis=0) == -1).all()


def test_gold_sets_that_contradict_themselves():
    reads, _ = _sets()
    with pytest.raises(InputError, match="same in two rows"):
        read_gold_sets({"case": ["7", "7"], "k0": [1, 0]}, reads)
    with pytest.raises(InputError, match="answer cases that somebody read"):
        read_gold_sets({"case": ["none"], "k0": [1]}, reads)


def test_the_auc_is_the_chance_of_the_right_order_and_has_an_interval():
    rng = np.random.default_rng(5)
    rows, truth = [], []
    for k in range(40):
        for at, real in ((10, True), (50, False)):
            rows += [
                (f"c{k}", r, "x", at, at, at + 20, at + 20)
                for r in "VWXYZ" if rng.random() < (0.7 if real else 0.4)
            ]  # fmt: skip
        rows += [(f"c{k}", r, "no finding", *(None,) * 4) for r in "VWXYZ"
                 if not any(row[:2] == (f"c{k}", r) for row in rows)]  # fmt: skip
        truth.append((f"c{k}", "x", 10, 10, 30, 30))
    names = ("case", "reader", "label", "x1", "y1", "x2", "y2")
    reads = read_boxes(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    columns = (names[0], *names[2:])
    gold = read_gold_boxes(
        dict(zip(columns, map(list, zip(*truth, strict=True)), strict=True)), reads
    )
    found = median_boxes(reads)
    scored = score_findings(found, gold)
    value = found.value
    real = value.box[:, 0] < 30
    one, other = value.existence[real], value.existence[~real]
    wins = (one[:, None] > other).mean() + (one[:, None] == other).mean() / 2
    assert scored.auc == pytest.approx(wins)
    assert 0.5 < scored.low["auc"] < scored.auc < scored.high["auc"] <= 1
    assert scored.high["auc"] - scored.low["auc"] < 0.3
