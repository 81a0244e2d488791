"""Groups against wishes: counts, intervals, what is missing, in numbers and words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from overread.errors import InputError
from overread.planning.representation import Wish, representation

SEX = ["F"] * 90 + ["M"] * 8 + [None, ""]
AGE = [str(age) for age in range(100)]


def test_counts_shares_and_what_is_missing():
    wishes = [Wish("sex", "M", 30), Wish("sex", "X", 5), Wish("sex", "F", 40)]
    found = representation({"sex": SEX}, wishes)
    by_name = {one.group: one for one in found.groups}
    men = by_name["M"]
    theirs = binomtest(8, 98).proportion_ci(0.95, method="wilson")
    assert (men.count, men.more, men.surplus) == (8, 22, 0)
    assert (men.low, men.high) == pytest.approx((theirs.low, theirs.high))
    assert men.to_sample == 270  # 22 at 8 of 98: 269.5
    assert men.to_sample_most > men.to_sample
    assert by_name["X"].to_sample is None
    assert by_name["F"].surplus == 50
    assert found.unknown == {"sex": 2}
    said = " ".join(found.warnings)
    for words in ("none yet, look for 5", "22 more", "not known for 2 cases", "Sample more of M"):
        assert words in said


def test_ages_fall_into_the_bands_of_the_wishes():
    wishes = [
        Wish("age_band", "<18", 30),
        Wish("age_band", "18-64", 10),
        Wish("age_band", "65+", 1),
    ]
    found = {g.group: g.count for g in representation({"age": AGE}, wishes).groups}
    assert found == {"<18": 18, "18-64": 47, "65+": 35}
    strange = {"age": ["47.9", "063Y", "x", None, "-3"]}
    found = representation(strange, [Wish("age_band", "40-64", 1)])
    assert {g.group: g.count for g in found.groups} == {"40-64": 2}
    assert found.unknown == {"age_band": 3}


def test_one_group_only_is_said():
    found = representation({"site": ["north"] * 5})
    assert "nothing can be said of any other" in found.warnings[0]
    assert found.effective["site"] == 1


def test_none_is_a_class_like_any_other():
    found = representation({"class": ["none", "none", "nodule", ""]})
    assert {g.group: g.count for g in found.groups} == {"none": 2, "nodule": 1}


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1), st.integers(0, 50))
def test_sampling_as_told_meets_the_wish_at_the_share_found(values, wanted):
    found = representation({"x": values}, [Wish("x", "a", wanted)] if wanted else [])
    known = [value for value in values if value]
    assert sum(g.count for g in found.groups) == len(known)
    for group in found.groups:
        assert 0 <= group.low <= group.share <= group.high <= 1
        if group.to_sample is not None:
            assert group.count + group.to_sample * group.share >= group.wanted - 1e-6
            assert group.to_sample_most >= group.to_sample
    if known:
        assert 1 <= found.effective["x"] <= len(set(known)) + 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: representation({"a": ["x"], "b": []}), "one entry a case"),
        (lambda: representation({"a": ["x"]}, [Wish("sex", "F", 1)]), "column sex must be there"),
        (lambda: representation({"age": ["1"]}, [Wish("age_band", "old", 1)]), "age band"),
    ],
)
def test_what_cannot_be(call, words):
    with pytest.raises(InputError, match=words):
        call()
