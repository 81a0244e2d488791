from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overread.consensus.choose import compare_methods, recommend
from overread.consensus.ebcc import ebcc
from overread.consensus.result import Fit
from overread.errors import InputError, MethodError
from overread.labels import class_reads
from tests.consensus.simulated import simulate


def careful(reads):
    return ebcc(reads, subtypes=1, starts=1)


def again(reads):
    return replace(careful(reads), method="again")


def blind(reads):
    """A consensus that knows nothing."""
    result = careful(reads)
    even = np.full_like(result.posterior, 1 / reads.n_classes)
    return replace(result, posterior=even, reliability=replace(result.reliability, confusion=None))


def rejected(reads):
    return replace(careful(reads), fit=Fit(129.78, 20, 1e-9, "rejected"))


@pytest.fixture(scope="module")
def reads():
    return simulate(0, cases=400, readers=6)[0]


def test_the_better_prediction_wins(reads) -> None:
    comparison = compare_methods(reads, {"blind": blind, "careful": careful})
    dull, good = comparison.candidates
    assert good.held_out > dull.held_out + 0.1
    assert (good.behind, good.behind_se) == (0.0, 0.0)
    assert dull.behind == pytest.approx(good.held_out - dull.held_out)
    assert dull.behind > 5 * dull.behind_se > 0
    assert dull.held_out == pytest.approx(comparison.guess, abs=0.05)
    choice = recommend(comparison)
    assert choice.method == "careful"
    assert "predicts held-out reads best" in choice.reason


def test_of_equals_the_first_is_kept(reads) -> None:
    comparison = compare_methods(reads, {"again": again, "careful": careful})
    assert recommend(comparison).method == "again"
    assert comparison.candidates[0].agreement == 1.0


def test_a_prediction_by_hand() -> None:
    reads, *_ = simulate(1, cases=6, readers=3, reads_a_case=3)
    seen: list[set[tuple[int, int]]] = []

    def spy(part):
        seen.append(set(zip(part.index.case.tolist(), part.index.reader.tolist(), strict=True)))
        return careful(part)

    comparison = compare_methods(reads, {"spy": spy}, folds=3)
    pairs = set(zip(reads.index.case.tolist(), reads.index.reader.tolist(), strict=True))
    assert len(seen) == 4
    hidden = [pairs - part for part in seen[:3]]
    assert set.union(*hidden) == pairs
    assert sum(map(len, hidden)) == len(pairs)
    total = 0.0
    for part in seen[:3]:
        rows = np.array(
            [
                (c, r) in part
                for c, r in zip(reads.index.case.tolist(), reads.index.reader.tolist(), strict=True)
            ]
        )
        fitted = careful(reads.select(rows))
        for row in np.flatnonzero(~rows):
            p = fitted.posterior[reads.index.case[row]]
            chance = p @ fitted.reliability.confusion[reads.index.reader[row], :, reads.label[row]]
            total += np.log(0.999 * chance + 0.001 / 3)
    assert comparison.candidates[0].held_out == pytest.approx(total / len(pairs))


def test_cautions_are_said(reads) -> None:
    comparison = compare_methods(reads, {"rejected": rejected})
    assert any(
        "rejected by its goodness of fit" in words for words in recommend(comparison).cautions
    )
    few, *_ = simulate(2, cases=80, readers=30, reads_a_case=3)
    cautions = recommend(compare_methods(few, {"careful": careful})).cautions
    assert any("reads for each reader and class" in words for words in cautions)
    rng = np.random.default_rng(0)
    noise = class_reads(
        np.repeat(np.arange(300), 3), np.tile(np.arange(3), 300), rng.integers(0, 2, 900)
    )
    cautions = recommend(compare_methods(noise, {"careful": careful})).cautions
    assert any("readers share" in words for words in cautions)


def test_bad_input_is_named(reads) -> None:
    with pytest.raises(InputError, match="name at least one method"):
        compare_methods(reads, {})
    with pytest.raises(InputError, match="folds must be 2 or more; got 1"):
        compare_methods(reads, {"careful": careful}, folds=1)
    single = class_reads(["a", "b"], ["R1", "R2"], ["0", "1"])
    with pytest.raises(MethodError, match="no case has reads of two readers"):
        compare_methods(single, {"careful": careful})
