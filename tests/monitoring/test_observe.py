"""Observations of every label kind: what they say, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.labels import BoxReads, Kind, class_reads, score_reads
from overread.monitoring import observe
from tests.app.small_reads import READS
from tests.monitoring import reads as made


def by_read(found):
    """(case name, reader name) -> values."""
    pairs = zip(found.cases[found.case].tolist(), found.reader.tolist(), strict=True)
    keys = [(case, found.readers[reader]) for case, reader in pairs]
    return dict(zip(keys, found.value, strict=True))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_label_kind_is_observed(kind):
    reads = READS[kind]()
    found = observe(reads)
    assert found.n == np.sum(reads.index.reads_per_case()[reads.index.case] > 1)
    assert found.value.shape == (found.n, len(found.metrics))
    assert not np.isinf(found.value).any()
    assert found.lacking == ""
    assert (found.others >= 1).all()


@pytest.mark.parametrize("kind", list(Kind))
def test_rows_in_another_order_say_the_same(kind):
    reads = READS[kind]()
    turned = reads.select(np.arange(reads.index.n_reads)[::-1])
    one, two = by_read(observe(reads)), by_read(observe(turned))
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_allclose(value, two[key], atol=1e-9)


def test_classes_by_hand():
    reads = class_reads([*"aaabb"], [*"xyzxy"], ["1", "1", "2", "2", "2"])
    found = by_read(observe(reads))
    assert found["a", "x"][0] == 0.5
    assert found["a", "z"][0] == 1.0
    assert found["b", "y"][0] == 0.0


def test_grades_by_hand():
    reads = class_reads([*"aaaa"], [*"wxyz"], [0, 1, 2, 4], schema=[*"01234"], ordinal=True)
    found = by_read(observe(reads))
    assert [found["a", who][1] for who in "wxyz"] == [-2.0, -1.0, 1.0, 3.0]


def test_boxes_by_hand():
    reads = READS[Kind.BOX]()
    index = class_reads([*"aab"], [*"xyx"], [1, 1, 1]).index
    one, two = [10.0, 10, 30, 50], [10.0, 10, 30, 40]
    label = np.zeros(2, int)
    reads = BoxReads(index, np.array([0, 1]), label, np.array([one, two]), reads.schema)
    found = observe(reads)
    assert found.n == 2
    assert found.column("log_area")[0] == pytest.approx(np.log(40 / 30))
    assert found.column("edge_lower")[0] == pytest.approx(10 / 35)
    assert found.column("edge_left")[0] == 0
    assert found.column("iou")[0] == pytest.approx(0.75)
    assert found.column("unmatched")[0] == 0
    assert found.column("shift_y")[0] == pytest.approx(5 / 35)


@pytest.mark.parametrize("key", ["log_area", "edge_left", "edge_upper", "shift_x", "count"])
def test_what_one_has_more_of_the_other_has_less(key):
    reads = made.boxes(60).select(np.flatnonzero(made.boxes(60).index.reader < 2))
    found = observe(reads)
    value = found.column(key)
    one = dict(zip(found.case[found.reader == 0].tolist(), value[found.reader == 0], strict=True))
    two = dict(zip(found.case[found.reader == 1].tolist(), value[found.reader == 1], strict=True))
    for case, figure in one.items():
        np.testing.assert_allclose(figure, -two[case], atol=1e-9)


def test_borders_of_masks_are_in_mm():
    found = observe(made.masks(30, change=lambda _, radius: radius - 2.0))
    border = found.column("border")[found.reader == 0]
    assert np.nanmean(border) == pytest.approx(-1.0, abs=0.25)  # 2 pixels of 0.5 mm
    assert found.metrics[2].unit == "mm"
    bare = observe(made.masks(30, change=lambda _, radius: radius - 2.0, spacing=None))
    assert bare.metrics[2].unit == "pixels"
    assert np.nanmean(bare.column("border")[bare.reader == 0]) == pytest.approx(-2.0, abs=0.5)


def test_empty_masks_agree_and_have_no_border():
    found = observe(made.masks(4, change=lambda _, radius: radius * 0 - 1.0))
    mine = found.reader == 0
    assert (found.column("dice")[mine] == 0).all()
    assert np.isnan(found.column("border")[mine]).all()


@pytest.mark.parametrize("ordinal", [True, False])
def test_gold_stands_in_where_nobody_else_reads(ordinal):
    reads = class_reads([*"ab"], ["x", "x"], [0, 2], schema=[*"012"], ordinal=ordinal)
    found = observe(reads, gold=np.array([1, -1]))
    assert found.n == 1
    assert found.column("gold_error").tolist() == [1.0]
    assert np.isnan(found.column("disagreement")).all()


def test_gold_scores_and_sets():
    reads = score_reads([*"aab"], [*"xyx"], [1.0, 2.0, 5.0])
    found = observe(reads, gold=np.array([np.nan, 4.0]))
    assert found.column("gold_score")[-1] == 1.0
    sets = made.sets(5)
    gold = np.full((5, 4), -1)
    gold[0] = 1
    assert np.isfinite(observe(sets, gold=gold).column("gold_error")).sum() == 3


def test_gold_boxes_and_masks():
    reads = made.boxes(20)
    gold = reads.select(np.flatnonzero(reads.index.reader == 1))
    found = observe(reads, gold=gold)
    own = found.reader == 1
    assert np.nanmin(found.column("gold_iou")[own]) == pytest.approx(1.0)
    assert np.nanmax(found.column("gold_unmatched")[own]) == 0.0
    masks = made.masks(5)
    truth = [masks.mask(3 * case) for case in range(5)]
    found = observe(masks, gold=truth)
    assert (found.column("gold_dice")[found.reader == 0] == 1.0).all()


@pytest.mark.parametrize(
    "make", [made.grades, made.scores, made.sets, made.boxes, made.instances, made.masks]
)
def test_who_is_distrusted_is_no_measure_for_others(make):
    reads = make(12)
    distrust = reads.index.reader == 0
    found = by_read(observe(reads, distrust=distrust))
    alone = by_read(observe(reads.select(np.flatnonzero(~distrust))))
    for key, value in alone.items():
        np.testing.assert_allclose(found[key], value, atol=1e-9)
    whole = by_read(observe(reads))
    for key in (key for key in whole if key[1] == "Ada"):
        np.testing.assert_allclose(found[key], whole[key], atol=1e-9)


def test_seconds_are_compared_case_by_case():
    reads = class_reads([*"aabb"], [*"xyxy"], [1, 1, 0, 0], seconds=[10, 20, 30, 60])
    found = observe(reads)
    np.testing.assert_allclose(found.column("log_seconds"), np.log([0.5, 2, 0.5, 2]), rtol=1e-6)


def test_order_goes_by_time_by_rank_or_by_row():
    time = ["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-04"]
    timed = class_reads([*"aabb"], [*"xyxy"], [1, 1, 0, 0], time=time)
    assert (observe(timed).row.tolist(), observe(timed).ordered_by) == ([1, 2, 0, 3], "time")
    ranked = observe(timed, order=np.array([3, 2, 1, 0]))
    assert (ranked.row.tolist(), ranked.ordered_by) == ([3, 2, 1, 0], "order")
    plain = class_reads([*"aabb"], [*"xyxy"], [1, 1, 0, 0])
    assert (observe(plain).row.tolist(), observe(plain).ordered_by) == ([0, 1, 2, 3], "row")


def test_a_second_read_of_ones_own_is_no_second_opinion():
    reads = class_reads([*"aaa"], ["x", "x", "y"], [1, 1, 0], repeats="keep")
    assert observe(reads).row.tolist() == [0, 2]


def test_no_overlap_is_explained():
    alone = observe(class_reads([*"ab"], ["x", "x"], [1, 0]))
    assert alone.n == 0
    assert "of one reader" in alone.lacking
    apart = observe(class_reads([*"ab"], [*"xy"], [1, 0]))
    assert "no overlap to watch" in apart.lacking
    nothing = observe(READS[Kind.BOX]().select(np.empty(0, int)))
    assert nothing.lacking == "there are no reads"


def test_unreadable_reads_are_left_out():
    reads = class_reads([*"aaa"], [*"xyz"], ["1", "cannot be read", "1"])
    found = observe(reads)
    assert found.row.tolist() == [0, 2]
    assert found.others.tolist() == [1, 1]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.permutations(range(4)))
def test_new_names_for_classes_change_no_disagreement(seed, names):
    rng = np.random.default_rng(seed)
    case, reader = np.repeat(np.arange(8), 3), np.tile(np.arange(3), 8)
    label = rng.integers(0, 4, case.size)
    kept = rng.random(case.size) < 0.8
    case, reader, label = case[kept], reader[kept], label[kept]
    one = observe(class_reads(case, reader, label, schema=[*"0123"]))
    two = observe(class_reads(case, reader, np.array(names)[label], schema=[*"0123"]))
    np.testing.assert_array_equal(one.column("disagreement"), two.column("disagreement"))
