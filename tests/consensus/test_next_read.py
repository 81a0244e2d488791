from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus.ebcc import ebcc
from overread.consensus.next_read import expected_gain, next_reads
from overread.errors import InputError, MethodError
from tests.consensus.simulated import simulate


def entropy(p):
    return -sum(x * np.log(x) for x in p if x > 0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_gain_and_change_by_enumeration(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    posterior, confusion = (
        rng.dirichlet(np.ones(classes), 5),
        rng.dirichlet(np.ones(classes), classes),
    )
    gain, change = expected_gain(posterior, confusion)
    for case, p in enumerate(posterior):
        left, changed = 0.0, 0.0
        for said in range(classes):
            joint = p * confusion[:, said]
            left += joint.sum() * entropy(joint / joint.sum())
            changed += joint.sum() * (joint.argmax() != p.argmax())
        assert gain[case] == pytest.approx(entropy(p) - left, abs=1e-12)
        assert change[case] == pytest.approx(changed)


@pytest.fixture(scope="module")
def fitted():
    reads, *_ = simulate(0, cases=80, readers=5, reads_a_case=3)
    return reads, ebcc(reads)


def test_ranked_by_gain(fitted) -> None:
    _, consensus = fitted
    ranked = next_reads(consensus, top=20)
    assert ranked.case.size == 20
    assert (np.diff(ranked.gain) <= 0).all()
    assert (ranked.reader == -1).all()
    assert ranked.entropy == pytest.approx(consensus.entropy[ranked.case])


def test_nobody_is_asked_twice_and_seconds_count(fitted) -> None:
    reads, consensus = fitted
    ranked = next_reads(consensus, reads=reads, readers="any")
    done = set(zip(reads.index.case.tolist(), reads.index.reader.tolist(), strict=True))
    assert ranked.case.size == 80
    assert not done & set(zip(ranked.case.tolist(), ranked.reader.tolist(), strict=True))
    free = next_reads(consensus, readers="any")
    slow = np.ones(5)
    slow[free.reader[0]] = 1000.0
    paid = next_reads(consensus, readers="any", seconds=slow)
    assert free.reader[0] not in paid.reader
    assert paid.rate == pytest.approx(paid.gain / slow[paid.reader])


def test_one_reader_who_has_read_a_case_is_not_asked(fitted) -> None:
    reads, consensus = fitted
    name = reads.index.readers[2]
    ranked = next_reads(consensus, reads=reads, readers=name)
    assert set(ranked.case.tolist()) == set(range(80)) - set(
        reads.index.case[reads.index.reader == 2].tolist()
    )


def test_bad_input_is_named(fitted) -> None:
    _, consensus = fitted
    with pytest.raises(InputError, match="readers must be readers of the consensus"):
        next_reads(consensus, readers="nobody")
    with pytest.raises(InputError, match=r"seconds must be above 0; got 0\.0"):
        next_reads(consensus, readers="any", seconds=np.zeros(5))
    bare = replace(consensus, reliability=replace(consensus.reliability, confusion=None))
    with pytest.raises(MethodError, match="no confusion"):
        next_reads(bare)
