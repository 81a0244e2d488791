"""Reads on demand: decisions against enumeration, and replays that keep the truth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.analysis.reads_on_demand import next_asks, replay
from overread.consensus.dawid_skene import dawid_skene
from overread.errors import InputError
from overread.labels import class_reads
from overread.labels.classes import MultiLabelReads
from overread.labels.schema import Kind, schema_of
from overread.planning.demand import ASK, SETTLED, SPENT, SURE, decide, rise, worth_of
from overread.words import percent


@st.composite
def situations(draw):
    """(posterior, confusion, available)."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    k, n, readers = draw(st.integers(2, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    return (
        random.dirichlet(np.ones(k), n),
        random.dirichlet(np.ones(k), (readers, k)),
        random.random((n, readers)) < 0.7,
    )


@settings(deadline=None, max_examples=50)
@given(situations())
def test_worth_is_what_all_answers_would_bring(situation):
    posterior, confusion, available = situation
    n, readers = available.shape
    found = worth_of(
        posterior, confusion, available, np.ones((n, readers)), left=available.sum(axis=1)
    )
    for case in range(n):
        mine = np.flatnonzero(available[case])
        right = 0.0
        for answers in product(range(posterior.shape[1]), repeat=mine.size):
            joint = posterior[case].copy()
            for reader, said in zip(mine, answers, strict=True):
                joint *= confusion[reader, :, said]
            right += joint.max()
        assert found[case] == pytest.approx(max(right - posterior[case].max(), 0), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(situations())
def test_one_read_left_is_worth_its_rise(situation):
    posterior, confusion, available = situation
    gain = rise(posterior, confusion)
    one = worth_of(posterior, confusion, available, gain, left=np.minimum(available.sum(1), 1))
    best = np.where(available, gain, 0).max(axis=1)
    assert one == pytest.approx(best)


@settings(deadline=None, max_examples=50)
@given(situations(), st.floats(0.55, 0.99), st.integers(0, 2))
def test_a_decision_is_one_of_three_and_asks_the_best_a_second(situation, sure, read):
    posterior, confusion, available = situation
    gain = rise(posterior, confusion)
    seconds = np.arange(1.0, len(confusion) + 1)
    reads = np.full(len(posterior), read)
    asks = decide(posterior, gain, available, reads=reads, sure=sure, most=2, seconds=seconds)
    for case, (state, reader) in enumerate(zip(asks.state, asks.reader, strict=True)):
        if posterior[case].max() >= sure and read >= 1:
            assert state == SURE
        elif read >= 2 or not available[case].any():
            assert state == SPENT
        else:
            assert state == ASK
            assert available[case, reader]
            rate = gain[case] / seconds
            assert rate[reader] == rate[available[case]].max()
        assert (reader >= 0) == (state == ASK)


def test_a_case_is_done_when_the_reads_left_are_not_worth_it():
    posterior = np.array([[0.9, 0.1], [0.9, 0.1]])
    asks = decide(
        posterior, np.ones((2, 1)), np.ones((2, 1), bool), reads=np.array([1, 1]),
        worth=np.array([0.004, 0.006]), loss=0.005,
    )  # fmt: skip
    assert asks.state.tolist() == [SETTLED, ASK]


def simulated(n=300, readers=6, reads=5, seed=1):
    random = np.random.default_rng(seed)
    truth = random.choice(2, n, p=[0.75, 0.25])
    skill = np.linspace(0.78, 0.97, readers)
    case = np.repeat(np.arange(n), reads)
    who = np.concatenate([random.choice(readers, reads, replace=False) for _ in range(n)])
    right = random.random(case.size) < skill[who]
    said = np.where(right, truth[case], 1 - truth[case])
    table = class_reads(
        [f"{c:04}" for c in case], [f"r{w}" for w in who], said.astype(str),
        seconds=np.where(who == readers - 1, 5.0, 20.0),
    )  # fmt: skip
    return table, truth


def test_a_replay_saves_reads_and_keeps_the_truth():
    table, truth = simulated()
    full = (dawid_skene(table).value.code == truth).mean()
    found = replay(table, seed=3, starts=1)
    accuracy = (found.consensus.value.code == truth).mean()
    assert found.saved > 0.3
    assert accuracy > full - 0.015
    assert found.reads.min() >= 1
    assert found.used.sum() == found.reads.sum()
    assert f"{percent(found.saved)} saved" in found.words
    assert 1 - found.seconds[0] / found.seconds[1] > found.saved  # the quick and good are asked
    assert np.array_equal(replay(table, seed=3, starts=1).used, found.used)


def test_a_higher_wish_reads_more():
    table, _ = simulated(150)
    quick, slow = (
        replay(table, sure=0.8, loss=0.05, starts=1),
        replay(table, sure=0.999, loss=0, starts=1),
    )
    assert quick.used.sum() < slow.used.sum()
    whole = replay(table, warm_up=1.0, starts=1)
    assert whole.saved == 0


def test_the_next_reads_of_a_table():
    table, _ = simulated(200, reads=2)
    rows = next_asks(table, most=4)
    assert rows.height == 200
    assert set(rows["state"].unique()) <= {"ask", "sure", "settled", "spent"}
    asked = rows.filter(rows["state"] == "ask")
    assert asked.height
    done = set(zip(
        table.index.cases[table.index.case].tolist(),
        [table.index.readers[r] for r in table.index.reader], strict=True,
    ))  # fmt: skip
    assert not done & set(zip(asked["case"], asked["reader"], strict=True))
    assert asked["per_second"].is_sorted(descending=True)
    assert (rows.filter(rows["state"] == "sure")["reader"].is_null()).all()
    assert "ask" not in set(next_asks(table, most=2)["state"])


def test_sets_of_classes_are_sure_when_all_are():
    table, _ = simulated(80, reads=3)
    present = np.stack([table.label, 1 - table.label], axis=1).astype(np.int8)
    sets = MultiLabelReads(table.index, present, schema_of(Kind.MULTILABEL, ["a", "b"]))
    rows = next_asks(sets)
    assert rows.height == 80
    alone = next_asks(table)
    assert (rows["state"] == "ask").sum() >= 0.8 * (alone["state"] == "ask").sum()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: replay(t, warm_up=0), "warm-up"),
        (lambda t: replay(t, by="luck"), "by must be one of"),
        (lambda t: replay(t, sure=0.4), "sure must be above 0.5"),
        (lambda t: next_asks(t, most=0), "least and most"),
    ],
)
def test_what_cannot_be(call, words):
    table, _ = simulated(30)
    with pytest.raises(InputError, match=words):
        call(table)
