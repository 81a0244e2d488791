"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.agreement.estimate import Estimate
from overread.report.words import against_pool, average, band, count, listed, number
from overread.words import percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.743421, "0.74"),
        (0.9982, "0.998"),
        (0.99999, ">0.999"),
        (0.00001, "<0.001"),
        (1.0, "1.00"),
        (0.0, "0.00"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "∞"),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_minus_and_units():
    assert number(-0.81) == "\N{MINUS SIGN}0.81"
    assert number(4.1, "mm") == "4.10 mm"
    assert number(81.0, "%") == "81.0 %"


@settings(deadline=None, max_examples=200)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_a_share_strictly_between_never_looks_certain(share):
    assert number(share) not in ("0.00", "1.00", "0.000", "1.000")
    assert percent(share) not in ("0 %", "100 %", "0.0 %", "100.0 %")


def test_counts_and_lists():
    assert count(1, "case") == "1 case"
    assert count(15_000, "case") == "15,000 cases"
    assert average(5.0) == "5"
    assert average(5.07) == "5.1"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("alpha_ordinal", 0.58, "moderately"),
        ("cohen_kappa", 0.9, "almost perfectly"),
        ("fleiss_kappa", -0.1, "less than chance would have them"),
        ("icc_2_1", 0.8, "well"),
        ("percent", 0.8, ""),
    ],
)
def test_bands(key, value, word):
    assert band(Estimate(key, key, value)) == word


def test_readers_are_judged_by_their_interval():
    assert against_pool("accuracy", 0.7, 0.65, 0.75, 0.9) == "worse than most"
    assert against_pool("accuracy", 0.88, 0.8, 0.93, 0.9) == "like the others"
    assert against_pool("sd", 2.0, 1.8, 2.2, 3.0) == "better than most"
    assert against_pool("bias", 2.0, 1.0, 3.0, 0.0) == "reads high"
    assert against_pool("accuracy", math.nan, math.nan, math.nan, 0.9) == "no reads"
