"""Gold findings: what comes back, what they teach, and how far they are trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus import fuse_boxes, fuse_instances, score_findings
from overread.consensus.finding_match import finding_table, match_findings
from overread.consensus.given_findings import with_gold
from overread.errors import InputError
from overread.labels import BoxReads, InstanceReads, Kind, LabelSchema, ReadIndex
from tests.consensus.test_boxes import SCALE, SENS, reads_of, simulated


def gold_of(reads: BoxReads, truth: tuple, cases) -> BoxReads:
    """The truth of some cases, as one reader's reads."""
    case, label, box = truth
    cases = np.unique(cases)
    rows = np.flatnonzero(np.isin(case, cases))
    index = ReadIndex(cases, np.zeros(cases.size, int), reads.index.cases, ("gold",))
    return BoxReads(index, np.searchsorted(cases, case[rows]), label[rows], box[rows], reads.schema)


def outlined(reads: BoxReads) -> InstanceReads:
    """Every box as the outline of its corners."""
    x1, y1, x2, y2 = reads.box.T
    point = np.stack([x1, y1, x2, y1, x2, y2, x1, y2], axis=1).reshape(-1, 2)
    first = np.arange(0, len(point) + 1, 4)
    schema = LabelSchema(Kind.INSTANCE, reads.schema.classes)
    return InstanceReads(
        reads.index, reads.read, reads.label, point, first, schema, reads.unreadable
    )


@pytest.fixture(scope="module")
def world():
    reads, *truth = simulated(3, cases=150)
    return reads, tuple(truth)


def _sorted(case, label, box):
    return np.array(sorted(zip(case.tolist(), label.tolist(), *box.T.tolist(), strict=True)))


def test_gold_of_all_cases_is_exact(world):
    reads, truth = world
    found = fuse_boxes(reads, gold=gold_of(reads, truth, np.arange(150)))
    value = found.value
    there = value.existence > 0
    assert set(value.existence.tolist()) <= {0.0, 1.0}
    got = _sorted(value.case[there], value.code[there], value.box[there])
    assert np.array_equal(got, _sorted(*truth))
    assert (value.box_sd[there] == 0).all()
    assert (found.entropy == 0).all()
    scored = score_findings(found, gold_of(reads, truth, np.arange(150)), draws=0)
    assert (scored.f1, scored.nll, scored.auc) == (1.0, 0.0, 1.0)


@given(
    cases=st.sets(st.integers(0, 24), min_size=1),
    seed=st.integers(0, 50),
    outlines=st.booleans(),
    tied=st.booleans(),
)
@settings(deadline=None, max_examples=12)
def test_gold_findings_come_back_as_they_are(cases, seed, outlines, tied):
    reads, *truth = simulated(seed, cases=25)
    gold = gold_of(reads, tuple(truth), sorted(cases))
    if outlines:
        given_ = outlined(gold)
        found = fuse_instances(outlined(reads), gold=given_, exchangeable=tied)
        rings = {one.tobytes() for one in found.value.outline}
        assert {one.tobytes() for one in given_.outlines()} <= rings
    else:
        found = fuse_boxes(reads, gold=gold, exchangeable=tied)
    value = found.value
    told = np.isin(value.case, sorted(cases))
    there = told & (value.existence > 0)
    of_gold = gold.index.case[gold.read]
    assert np.array_equal(
        _sorted(value.case[there], value.code[there], value.box[there]),
        _sorted(of_gold, gold.label, gold.box),
    )
    assert set(value.existence[told].tolist()) <= {0.0, 1.0}
    assert (value.existence[~told] < 1).all()
    # Gold is no reader of the result.
    assert found.reliability.readers == reads.index.readers
    assert found.reliability.value.shape[0] == reads.index.n_readers
    assert found.reads.sum() == found.read_rows.size == reads.index.n_reads
    assert sorted(value.members.tolist()) == list(range(reads.read.size))
    assert np.all(np.diff(value.first) >= 0)
    assert value.first[-1] == value.members.size


def test_gold_teaches_what_readers_cannot_know_of_each_other():
    """All of them draw too small and share it: only gold can tell; so it is with sensitivity."""
    errors = []
    for seed in range(3):
        reads, *truth = simulated(seed, cases=160)
        middle = (reads.box[:, :2] + reads.box[:, 2:]) / 2
        half = (reads.box[:, 2:] - reads.box[:, :2]) / 2 * 0.8
        reads = replace(reads, box=np.hstack([middle - half, middle + half]))
        wanted = 0.8 * SCALE - 1
        parts = []
        for n in (0, 20):
            gold = gold_of(reads, tuple(truth), np.arange(n)) if n else None
            one = fuse_boxes(reads, gold=gold).reliability
            parts.append(np.abs(one.value[:, 4] - wanted).mean())
            if n:
                inside = (one.low[:, 4] <= wanted) & (wanted <= one.high[:, 4])
                assert inside.mean() >= 0.5
                assert np.abs(one.value[:, 0] - SENS).mean() < 0.06  # of 240 findings each
        errors.append(parts)
    without, with_ = np.mean(errors, axis=0)
    assert without > 0.1
    assert with_ < 0.03


def _mimics(seed: int, cases: int = 240):
    """Look-alikes that fool each reader with chance .7: without gold they pass for findings."""
    rng = np.random.default_rng(seed)
    rows, truth, extra = [], ([], [], []), []
    for case in range(cases):
        extra += [(case, r) for r in range(4)]
        for real in (True, False):
            low = rng.uniform(0, 400, 2) + (0 if real else 500)
            box = np.r_[low, low + rng.uniform(50, 90, 2)]
            if real:
                for column, one in zip(truth, (case, 0, box), strict=True):
                    column.append(one)
            marked = np.flatnonzero(rng.random(4) < (0.75 if real else 0.7))
            rows += [(case, int(r), 0, box + 2 * rng.normal(size=4)) for r in marked]
    reads = reads_of(rows, ("a",), cases=cases, extra=extra)
    return reads, (np.array(truth[0]), np.array(truth[1]), np.array(truth[2]))


def test_gold_calibrates_where_readers_err_together():
    reads, truth = _mimics(0)
    rest = gold_of(reads, truth, np.arange(80, 240))
    plain = fuse_boxes(reads)
    taught = fuse_boxes(reads, gold=gold_of(reads, truth, np.arange(80)))
    losses = [score_findings(one, rest, draws=0).nll for one in (plain, taught)]
    assert losses[1] < 0.5 * losses[0]
    assert losses[1] < 0.75  # an even guess costs .69
    assert "gold" in str(taught.settings["calibration"])
    assert taught.temperature < plain.temperature


def test_the_objective_never_falls_with_gold(world):
    reads, truth = world
    gold = gold_of(reads, truth, np.arange(0, 150, 3))
    for tied in (False, True):
        table = with_gold(finding_table(reads), reads, gold)
        history = match_findings(table, tied=tied).history
        objective = np.array([step[1] for step in history])
        assert (np.diff(objective) > -1e-6 * np.abs(objective[:-1])).all()


def test_gold_of_a_case_nobody_read_and_gold_that_cannot_be_read():
    rows = [(0, r, 0, [10.0, 10, 40, 40]) for r in range(3)]
    reads = reads_of(rows, ("a",), cases=3)
    index = ReadIndex(np.array([1, 2]), np.zeros(2, int), reads.index.cases, ("gold",))
    box = np.array([[5.0, 5, 9, 9]])
    gold = BoxReads(index, np.zeros(1, int), np.zeros(1, int), box, reads.schema,
                    np.array([False, True]))  # fmt: skip
    found = fuse_boxes(reads, gold=gold)
    assert found.value.case.tolist() == [0, 1]
    assert found.value.box[1].tolist() == box[0].tolist()
    assert found.reads.tolist() == [3, 0, 0]
    assert found.entropy[1] == 0
    assert np.isnan(found.entropy[2])
    assert found.settings["gold_cases"] == 1
    none = gold.select(np.array([1]))
    assert fuse_boxes(reads, gold=none).value.existence[0] == fuse_boxes(reads).value.existence[0]


def test_gold_that_does_not_fit(world):
    reads, truth = world
    gold = gold_of(reads, truth, [0, 1])
    with pytest.raises(InputError, match="gold must be one read a case"):
        fuse_boxes(reads, gold=gold.select(np.array([0, 0])))
    with pytest.raises(InputError, match="gold must have the 150 cases"):
        fuse_boxes(reads, gold=simulated(0, cases=5)[0])
    with pytest.raises(InputError, match="gold must be box reads"):
        fuse_boxes(reads, gold=outlined(gold))
    other = LabelSchema(Kind.BOX, reads.schema.classes[:1])
    alone = replace(gold, schema=other, label=np.zeros_like(gold.label))
    with pytest.raises(InputError, match="gold must have the classes a, b"):
        fuse_boxes(reads, gold=alone)
