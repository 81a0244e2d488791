"""Consensus of masks over read tables: the three methods, their contract, and the odd cases."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from overread.consensus.masks import consensus_masks, majority_masks, signed_distance, staple
from overread.consensus.staple import staple_arrays
from overread.errors import InputError, MethodError
from overread.geometry.masks import dice
from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index

METHODS = {
    "majority": majority_masks,
    "staple": staple,
    "staple by case": lambda reads, **more: staple(reads, pool="case", **more),
    "staple on disagreement": lambda reads, **more: staple(reads, region="disagreement", **more),
    "signed distance": signed_distance,
    "signed distance by case": lambda reads, **more: signed_distance(reads, pool="case", **more),
}
FREE_OF_BACKGROUND = [name for name in METHODS if name not in ("staple", "staple by case")]


def schema(n_classes=2):
    return LabelSchema(Kind.MASK, tuple(LabelClass(f"class {k}") for k in range(n_classes)))


def table(by_case, *, n_classes=2, spacing=None):
    """by_case: for each case, (reader, mask or None) pairs."""
    rows = [(f"c{i}", f"R{j}", m) for i, reads in enumerate(by_case) for j, m in reads]
    case, reader, masks = zip(*rows, strict=True)
    index = read_index(list(case), list(reader))
    return mask_reads(index, list(masks), schema(n_classes), spacing_mm=spacing)


def distance(mask):
    inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
    return np.where(mask, inside - 0.5, 0.5 - outside)


def wave(rng, shape, width=4.0):
    field = gaussian_filter(rng.normal(size=shape), width, mode="wrap")
    return field / field.std()


def simulated(
    seed, *, n_cases=6, sd=(0.8, 1.2, 1.8, 2.5, 3.5), bias=(0, 0, 0, 0, 0), per_case=None, size=72
):
    """Ellipses with wavy borders, drawn by readers of unequal bias and precision."""
    rng = np.random.default_rng(seed)
    truths, by_case = [], []
    y, x = np.mgrid[:size, :size]
    for _ in range(n_cases):
        a, b = rng.uniform(12, 22, 2)
        round_ = (1 - np.hypot((y - size / 2) / a, (x - size / 2) / b)) * min(a, b)
        truth = round_ + 2 * wave(rng, y.shape, 6) > 0
        field = distance(truth)
        who = range(len(sd)) if per_case is None else rng.choice(len(sd), per_case, replace=False)
        reads = [
            (j, (field + bias[j] + sd[j] * wave(rng, y.shape) > 0).astype(np.uint8)) for j in who
        ]
        truths.append(truth)
        by_case.append(reads)
    return truths, by_case


def mean_dice(result, truths):
    pairs = zip(result.value.mask, truths, strict=True)
    return float(np.mean([dice(mask > 0, truth) for mask, truth in pairs]))


def nll(result, truths, by_case):
    """Mean -log p(truth) over the pixels that a reader marks or that are true."""
    total, n = 0.0, 0
    for p, truth, reads in zip(result.value.probability, truths, by_case, strict=True):
        inside = truth | np.any([m > 0 for _, m in reads], axis=0)
        chance = np.where(truth, p[1], p[0])[inside].astype(float)
        total -= np.log(np.maximum(chance, 1e-12)).sum()
        n += int(inside.sum())
    return total / n


def assert_contract(result, reads):
    for mask, p in zip(result.value.mask, result.value.probability, strict=True):
        np.testing.assert_allclose(p.sum(axis=0), 1, atol=1e-5)
        assert p.dtype == np.float32
        assert mask.shape == p.shape[1:]
        best = p.max(axis=0) - np.take_along_axis(p, mask[None].astype(int), axis=0)[0]
        assert best.max(initial=0) < 1e-4
    assert 0 < result.temperature <= 1
    known = result.reads > 0
    assert ((result.difficulty[known] >= 0) & (result.difficulty[known] <= 1)).all()
    assert (result.entropy[known] >= 0).all()
    sums = result.reliability.confusion.sum(axis=2)
    np.testing.assert_allclose(sums, 1)
    assert result.reads.sum() == result.read_rows.size
    assert len(result.provenance) == 64
    assert result.reliability.value.shape[0] == reads.index.n_readers


@pytest.mark.parametrize("name", METHODS)
def test_contract(name):
    _, by_case = simulated(0, n_cases=3)
    reads = table(by_case)
    result = METHODS[name](reads)
    assert_contract(result, reads)
    again = METHODS[name](reads)
    assert again.provenance == result.provenance
    assert all(map(np.array_equal, again.value.mask, result.value.mask))


@pytest.mark.parametrize("name", METHODS)
def test_order_of_rows_does_not_matter(name):
    _, by_case = simulated(1, n_cases=2)
    one = METHODS[name](table(by_case))
    two = METHODS[name](table([reads[::-1] for reads in by_case]))
    for a, b in zip(one.value.probability, two.value.probability, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("name", FREE_OF_BACKGROUND)
def test_padding_the_images_changes_nothing(name):
    _, by_case = simulated(2, n_cases=3)
    tight = [[(j, m[20:-9, 18:-16]) for j, m in reads] for reads in by_case]  # cuts some marks
    wide = [[(j, np.pad(m, ((31, 5), (0, 44)))) for j, m in reads] for reads in tight]
    small, large = METHODS[name](table(tight)), METHODS[name](table(wide))
    for p, q in zip(small.value.probability, large.value.probability, strict=True):
        assert np.array_equal(p, q[:, 31:-5, :-44])
    for a, b in zip(small.value.mask, large.value.mask, strict=True):
        assert np.array_equal(np.pad(a, ((31, 5), (0, 44))), b)
    assert np.array_equal(small.entropy, large.entropy)
    assert np.array_equal(small.difficulty, large.difficulty)
    assert np.array_equal(small.reliability.value, large.reliability.value, equal_nan=True)
    assert np.array_equal(small.reliability.confusion, large.reliability.confusion)


def test_published_staple_does_depend_on_padding():
    _, by_case = simulated(2, n_cases=1)
    wide = [[(j, np.pad(m, 200)) for j, m in reads] for reads in by_case]
    small = staple(table(by_case), pool="case").value.mask[0]
    large = staple(table(wide), pool="case").value.mask[0][200:-200, 200:-200]
    assert not np.array_equal(small, large)


def test_staple_by_case_is_staple_of_arrays():
    _, by_case = simulated(3, n_cases=2)
    result = staple(table(by_case), pool="case", calibrate=False)
    for reads, p in zip(by_case, result.value.probability, strict=True):
        plain = staple_arrays([m for _, m in reads])
        np.testing.assert_allclose(p[1], plain.probability, atol=1e-6)
    assert np.diff([step.objective for step in result.history]).min() > -1e-6


@pytest.mark.parametrize("name", ["staple", "staple by case", "signed distance"])
def test_tempering_leaves_the_mask(name):
    _, by_case = simulated(4, n_cases=3)
    reads = table(by_case)
    cool, plain = METHODS[name](reads), METHODS[name](reads, calibrate=False)
    assert plain.temperature == 1
    assert all(map(np.array_equal, cool.value.mask, plain.value.mask))


def test_tempering_makes_staple_mean_what_it_says():
    truths, by_case = simulated(5, n_cases=8, sd=(2, 2, 2.5, 3, 3))
    reads = table(by_case)
    for pool in ("case", "reader"):
        cool = staple(reads, pool=pool)
        plain = staple(reads, pool=pool, calibrate=False)
        assert cool.temperature < 0.8
        assert nll(cool, truths, by_case) < 0.8 * nll(plain, truths, by_case)


@pytest.mark.parametrize("seed", [11, 12])
def test_default_beats_majority_and_staple_with_unequal_readers(seed):
    truths, by_case = simulated(seed, n_cases=10)
    reads = table(by_case)
    best = consensus_masks(reads)
    assert mean_dice(best, truths) > mean_dice(majority_masks(reads), truths) + 0.003
    assert mean_dice(best, truths) > mean_dice(staple(reads), truths)
    assert nll(best, truths, by_case) < 0.7 * nll(majority_masks(reads), truths, by_case)


def test_a_reader_who_draws_too_large_is_found_and_undone():
    truths, by_case = simulated(6, n_cases=10, sd=(1.5,) * 5, bias=(0, 0.2, -0.2, 0, 5))
    reads = table(by_case)
    best = signed_distance(reads)
    assert mean_dice(best, truths) > mean_dice(majority_masks(reads), truths) + 0.005
    column = best.reliability.measures.index("border_bias")
    figures = best.reliability
    assert abs(figures.value[4, column] - 5) < 1
    assert figures.low[4, column] > 2
    assert figures.value[4, figures.measures.index("volume_bias")] > 0.2
    assert figures.value[:, figures.measures.index("precision")].argmin() == 4


def test_gross_errors_of_single_reads_do_no_harm():
    truths, by_case = simulated(7, n_cases=10, sd=(1.5,) * 5)
    for i, reads in enumerate(by_case):
        j, mask = reads[i % 5]
        wrong = (np.zeros_like(mask), np.roll(mask, (14, -10), (0, 1)), np.ones_like(mask))[i % 3]
        reads[i % 5] = (j, wrong)
    reads = table(by_case)
    ours = mean_dice(signed_distance(reads), truths)
    assert ours > mean_dice(majority_masks(reads), truths)
    assert ours > 0.93


def test_readers_who_share_few_cases_lend_each_other_their_bias():
    sd, bias = (1.0, 1.5, 2.0, 2.0, 3.0), (0.3, -3.0, 2.5, -0.4, 0.2)
    truths, by_case = simulated(8, n_cases=20, sd=sd, bias=bias, per_case=2)
    reads = table(by_case)
    ours = mean_dice(signed_distance(reads), truths)
    assert ours > mean_dice(signed_distance(reads, pool="case"), truths) + 0.01
    assert ours > mean_dice(majority_masks(reads), truths) + 0.02


def ball(shape, centre, radius, spacing):
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    square = sum(((a - c) * s) ** 2 for a, c, s in zip(axes, centre, spacing, strict=True))
    return (square < radius**2).astype(np.uint8)


def test_volumes_with_thick_slices_are_averaged_in_mm():
    spacing = np.array([3.0, 1.0, 1.0])
    shape, centre = (15, 44, 44), (7, 22, 22)
    reads = [(j, ball(shape, centre, r, spacing)) for j, r in enumerate((12, 14, 16))]
    result = signed_distance(table([reads], spacing=spacing))
    assert dice(result.value.mask[0] > 0, reads[1][1] > 0) > 0.98
    assert result.settings["unit"] == "mm"
    two = signed_distance(table([[reads[0], reads[2]]], spacing=spacing))
    assert dice(two.value.mask[0] > 0, reads[1][1] > 0) > 0.97  # the majority is the smaller one


@pytest.mark.parametrize("name", METHODS)
def test_three_classes_in_a_volume(name):
    rng = np.random.default_rng(0)
    shape, spacing = (10, 30, 30), (2.0, 1.0, 1.0)
    outer, inner = ball(shape, (5, 15, 15), 11, spacing), ball(shape, (5, 15, 13), 6, spacing)
    truth = outer + inner
    reads = []
    for j in range(4):
        parts = [distance(m > 0) + 0.6 * wave(rng, shape, 2.5) > 0 for m in (outer, inner)]
        reads.append((j, (parts[0] + (parts[0] & parts[1])).astype(np.uint8)))
    result = METHODS[name](table([reads], n_classes=3))
    vote = majority_masks(table([reads], n_classes=3)).value.mask[0]
    assert (result.value.mask[0] == truth).mean() > max((vote == truth).mean() - 0.03, 0.9)
    assert_contract(result, table([reads], n_classes=3))


def test_relabelling_classes_relabels_the_consensus():
    rng = np.random.default_rng(1)
    said = [(j, rng.integers(0, 3, (12, 12))) for j in range(3)]
    swap = np.array([0, 2, 1])
    swapped = [(j, swap[m]) for j, m in said]
    one = staple(table([said], n_classes=3), pool="case").value.probability[0]
    two = staple(table([swapped], n_classes=3), pool="case").value.probability[0]
    np.testing.assert_allclose(one[swap], two, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_one_reader_only_gives_that_mask_and_a_warning(name):
    _, by_case = simulated(9, n_cases=2)
    alone = [[reads[2]] for reads in by_case]
    result = METHODS[name](table(alone))
    for mask, [(_, said)] in zip(result.value.mask, alone, strict=True):
        assert np.array_equal(mask, said)
    assert any("one reader" in words for words in result.warnings)


@pytest.mark.parametrize("name", METHODS)
def test_case_read_by_one_of_several_readers_is_that_mask(name):
    _, by_case = simulated(9, n_cases=3)
    by_case[1] = [by_case[1][4]]
    result = METHODS[name](table(by_case))
    if "staple" not in name:  # STAPLE knows better than a reader it distrusts
        assert np.array_equal(result.value.mask[1], by_case[1][0][1])
    assert any("1 cases were read by one reader" in words for words in result.warnings)


@pytest.mark.parametrize("name", METHODS)
def test_found_empty_is_a_vote_for_background(name):
    shape = (30, 30)
    marked, empty = ball(shape, (15, 15), 6, (1, 1)), np.zeros(shape, np.uint8)
    two_of_three = METHODS[name](table([[(0, marked), (1, empty), (2, marked)]]))
    assert dice(two_of_three.value.mask[0] > 0, marked > 0) > 0.9
    one_of_three = METHODS[name](table([[(0, marked), (1, empty), (2, empty)]]))
    if name not in ("staple", "staple by case", "staple on disagreement"):
        assert not one_of_three.value.mask[0].any()
    nobody = METHODS[name](table([[(0, empty), (1, empty)]]))
    assert not nobody.value.mask[0].any()
    assert nobody.entropy[0] == 0
    assert nobody.difficulty[0] == 0


def test_existence_bounds_the_probability():
    shape = (30, 30)
    marked, empty = ball(shape, (15, 15), 6, (1, 1)), np.zeros(shape, np.uint8)
    p = signed_distance(table([[(0, marked), (1, empty), (2, marked)]])).value.probability[0]
    assert abs(p[1].max() - 2 / 3) < 1e-3
    p = signed_distance(table([[(0, marked), (1, empty), (2, empty)]])).value.probability[0]
    assert abs(p[1].max() - 1 / 3) < 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_repeats_of_one_reader_are_one_vote(name):
    shape = (30, 30)
    small, large = ball(shape, (15, 15), 5, (1, 1)), ball(shape, (15, 15), 9, (1, 1))
    once = METHODS[name](table([[(0, small), (1, small), (2, large)]]))
    often = METHODS[name](table([[(0, small), (1, small), *[(2, large)] * 5]]))
    assert np.array_equal(once.value.mask[0], often.value.mask[0])
    np.testing.assert_allclose(once.value.probability[0], often.value.probability[0], atol=1e-4)
    assert any("share one vote" in words for words in often.warnings)


@pytest.mark.parametrize("name", METHODS)
def test_unreadable_reads_are_left_out(name):
    _, by_case = simulated(10, n_cases=3)
    with_gaps = [list(reads) for reads in by_case]
    with_gaps[0].insert(2, (7, None))
    with_gaps[2] = [(0, None), (1, None)]
    result = METHODS[name](table(with_gaps))
    without = METHODS[name](table(by_case[:2]))
    assert result.reads.tolist() == [5, 5, 0]
    assert result.value.mask[2].size == 0
    assert result.value.probability[2].size == 0
    assert np.isnan(result.entropy[2])
    for a, b in zip(result.value.mask[:2], without.value.mask, strict=True):
        assert np.array_equal(a, b)
    assert np.isnan(result.reliability.value[-1]).all()
    assert any("no readable mask" in words for words in result.warnings)


@pytest.mark.parametrize("name", METHODS)
def test_gold_is_taken_as_it_is_and_teaches(name):
    sd, bias = (2.0, 2.0, 2.0), (4.0, 4.0, 0.0)
    truths, by_case = simulated(13, n_cases=8, sd=sd, bias=bias)
    gold = [t.astype(int) if i < 4 else None for i, t in enumerate(truths)]
    plain, taught = METHODS[name](table(by_case)), METHODS[name](table(by_case), gold=gold)
    for i in range(4):
        assert np.array_equal(taught.value.mask[i] > 0, truths[i])
        assert taught.entropy[i] == 0
    assert plain.provenance != taught.provenance
    if name == "signed distance":  # two of three readers draw too large: gold alone can tell
        before = mean_dice_of(plain, truths, range(4, 8))
        assert mean_dice_of(taught, truths, range(4, 8)) > before + 0.05


def mean_dice_of(result, truths, cases):
    return float(np.mean([dice(result.value.mask[i] > 0, truths[i]) for i in cases]))


def test_ties_are_stated_and_obeyed():
    reads = table([[(0, np.array([[1, 1, 0]])), (1, np.array([[1, 0, 0]]))]])
    first, last = majority_masks(reads), majority_masks(reads, ties="last")
    assert first.value.mask[0].tolist() == [[1, 0, 0]]
    assert last.value.mask[0].tolist() == [[1, 1, 0]]
    assert first.value.probability[0][1].tolist() == [[1.0, 0.5, 0.0]]
    assert "background" in first.settings["tie_rule"]


def test_reader_figures_by_hand():
    """Consensus marks 2 pixels; the third reader marks 4, of which 2 are right."""
    two, four = np.array([[1, 1, 0, 0, 0]]), np.array([[1, 1, 1, 1, 0]])
    result = majority_masks(table([[(0, two), (1, two), (2, four)]]))
    figures = result.reliability
    assert figures.measures == ("sensitivity", "precision", "dice", "volume_bias")
    np.testing.assert_allclose(figures.value[2], [1.0, 0.5, 4 / 6, 1.0])
    assert np.isnan(figures.low[2]).all()  # one case says nothing of the next
    np.testing.assert_allclose(figures.confusion[2], [[0, 1], [0, 1]])
    # Four pixels are marked by someone; on two of them one vote of three differs, and the
    # soft average there is 2/3 background: 2/3 of the votes are right with chance 2/3, ...
    wrong = (2 * 0 + 2 * (2 / 3 * 1 / 3 + 1 / 3 * 2 / 3)) / 4
    assert abs(result.difficulty[0] - wrong) < 1e-6


def test_hard_cases_are_difficult():
    _, easy = simulated(14, n_cases=1, sd=(0.5, 0.5, 0.5))
    _, hard = simulated(14, n_cases=1, sd=(5, 5, 5))
    for method in (majority_masks, signed_distance):
        result = method(table([*easy, *hard]))
        assert result.difficulty[1] > 2 * result.difficulty[0]
        assert result.entropy[1] > result.entropy[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: majority_masks(r, ties="coin"), "ties must be"),
        (lambda r: majority_masks(r, level=1.0), "level must be in"),
        (lambda r: staple(r, pool="all"), "pool must be"),
        (lambda r: staple(r, region="box"), "region must be"),
        (lambda r: staple(r, strength=-1), "strength must be"),
        (lambda r: signed_distance(r, pool="all"), "pool must be"),
        (lambda r: consensus_masks(r, method="mean"), "method must be one of"),
        (lambda r: staple(r, gold=[]), "gold must have 1 entries"),
        (lambda r: staple(r, gold=[np.zeros((3, 3), int)]), "row 1: gold mask must have the size"),
        (lambda r: staple(r, gold=[np.full((2, 3), 7)]), "row 1: gold mask must hold codes"),
    ],
)
def test_bad_settings_are_named(call, words):
    reads = table([[(0, np.array([[1, 1, 0], [0, 0, 0]])), (1, np.zeros((2, 3), int))]])
    with pytest.raises(InputError, match=words):
        call(reads)


def test_no_readable_mask_is_refused():
    reads = table([[(0, np.zeros((3, 3), int))]]).select(np.array([], dtype=int))
    for method in METHODS.values():
        with pytest.raises(MethodError, match="no readable mask"):
            method(reads)


@pytest.mark.shared_data
def test_two_observers_of_retina_vessels(shared_data):
    """DRIVE: the second observer's published sensitivity is .776 and specificity .973."""
    folder = shared_data / "retina-vessels"
    by_case = []
    for i in range(1, 7):
        both = [folder / f"{k}_manual" / f"{i:02d}_manual{k[0]}.png" for k in ("1st", "2nd")]
        masks = [(np.asarray(Image.open(path).convert("L")) > 0).astype(np.uint8) for path in both]
        by_case.append(list(enumerate(masks)))
    reads = table(by_case)
    pairs = [dice(a > 0, b > 0) for (_, a), (_, b) in by_case]
    assert 0.75 < np.mean(pairs) < 0.83
    vote = majority_masks(reads, gold=[reads_[0][1] for reads_ in by_case])
    sensitivity = vote.reliability.value[1, 0]
    assert abs(sensitivity - 0.776) < 0.04
    for result in (staple(reads), signed_distance(reads)):
        assert_contract(result, reads)
        for mask, ((_, a), (_, b)) in zip(result.value.mask, by_case, strict=True):
            assert dice(mask > 0, a > 0) > 0.75
            assert dice(mask > 0, b > 0) > 0.75
