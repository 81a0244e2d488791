"""Agreement of masks: every figure against the definition written out, and the edges."""

import math

import numpy as np
import pytest

from overread.agreement.masks import majority_agreement, mask_agreement
from overread.errors import InputError
from overread.geometry import masks
from overread.geometry.surfaces import surface_distances
from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index

_SCHEMA = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("node"), LabelClass("cyst")))


def _table(case, reader, masks_, spacing=None, **columns):
    return mask_reads(read_index(case, reader, **columns), masks_, _SCHEMA, spacing_mm=spacing)


def _value(figures, key, scope="overall"):
    (one,) = [e for e in figures if e.key == key and e.scope == scope]
    return one


def _random(seed, cases=5, readers=("A", "B", "C"), shape=(9, 11)):
    rng = np.random.default_rng(seed)
    case, reader, out = [], [], []
    for c in range(cases):
        for r in readers:
            mask = np.zeros(shape, int)
            corner = [rng.integers(0, n - 4) for n in shape]
            mask[tuple(slice(k, k + 4) for k in corner)] = rng.integers(0, 3)
            mask[tuple(rng.integers(0, n) for n in shape)] = rng.integers(0, 3)
            case.append(f"c{c}")
            reader.append(r)
            out.append(mask)
    return case, reader, out


@pytest.mark.parametrize("shape", [(9, 11), (5, 8, 7)])
def test_figures_equal_their_definition(shape):
    case, reader, out = _random(1, shape=shape)
    spacing = np.array([3.0, 1.0, 0.5][: len(shape)])
    got = mask_agreement(_table(case, reader, out, spacing), tolerance=1.5, draws=100)
    dice, hd95, assd, near, log = ([] for _ in range(5))
    for c in range(5):
        for a, b in ((0, 1), (0, 2), (1, 2)):
            for code in (1, 2):
                pair = [out[3 * c + k] == code for k in (a, b)]
                dice.append((code, masks.dice(*pair)))
                found = surface_distances(*pair, spacing=spacing)
                near.append(found.surface_dice(1.5))
                if not found.undefined:
                    hd95.append(found.hd95)
                    assd.append(found.assd)
                    log.append(abs(math.log(pair[0].sum() / pair[1].sum())))
    assert _value(got.overall, "dice").value == pytest.approx(np.mean([d for _, d in dice]))
    assert _value(got.overall, "hd95").value == pytest.approx(np.mean(hd95))
    assert _value(got.overall, "assd").value == pytest.approx(np.mean(assd))
    assert _value(got.overall, "surface_dice").value == pytest.approx(np.mean(near))
    assert _value(got.overall, "size_difference").value == pytest.approx(
        100 * (math.exp(np.mean(log)) - 1)
    )
    assert _value(got.overall, "hd").unit == "mm"
    for code, name in ((1, "class node"), (2, "class cyst")):
        want = np.mean([d for k, d in dice if k == code])
        assert _value(got.by_class, "dice", name).value == pytest.approx(want)
    first = [masks.dice(out[3 * c] == k, out[3 * c + 1] == k) for c in range(5) for k in (1, 2)]
    matrix = next(m for m in got.pairs if m.key == "dice")
    assert matrix.value[0, 1] == matrix.value[1, 0] == pytest.approx(np.mean(first))
    assert np.isnan(matrix.value.diagonal()).all()
    assert matrix.n_cases[0, 1] == 5
    for one in got.estimates():
        assert math.isnan(one.low) or one.low <= one.value <= one.high


def test_published_cubes_as_reads():
    first = np.zeros((40, 40, 40), int)
    first[10:20, 10:20, 10:20] = 1
    table = _table(["c", "c"], ["A", "B"], [first, np.roll(first, 2, 0)], np.array([3.0, 1, 1]))
    got = mask_agreement(table, draws=100)
    node = "class node"
    assert _value(got.by_class, "dice", node).value == pytest.approx(0.8)
    assert _value(got.by_class, "hd", node).value == pytest.approx(6.0)
    assert _value(got.by_class, "hd95", node).value == pytest.approx(6.0)
    assert "1 cases" in _value(got.by_class, "hd", node).warning


def test_size_bias_has_a_sign_and_an_order():
    small, large = np.zeros((9, 9), int), np.zeros((9, 9), int)
    small[2:4, 2:4] = large[2:6, 2:4] = 1
    case = [f"c{k}" for k in range(4) for _ in "AB"]
    got = mask_agreement(_table(case, ["A", "B"] * 4, [small, large] * 4), draws=100)
    bias = next(m for m in got.pairs if m.key == "size_bias")
    assert bias.value[0, 1] == pytest.approx(-50)
    assert bias.value[1, 0] == pytest.approx(100)
    one = _value(got.against_rest, "size_bias", "A against the rest")
    assert one.value == pytest.approx(-50)
    assert "50 % less" in one.words
    assert "size_bias" not in {e.key for e in got.overall}
    assert _value(got.overall, "hd").unit == "px"


def test_empty_masks_follow_the_convention_and_are_counted():
    none, some = np.zeros((5, 5), int), np.eye(5, dtype=int)
    case = ["a", "a", "b", "b"]
    got = mask_agreement(_table(case, ["A", "B"] * 2, [none, none, some, none]), draws=100)
    node = "class node"
    assert _value(got.by_class, "dice", node).value == 0.5
    assert _value(got.by_class, "both_empty", node).value == 0.5
    assert _value(got.by_class, "one_empty", node).value == 0.5
    assert "two surfaces" in _value(got.by_class, "hd", node).undefined
    assert _value(got.by_class, "surface_dice", node).value == 0.5
    cyst = _value(got.by_class, "dice", "class cyst")
    assert (cyst.value, cyst.high) == (1, 1)
    assert cyst.low < 0.2


def test_repeats_stay_within_the_reader_and_unreadable_is_left_out():
    base = np.zeros((6, 6), int)
    base[1:4, 1:4] = 1
    moved = np.roll(base, 1, 0)
    rows = [
        ("a", "A", base),
        ("a", "A", moved),
        ("a", "B", base),
        ("b", "A", base),
        ("b", "B", None),
    ]
    case, reader, out = zip(*rows, strict=True)
    got = mask_agreement(_table(case, reader, out), draws=100)
    between = (masks.dice(base == 1, base == 1) + masks.dice(moved == 1, base == 1)) / 2
    assert _value(got.by_class, "dice", "class node").value == pytest.approx(between)
    inner = _value(got.within, "dice", "A | A")
    assert inner.value == pytest.approx((1 + masks.dice(base == 1, moved == 1)) / 2)
    assert inner.n_reads == 2
    assert _value(got.overall, "dice").n_cases == 1


def test_one_reader_is_explained():
    got = mask_agreement(_table(["a"], ["A"], [np.zeros((3, 3), int)]), draws=100)
    assert all(math.isnan(e.value) and e.undefined for e in got.overall)
    assert got.within == ()


def test_subgroups():
    case, reader, out = _random(2, cases=6)
    table = _table(case, reader, out)
    got = mask_agreement(
        table, subgroup=np.array([0, 0, 1, 1, 1, -1]), subgroups=("X", "Y"), draws=100
    )
    alone = mask_agreement(table.select(np.isin(table.index.case, [2, 3, 4])), draws=100)
    part, whole = _value(got.by_subgroup, "dice", "Y"), _value(alone.overall, "dice")
    assert (part.value, part.n_cases) == (whole.value, 3)
    with pytest.raises(InputError, match="subgroup"):
        mask_agreement(table, subgroup=np.zeros(2, int))


def test_majority_of_the_others():
    case, reader, out = _random(4, cases=4, readers=("A", "B", "C", "D"))
    figures = majority_agreement(_table(case, reader, out), draws=100)
    want = []
    for c in range(4):
        others = np.stack(out[4 * c + 1 : 4 * c + 4])
        votes = np.stack([(others == k).sum(0) for k in range(3)])
        majority = votes.argmax(0)
        want += [masks.dice(out[4 * c] == k, majority == k) for k in (1, 2)]
    got = _value(figures, "dice", "A against the majority of the others")
    assert got.value == pytest.approx(np.mean(want))
    two = _table(case[:2], reader[:2], out[:2])
    assert majority_agreement(two, draws=100) == ()


def test_bad_settings_are_named():
    case, reader, out = _random(1, cases=1)
    with pytest.raises(InputError, match="tolerance"):
        mask_agreement(_table(case, reader, out), tolerance=-1)
    spacing = np.full((1, 2), np.nan)
    with pytest.raises(InputError, match="spacing_mm"):
        mask_agreement(_table(case, reader, out, spacing))
    with pytest.raises(InputError, match="level"):
        mask_agreement(_table(case, reader, out), level=1.0)
