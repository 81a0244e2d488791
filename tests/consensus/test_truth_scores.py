"""Consensus of boxes and masks against the truth: small worlds worked out by hand, and limits."""

import dataclasses

import numpy as np
import pytest

from overread.consensus import (
    fuse_boxes,
    majority_masks,
    median_boxes,
    score_findings,
    score_masks,
    signed_distance,
)
from overread.consensus.case_bootstrap import ratio_bounds, ratios
from overread.consensus.finding_score import CLIP
from overread.errors import InputError, MethodError
from overread.exchange import read_boxes, read_gold_boxes
from overread.geometry.surfaces import surface_distances
from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index

_CASES = ("a", "b", "c", "d", "e")


def _boxes():
    """Three readers of five cases; case e is normal for all of them."""
    rows = []
    for case in _CASES[:4]:
        rows += [(case, reader, "nodule", 10, 10, 30, 30) for reader in "XYZ"]
    rows.append(("a", "X", "mass", 60, 60, 80, 80))  # one reader's alone
    rows += [("e", reader, "no finding", None, None, None, None) for reader in "XYZ"]
    names = ("case", "reader", "label", "x1", "y1", "x2", "y2")
    return read_boxes(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _truth(reads, *rows):
    names = ("case", "label", "x1", "y1", "x2", "y2")
    return read_gold_boxes(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), reads)


def test_boxes_worked_out_by_hand():
    reads = _boxes()
    found = median_boxes(reads)
    truth = _truth(
        reads,
        ("a", "nodule", 10, 10, 30, 30),  # found, IoU 1
        ("b", "nodule", 10, 10, 30, 40),  # found, IoU 2/3
        ("c", "mass", 10, 10, 30, 30),  # found, of another class
        ("e", "nodule", 40, 40, 60, 60),  # missed by all
    )  # d has no truth: left out
    scored = score_findings(found, truth)
    assert (scored.n_cases, scored.n_true) == (4, 4)
    assert scored.precision == pytest.approx(2 / 3)
    assert scored.recall == pytest.approx(2 / 4)
    assert scored.f1 == pytest.approx(2 * 2 / (3 + 4))
    assert scored.iou == pytest.approx((1 + 2 / 3) / 2)
    # Candidates: three nodules that are there (share 1), one mass (share 1/3) that is not.
    existence = found.value.existence[found.value.case != 3]
    assert sorted(existence.round(3)) == [0.333, 1.0, 1.0, 1.0]
    assert scored.nll == pytest.approx(-np.log(2 / 3) / 4)
    assert scored.auc == 1.0
    for name in ("f1", "precision", "recall", "iou", "nll"):
        assert scored.low[name] <= getattr(scored, name) <= scored.high[name]


def test_a_true_box_counts_once_and_normal_cases_count():
    rows = [("a", reader, "n", 10 + shift, 10, 30 + shift, 30) for reader in "XYZ"
            for shift in (0, 4)]  # fmt: skip
    names = ("case", "reader", "label", "x1", "y1", "x2", "y2")
    reads = read_boxes(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    found = fuse_boxes(reads)
    assert (found.value.existence > 0.5).sum() == 2
    scored = score_findings(found, _truth(reads, ("a", "n", 10, 10, 30, 30)))
    assert (scored.precision, scored.recall) == (0.5, 1.0)
    normal = score_findings(found, _truth(reads, ("a", "no finding", None, None, None, None)))
    assert (normal.precision, normal.f1, normal.n_true) == (0.0, 0.0, 0)
    assert np.isnan(normal.recall)
    assert np.isnan(normal.iou)
    assert np.isnan(normal.auc)
    assert normal.nll <= -np.log(CLIP)


_ONE = {"case": ["a"], "reader": ["t"], "label": ["x"], "x1": [1], "y1": [1], "x2": [2], "y2": [2]}


def test_truth_that_does_not_fit_is_refused():
    reads = _boxes()
    found = median_boxes(reads)
    truth = _truth(reads, ("a", "nodule", 10, 10, 30, 30))
    with pytest.raises(InputError, match="at_least must be above 0"):
        score_findings(found, truth, at_least=0)
    with pytest.raises(InputError, match="truth must have the 5 cases"):
        score_findings(found, read_boxes(_ONE))
    with pytest.raises(InputError, match="truth must be one read a case"):
        score_findings(found, reads)
    other = LabelSchema(Kind.BOX, (LabelClass("x"), LabelClass("y")))
    with pytest.raises(InputError, match="truth must have the classes"):
        score_findings(found, dataclasses.replace(truth, schema=other))
    none = {name: getattr(truth, name)[:0] for name in ("read", "label", "box")}
    nobody = dataclasses.replace(truth, unreadable=np.ones(1, dtype=bool), **none)
    with pytest.raises(MethodError, match="nothing to score"):
        score_findings(found, nobody)


_MASKS = LabelSchema(Kind.MASK, tuple(LabelClass(n) for n in ("background", "liver", "cyst")))


def _disc(radius, shape=(30, 30)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (np.hypot(y - 14, x - 14) < radius).astype(int)


def _masks(spacing=None):
    """Case a: a disc of three radii; case b: empty for all; case c: a square, one with a cyst."""
    square = np.zeros((30, 30), dtype=int)
    square[5:15, 5:15] = 1
    cyst = square.copy()
    cyst[8:10, 8:10] = 2
    drawn = [_disc(8), _disc(9), _disc(10), *[np.zeros((30, 30), int)] * 3, square, square, cyst]
    index = read_index([case for case in "abc" for _ in "XYZ"], list("XYZ") * 3)
    return mask_reads(index, drawn, _MASKS, spacing_mm=spacing), square


def test_masks_worked_out_by_hand():
    reads, square = _masks()
    truth = (_disc(9), np.zeros((30, 30), int), square)
    scored = score_masks(majority_masks(reads), reads, truth)
    assert (scored.dice, scored.n_cases, scored.unit) == (1.0, 3, "px")
    assert scored.dice_by_class == {"liver": 1.0, "cyst": 1.0}
    assert (scored.hd95, scored.assd) == (0.0, 0.0)
    # Vote shares of the truth: in a, the rings between the radii; in c, four pixels of a cyst.
    outer, inner = (_disc(10) - _disc(9)).sum(), (_disc(9) - _disc(8)).sum()
    loss = [-np.log(2 / 3) * (outer + inner) / _disc(10).sum(), -np.log(2 / 3) * 4 / 100]
    assert scored.nll == pytest.approx(np.mean(loss), rel=1e-5)
    half = score_masks(majority_masks(reads), reads, (None, None, square * 2), draws=0)
    assert (half.dice, half.dice_by_class) == (0.0, {"liver": 0.0, "cyst": 0.0})
    assert np.isnan(half.hd95)
    assert (half.low, half.high) == ({}, {})


def test_distances_of_masks_are_in_mm_and_of_the_drawn_classes_alone():
    reads, square = _masks(np.array([2.0, 0.5]))
    moved = np.roll(square, 3, axis=0)
    found = signed_distance(reads)
    scored = score_masks(found, reads, (_disc(9), None, moved))
    apart = [surface_distances(found.value.mask[case] == 1, true == 1, spacing=np.array([2, 0.5]))
             for case, true in ((0, _disc(9)), (2, moved))]  # fmt: skip
    assert scored.unit == "mm"
    assert scored.hd95 == pytest.approx(np.mean([one.hd95 for one in apart]))
    assert scored.assd == pytest.approx(np.mean([one.assd for one in apart]))
    for name in ("dice", "hd95", "assd", "nll"):
        assert scored.low[name] <= getattr(scored, name) <= scored.high[name]


def test_a_log_loss_of_masks_does_not_depend_on_the_background_shown():
    small = [_disc(r) for r in (8, 9, 10)]
    large = [np.pad(one, 40) for one in small]
    index = read_index(["a"] * 3, list("XYZ"))
    losses = []
    for masks, truth in ((small, _disc(9)), (large, np.pad(_disc(9), 40))):
        reads = mask_reads(index, masks, _MASKS)
        losses.append(score_masks(majority_masks(reads), reads, (truth,)).nll)
    assert losses[0] == losses[1]


def test_true_masks_that_do_not_fit_are_refused():
    reads, square = _masks()
    found = majority_masks(reads)
    with pytest.raises(InputError, match="gold mask must have the size"):
        score_masks(found, reads, (None, None, square[:5]))
    with pytest.raises(InputError, match=r"gold mask must hold codes in 0 .. 2; got 3"):
        score_masks(found, reads, (None, None, square * 3))
    with pytest.raises(MethodError, match="nothing to score"):
        score_masks(found, reads, (None, None, None))


def test_the_bootstrap_knows_what_is_never_counted():
    top, bottom = np.array([[1.0, 0], [0, 0]]), np.array([[1.0, 0], [1, 0]])
    assert ratios(top, bottom)[0] == 0.5
    low, high = ratio_bounds(("x", "never"), top, bottom, draws=200, level=0.9, seed=1)
    assert (low["x"], high["x"]) == (0.0, 1.0)
    assert np.isnan(low["never"])
    again = ratio_bounds(("x", "never"), top, bottom, draws=200, level=0.9, seed=1)
    assert again[0]["x"] == low["x"]
