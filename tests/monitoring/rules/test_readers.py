"""Readers who differ from the others: simulated ones, then those of two real tables."""

from __future__ import annotations

import numpy as np
import pytest

from overread.exchange import Columns, read_classes, read_scores
from overread.labels import class_reads, score_reads
from overread.monitoring.rules import RuleContext, Severity
from overread.monitoring.rules.readers import deviating_readers, deviations


def scores(seed, shift=0.0, spread=0.0, readers=12, cases=120):
    """Every reader reads a third of the cases; the last one is off."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(50, 10, cases)
    bias = rng.normal(0, 1.0, readers)
    bias[-1] = shift
    case, reader, value = [], [], []
    for r in range(readers):
        for c in rng.choice(cases, cases // 3, replace=False).tolist():
            noise = rng.normal(0, 2 + (spread if r == readers - 1 else 0))
            case.append(c)
            reader.append(f"R{r}")
            value.append(truth[c] + bias[r] + noise)
    return score_reads(case, reader, value)


def test_a_reader_of_another_level_is_listed_with_the_interval():
    hints = deviating_readers(RuleContext(scores(0, shift=12)))
    first = next(hint for hint in hints if hint.words.startswith("says"))
    assert first.reader == "R11"
    assert first.severity is Severity.WARNING
    assert first.numbers["difference"] == pytest.approx(12, abs=2)  # the others have a level too
    assert first.numbers["low"] < first.numbers["difference"] < first.numbers["high"]
    assert first.words.startswith("says more score")


def test_a_scattering_reader_is_listed_though_the_level_is_right():
    hints = deviating_readers(RuleContext(scores(1, spread=14)))
    assert ("R11", "is further") in {(h.reader, h.words[:10]) for h in hints}


def test_usual_readers_are_seldom_out_of_the_spread():
    false = sum(
        hint.severity is Severity.WARNING
        for seed in range(20)
        for hint in deviating_readers(RuleContext(scores(100 + seed)))
    )
    assert false <= 6  # of 20 sets x 12 readers x 2 things


def test_equal_readers_are_not_listed_at_all():
    listed = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        case = np.repeat(np.arange(100), 3)
        reader = np.concatenate([rng.choice(8, 3, replace=False) for _ in range(100)])
        truth = rng.integers(0, 2, 100)
        said = np.where(rng.random(300) < 0.85, truth[case], 1 - truth[case])
        reads = class_reads(case, reader, said)
        listed += bool(deviating_readers(RuleContext(reads)))
    assert listed <= 3  # stated: 1 set in 100


def test_difference_is_that_of_the_means_on_shared_cases():
    reads = score_reads([1, 1, 2, 2, 3], ["A", "B", "A", "B", "A"], [1.0, 2.0, 5.0, 8.0, 90.0])
    level = next(one for one in deviations(reads) if one.kind == "level")
    assert level.cases.tolist() == [2, 2]
    assert level.difference.tolist() == [-2.0, 2.0]
    assert np.isnan(level.p).all()  # two cases are no ground for a verdict


@pytest.mark.shared_data
def test_til_density_lists_the_two_readers_far_from_all_others(shared_reads):
    columns = Columns(case="caseID", reader="readerID", value="densityTILs")
    reads = read_scores(
        shared_reads / "til-density-37-readers.csv",
        columns=columns, low=0, high=100, blank="skip", unreadable="NA", repeats="first",
    )  # fmt: skip
    # by hand: mean over shared cases of own value less the mean of the others
    hints = deviating_readers(RuleContext(reads))
    out = {hint.reader for hint in hints if hint.severity is Severity.WARNING}
    level = next(one for one in deviations(reads) if one.kind == "level")
    far = np.nan_to_num(np.where(level.cases >= 10, level.difference, 0))
    top = [reads.index.readers[i] for i in np.argsort(-np.abs(far))[:2]]
    assert out == set(top)


@pytest.mark.shared_data
def test_nih_lists_readers_who_say_yes_more_often(shared_reads):
    columns = Columns(case="Image ID", reader="Reader ID", label="Airspace opacity")
    reads = read_classes(
        shared_reads / "nih-four-findings-readers.csv", columns=columns, repeats="first"
    )
    hints = deviating_readers(RuleContext(reads))
    out = {h.reader for h in hints if h.severity is Severity.WARNING and h.label == "YES"}
    assert out
    for hint in hints:
        if hint.reader in out and hint.label == "YES":
            assert hint.numbers["low"] > 0
            assert hint.numbers["p"] < 0.001
