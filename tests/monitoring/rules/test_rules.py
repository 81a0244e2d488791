"""Sizes, textures, imbalance, duplicates, contradictions: by hand and by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from overread.errors import InputError, MethodError
from overread.labels import (
    BoxReads,
    Kind,
    MultiLabelReads,
    class_reads,
    mask_reads,
    read_index,
    schema_of,
    score_reads,
)
from overread.monitoring.rules import (
    RULES,
    Annotation,
    Constraints,
    RuleContext,
    Severity,
    check,
    class_balance,
    drawings_of,
    fingerprint,
    gathered,
    measure_drawings,
    plane,
    populations,
)
from overread.monitoring.rules.contradictions import contradictions
from overread.monitoring.rules.duplicates import drawing_duplicates, duplicates, image_pairs
from overread.monitoring.rules.size import size_rows, sizes, too_small_for_texture
from overread.monitoring.rules.texture import texture_length


def boxes(sides, labels=None, *, cases=None, size=400):
    """One read a case, one square box a read."""
    n = len(sides)
    names = [str(i) for i in (range(n) if cases is None else cases)]
    middle = size / 2
    half = np.asarray(sides, dtype=float)[:, None] / 2
    return BoxReads(
        read_index(names, ["R"] * n),
        np.arange(n),
        np.zeros(n, dtype=np.int64) if labels is None else np.asarray(labels),
        np.hstack([middle - half, middle - half, middle + half, middle + half]),
        schema_of(Kind.BOX, ["a", "b"]),
    )


def measured(reads, image):
    return gathered(
        measure_drawings(plane(image), list(drawings_of(reads, row)))
        for row in range(reads.index.n_reads)
    )


def test_the_one_tiny_and_the_one_huge_box_are_listed():
    rng = np.random.default_rng(0)
    sides = np.r_[rng.normal(30, 3, 40), 8, 90]
    reads = boxes(sides)
    drawn = measured(reads, rng.normal(100, 5, (400, 400)))
    context = RuleContext(reads, drawn=drawn, usual=populations(drawn))
    hints = sizes(context)
    assert {hint.case for hint in hints[:2]} == {"40", "41"}
    assert {"smaller" in hint.words for hint in hints[:2]} == {True, False}
    assert len(hints) <= 3


def test_size_keeps_its_false_alarm_rate():
    rng = np.random.default_rng(1)
    reads = boxes(np.exp(rng.normal(np.log(30), 0.15, 2000)))
    drawn = measured(reads.select(np.arange(30)), np.zeros((400, 400)))
    areas = np.exp(rng.normal(7, 0.3, 20_000))
    usual = populations(drawn)
    many = {0: usual[0]}
    assert size_rows(drawn, many, 0.01)[0].mean() <= 0.1
    # the spreads of a normal log area are those of the normal distribution
    from overread.monitoring.rules.population import _spreads

    middle, below, above = _spreads(np.log(areas))
    assert (middle, below, above) == pytest.approx((7, 0.3, 0.3), abs=0.015)


@pytest.mark.parametrize("sigma", [2, 4, 6])
def test_texture_length_follows_the_grain(sigma):
    rng = np.random.default_rng(2)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (220, 220)), sigma)
    inside = np.zeros((220, 220), dtype=bool)
    inside[10:210, 10:210] = True
    # autocorrelation of a Gaussian of s is a Gaussian of s sqrt 2: 1/e at lag 2 s, twice that: 4 s
    assert texture_length(grain, inside) == pytest.approx(4 * sigma, rel=0.25)


def test_a_patch_of_tissue_too_small_for_its_grain_is_listed_and_single_things_never_are():
    rng = np.random.default_rng(3)
    tissue = ndimage.gaussian_filter(rng.normal(0, 1, (400, 400)), 3)
    reads = boxes(np.r_[rng.normal(120, 10, 30), 20, 24])
    drawn = measured(reads, tissue)
    context = RuleContext(reads, drawn=drawn, usual=populations(drawn))
    assert {hint.case for hint in too_small_for_texture(context)} == {"30", "31"}
    disc = np.hypot(*(np.mgrid[:400, :400] - 200.0)) <= 15
    smooth = ndimage.gaussian_filter(disc * 60.0, 4) + rng.normal(0, 1, (400, 400))
    things = boxes(np.r_[rng.normal(30, 2, 30), 14])
    drawn = measured(things, smooth)
    context = RuleContext(things, drawn=drawn, usual=populations(drawn))
    assert too_small_for_texture(context) == ()


def test_effective_numbers_are_cuis():
    reads = class_reads(list(range(110)), ["R"] * 110, ["a"] * 100 + ["b"] * 10)
    found = class_balance(reads, beta=0.99)
    assert found.effective == pytest.approx([(1 - 0.99**n) / 0.01 for n in (100, 10)])
    assert found.ratio[1] == pytest.approx(found.effective[0] / found.effective[1])
    assert found.low[1] < 10 < found.high[1]


@given(st.integers(2, 400), st.integers(1, 40), st.floats(1.5, 6))
@settings(deadline=None, max_examples=40)
def test_the_advice_reaches_the_target_and_no_less_would(many, few, target):
    reads = class_reads(list(range(many + few)), ["R"] * (many + few), ["a"] * many + ["b"] * few)
    found = class_balance(reads, target=target)
    rare = int(found.count.argmin())
    top = float(found.effective.max())

    def effective(n):
        return (1 - 0.999**n) / 0.001

    more = int(found.more[rare])
    assert top / effective(found.count[rare] + more) <= target + 1e-6
    if more:
        assert top / effective(found.count[rare] + more - 1) > target - 1e-6
    assert effective(found.keep[rare]) / found.effective[rare] <= target + 1e-6


def test_a_class_never_seen_is_named():
    reads = class_reads(list(range(40)), ["R"] * 40, ["a"] * 40, schema=["a", "b"])
    (hint,) = [one for one in check(RuleContext(reads)) if one.rule == "imbalance"]
    assert hint.label == "b"
    assert hint.words.startswith("0 against 40 of 'a'")


def test_readers_of_one_case_count_it_once():
    reads = class_reads([1, 1, 2, 2, 3, 3], ["R", "S"] * 3, ["a", "a", "a", "b", "b", "b"])
    assert class_balance(reads).count.tolist() == [1.5, 1.5]


def test_images_shown_again_under_another_class_are_listed_and_others_are_not():
    rng = np.random.default_rng(4)
    pictures = [
        plane(120 + 300 * ndimage.gaussian_filter(rng.normal(0, 1, (80, 80)), s))
        for s in rng.uniform(1.5, 6, 50)
    ]
    again = [pictures[0], pictures[1] * 1.2 + 9 + rng.normal(0, 3, (80, 80, 1)), pictures[2]]
    prints = dict(enumerate(fingerprint(one) for one in [*pictures, *again]))
    labels = ["a"] * 25 + ["b"] * 25 + ["b", "b", "a"]
    reads = class_reads(list(range(53)), ["R"] * 53, labels)
    pairs = image_pairs([prints[i] for i in range(53)])
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found == {(0, 50), (1, 51), (2, 52)}
    assert pairs.exact.tolist() == [True, False, True]
    assert len(set(pairs.groups(53)[[0, 50]].tolist())) == 1
    hints = duplicates(RuleContext(reads, prints=prints))
    assert {hint.case for hint in hints} == {"0", "50", "1", "51"}
    assert "the same image as another case, which is labelled 'b', not 'a'." in hints[0].words


def test_one_thing_in_two_images_with_two_classes_is_listed():
    rng = np.random.default_rng(5)
    images = [ndimage.gaussian_filter(rng.normal(0, 1, (100, 100)), 4) * 500 for _ in range(30)]
    images.append(images[0] + rng.normal(0, 2, (100, 100)))
    reads = boxes([40] * 31, [0] * 30 + [1], size=100)
    drawn = gathered(
        measure_drawings(plane(image), list(drawings_of(reads, row)))
        for row, image in enumerate(images)
    )
    hints = drawing_duplicates(RuleContext(reads, drawn=drawn))
    assert {(hint.case, hint.label) for hint in hints} == {("0", "a"), ("30", "b")}


def test_contradictions_of_sets_classes_and_versions():
    schema = schema_of(Kind.MULTILABEL, ["left", "mass", "no finding", "right"])
    index = read_index(["1", "2", "3"], ["R"] * 3, protocol=["1", "2", "2"])
    present = np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 0, 0]], dtype=np.int8)
    context = RuleContext(
        MultiLabelReads(index, present, schema),
        constraints=Constraints(
            classes=frozenset({"left", "right", "no finding"}),
            no_finding=frozenset({"no finding"}),
            exclusive=(frozenset({"left", "right"}),),
            version="2",
        ),
    )
    found = [(hint.rule, hint.case) for hint in contradictions(context)]
    assert found == [
        ("no-finding", "1"),
        ("lost-class", "1"),
        ("stale", "1"),
        ("exclusive", "2"),
        ("lost-class", "3"),
    ]


def test_stale_only_where_its_classes_changed():
    reads = class_reads([1, 2], ["R", "R"], ["a", "b"], protocol=["1", "1"])
    rules = Constraints(version="2", changed=frozenset({"b"}))
    assert [h.case for h in contradictions(RuleContext(reads, constraints=rules))] == ["2"]


def test_one_place_drawn_twice():
    reads = BoxReads(
        read_index(["c"], ["R"]),
        np.zeros(3, dtype=np.int64),
        np.array([0, 1, 0]),
        np.array([[0, 0, 10, 10], [0, 0, 10, 10.5], [30, 30, 40, 40]], dtype=float),
        schema_of(Kind.BOX, ["a", "b"]),
    )
    (hint,) = contradictions(RuleContext(reads))
    assert hint.rule == "drawn-twice"
    assert hint.words == "one place is drawn as 'a' and as 'b' (drawings 1 and 2)."


def test_masks_are_looked_at_class_by_class_in_the_slice_that_shows_most():
    volume = np.zeros((3, 40, 40), dtype=np.int64)
    volume[1, 10:30, 10:30] = 1
    volume[2, 10:14, 10:14] = 1
    schema = schema_of(Kind.MASK, ["background", "a"])
    reads = mask_reads(read_index(["c"], ["R"]), [volume], schema)
    (one,) = drawings_of(reads, 0)
    assert (one.frame, one.finding, one.box.tolist()) == (1, 1, [10, 10, 30, 30])


def test_scores_have_hints_about_readers_alone():
    reads = score_reads([1, 2], ["R", "R"], [1.0, 2.0])
    assert check(RuleContext(reads)) == ()


def test_errors_come_first_and_a_sample_hears_nothing_of_the_set():
    reads = class_reads(list(range(40)), ["R"] * 40, ["a"] * 39 + ["b"])
    rules = Constraints(classes=frozenset({"a"}))
    hints = check(RuleContext(reads, constraints=rules))
    assert [hint.severity for hint in hints] == [Severity.ERROR, Severity.NOTE]
    hints = check(RuleContext(reads, constraints=rules, sample=True))
    assert [hint.rule for hint in hints] == ["lost-class"]


def test_a_rule_of_ones_own_is_asked_and_must_return_hints():
    reads = class_reads([1], ["R"], ["a"])

    def mine(context):
        return (context.hint("mine", Severity.NOTE, "look.", 0),)

    assert check(RuleContext(reads), {**RULES, "mine": mine})[-1].words == "look."
    with pytest.raises(MethodError, match="'broken' must return a tuple of hints"):
        check(RuleContext(reads), {"broken": lambda _: ["look"]})


@pytest.mark.parametrize("rate", [0, 0.5, -1, float("nan")])
def test_false_alarm_rate_must_make_sense(rate):
    with pytest.raises(InputError, match="false_alarm"):
        RuleContext(class_reads([1], ["R"], ["a"]), false_alarm=rate)


def test_an_annotation_off_its_image_has_no_figures():
    one = Annotation(0, 1, 0, "box", np.array([200.0, 200, 220, 220]))
    assert np.isnan(measure_drawings(plane(np.zeros((90, 90))), [one]).area).all()
