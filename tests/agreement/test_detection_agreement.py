"""Agreement of findings: a naive matcher as the oracle, signs, empty reads, real radiographs."""

import math
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from overread.agreement.detection import STEPS, detection_agreement
from overread.errors import InputError
from overread.geometry.boxes import areas, iou_matrix
from overread.geometry.pairing import match_scores
from overread.labels import BoxReads, InstanceReads, Kind, LabelClass, LabelSchema, read_index

_NAMES = ("mass", "nodule")


def _schema(kind):
    return LabelSchema(kind, tuple(LabelClass(name) for name in _NAMES))


def _boxes(reads, **columns):
    """Table from (case, reader, [(box, class), ...]) rows; None is "cannot be read"."""
    index = read_index([r[0] for r in reads], [r[1] for r in reads])
    rows = [(k, *one) for k, r in enumerate(reads) for one in (r[2] or [])]
    return BoxReads(
        index,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[1] for row in rows], float).reshape(-1, 4),
        _schema(Kind.BOX),
        np.array([r[2] is None for r in reads]),
        **columns,
    )


def _outlined(table):
    """The same findings as outlines."""
    x1, y1, x2, y2 = table.box.T
    corners = np.stack([x1, y1, x2, y1, x2, y2, x1, y2], 1).reshape(-1, 2)
    first = np.arange(0, len(corners) + 1, 4)
    return InstanceReads(
        table.index,
        table.read,
        table.label,
        corners,
        first,
        _schema(Kind.INSTANCE),
        table.unreadable,
    )


def _random(seed, cases=30):
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        lesions = rng.uniform(0, 80, (rng.integers(0, 4), 2))
        for reader in "ABC":
            found = []
            for centre in lesions[rng.random(len(lesions)) < 0.8]:
                low = centre + rng.normal(0, 2, 2)
                found.append(([*low, *(low + rng.uniform(12, 20, 2))], int(rng.integers(2))))
            if rng.random() < 0.2:
                low = rng.uniform(0, 80, 2)
                found.append(([*low, *(low + 10)], 0))
            rows.append((f"c{case}", reader, found))
    return rows


def _of(figures, key, scope="overall"):
    (one,) = [e for e in figures if e.key == key and e.scope == scope]
    return one


def _matrix(study, key):
    return next(m for m in study.pairs if m.key == key)


def _naive(rows, at_least, aware):
    """Matches and findings of each pair of reads, one image after another."""
    out = []
    for one, two in combinations(rows, 2):
        if one[0] != two[0]:
            continue
        a, b = (np.array([f[0] for f in r[2]], float).reshape(-1, 4) for r in (one, two))
        la, lb = (np.array([f[1] for f in r[2]], int) for r in (one, two))
        allowed = la[:, None] == lb[None, :] if aware else None
        got = match_scores(iou_matrix(a, b), at_least=at_least, allowed=allowed)
        ratio = np.log(areas(a)[got.first] / areas(b)[got.second])
        out.append((len(got.first), len(a), len(b), got.score.sum(), np.abs(ratio).sum()))
    return np.array(out, float)


@pytest.mark.parametrize("table", [_boxes, lambda rows: _outlined(_boxes(rows))])
def test_figures_equal_the_naive_matcher(table):
    rows = _random(1)
    got = detection_agreement(table(rows), draws=100)
    hits, a, b, iou, size = _naive(rows, 0.5, aware=False).T
    assert 10 < hits.sum() < a.sum()
    assert _of(got.overall, "f1").value == pytest.approx(2 * hits.sum() / (a + b).sum())
    per_case = np.where(a + b > 0, 2 * hits / np.maximum(a + b, 1), 1)
    assert _of(got.overall, "f1_case").value == pytest.approx(per_case.mean())
    assert _of(got.overall, "iou_matched").value == pytest.approx(iou.sum() / hits.sum())
    assert _of(got.overall, "existence").value == pytest.approx(((a > 0) == (b > 0)).mean())
    assert _of(got.overall, "count_difference").value == pytest.approx(np.abs(a - b).mean())
    want = 100 * math.expm1(size.sum() / hits.sum())
    assert _of(got.overall, "size_difference").value == pytest.approx(want)
    aware = _naive(rows, 0.5, aware=True)[:, 0].sum()
    assert _of(got.overall, "f1_class").value == pytest.approx(2 * aware / (a + b).sum())
    steps = np.mean([_naive(rows, step, aware=False)[:, 0].sum() for step in STEPS])
    assert _of(got.overall, "f1_50_95").value == pytest.approx(2 * steps / (a + b).sum())
    for code, name in enumerate(_NAMES):
        only = [(c, r, [one for one in found if one[1] == code]) for c, r, found in rows]
        hits_k, a_k, b_k, *_ = _naive(only, 0.5, aware=False).T
        value = _of(got.by_class, "f1_class", f"class {name}").value
        assert value == pytest.approx(2 * hits_k.sum() / (a_k + b_k).sum())
    for one in got.estimates():
        assert math.isnan(one.low) or one.low <= one.value + 1e-9
        assert math.isnan(one.high) or one.value - 1e-9 <= one.high


def _signed():
    """A draws larger boxes than B, shifted, and marks one more."""
    rows = []
    for case in range(12):
        rows.append((case, "A", [([10, 10, 30, 30], 0), ([60, 60, 70, 70], 1)]))
        rows.append((case, "B", [([12, 11, 28, 26], 0)]))
    return rows


def test_signs_of_oriented_figures():
    got = detection_agreement(_boxes(_signed()), draws=100)
    assert _matrix(got, "shift_left").value[0, 1] == -2
    assert _matrix(got, "shift_left").value[1, 0] == 2
    assert _matrix(got, "shift_bottom").value[0, 1] == 4
    assert _matrix(got, "size_bias").value[0, 1] == pytest.approx(100 * (400 / 240 - 1))
    assert _matrix(got, "sensitivity").value[0, 1] == 1  # A finds all of B's
    assert _matrix(got, "sensitivity").value[1, 0] == 0.5
    assert _matrix(got, "extra").value[0, 1] == 1
    assert _matrix(got, "extra").value[1, 0] == 0
    assert _matrix(got, "count_bias").value[0, 1] == 1
    assert _matrix(got, "count_ratio").value[0, 1] == 2
    rest = _of(got.against_rest, "size_bias", "B against the rest")
    assert rest.value == pytest.approx(-40)
    assert "40 % less" in rest.words
    assert "2 px further left" in _of(got.against_rest, "shift_left", "A against the rest").words
    assert {"size_bias", "shift_left"}.isdisjoint({one.key for one in got.overall})


def test_lengths_are_in_mm_where_the_spacing_is_known():
    spacing = np.tile([0.5, 2.0], (12, 1))
    got = detection_agreement(_boxes(_signed(), spacing_mm=spacing), distance=2.0, draws=100)
    left, bottom = _matrix(got, "shift_left"), _matrix(got, "shift_bottom")
    assert (left.value[0, 1], left.unit) == (-1, "mm")
    assert bottom.value[0, 1] == 8
    # The centres of the matched boxes lie 0 px in x and 1.5 px in y apart: 3 mm.
    assert _of(got.overall, "f1_centre").value == 0
    near = detection_agreement(_boxes(_signed(), spacing_mm=spacing), distance=3.0, draws=100)
    assert _of(near.overall, "f1_centre").value == pytest.approx(2 / 3)
    unknown = spacing.copy()
    unknown[3] = np.nan
    partly = detection_agreement(_boxes(_signed(), spacing_mm=unknown), draws=100)
    assert _matrix(partly, "shift_left").unit == "px"


def test_empty_reads_count_as_said():
    box = [([0, 0, 9, 9], 0)]
    rows = [("a", "A", []), ("a", "B", []), ("b", "A", box), ("b", "B", box), ("c", "A", box)]
    rows += [("c", "B", []), ("d", "A", None), ("d", "B", box)]
    got = detection_agreement(_boxes(rows), draws=100)
    assert _of(got.overall, "f1").value == pytest.approx(2 / 3)
    assert _of(got.overall, "f1_case").value == pytest.approx(2 / 3)
    assert _of(got.overall, "existence").value == pytest.approx(2 / 3)
    assert _of(got.overall, "existence_positive").value == pytest.approx(2 / 3)
    assert _of(got.overall, "f1").n_cases == 3  # "cannot be read" is no empty read
    assert "rests on 2 cases" in _of(got.overall, "f1").warning


def test_no_findings_at_all_is_explained():
    rows = [(case, reader, []) for case in "abc" for reader in "AB"]
    got = detection_agreement(_boxes(rows), draws=100)
    assert "no findings" in _of(got.overall, "f1").undefined
    assert _of(got.overall, "f1_case").value == 1
    alike = _of(got.overall, "existence")
    assert (alike.value, alike.high) == (1, 1)
    assert alike.low == pytest.approx(0.025 ** (1 / 3))
    assert "all alike" in alike.interval


def test_one_reader_or_no_reads_is_explained():
    one = detection_agreement(_boxes([("a", "A", []), ("b", "A", [])]), draws=100)
    assert all("read twice" in e.undefined for e in one.overall)
    table = _boxes([("a", "A", [])]).select(np.zeros(1, bool))
    assert all(math.isnan(e.value) for e in detection_agreement(table, draws=100).estimates())


def test_repeats_stay_within_the_reader():
    box, other = [([0, 0, 9, 9], 0)], [([50, 50, 59, 59], 0)]
    rows = [("a", "A", box), ("a", "A", other), ("a", "B", box), ("b", "A", box), ("b", "B", box)]
    got = detection_agreement(_boxes(rows), draws=100)
    # Case a: A's two reads count a half each: 1 match of (2 + 2) / 2 ... 2 (1 + 0.5) / (2 + 2).
    assert _of(got.overall, "f1").value == pytest.approx(3 / 4)
    assert _of(got.within, "f1", "A | A").value == 0
    assert _matrix(got, "f1").value[0, 0] == 0
    assert np.isnan(_matrix(got, "size_bias").value[0, 0])


def test_reader_order_does_not_matter():
    rows = _random(3, cases=12)
    turned = [(c, {"A": "Z", "B": "B", "C": "A"}[r], found) for c, r, found in rows]
    one, two = (detection_agreement(_boxes(t), draws=100) for t in (rows, turned))
    for key in ("f1", "f1_class", "iou_matched", "size_difference", "count_difference"):
        assert _of(one.overall, key).value == pytest.approx(_of(two.overall, key).value)


def test_readers_can_be_drawn_too():
    table = _boxes(_random(4))
    cases = _of(detection_agreement(table, draws=400).overall, "f1")
    both = _of(detection_agreement(table, draws=400, over_readers=True).overall, "f1")
    assert both.value == cases.value
    assert "readers" in both.interval
    assert both.high - both.low > cases.high - cases.low


def test_subgroups_and_bad_settings():
    table = _boxes(_random(5, cases=10))
    site = np.repeat([0, 1], 5)
    got = detection_agreement(table, subgroup=site, subgroups=("X", "Y"), draws=100)
    alone = detection_agreement(table.select(table.index.case >= 5), draws=100)
    assert _of(got.by_subgroup, "f1", "Y").value == _of(alone.overall, "f1").value
    with pytest.raises(InputError, match="at_least"):
        detection_agreement(table, at_least=0)
    with pytest.raises(InputError, match="distance"):
        detection_agreement(table, distance=-1)
    with pytest.raises(InputError, match="below 1"):
        detection_agreement(table, subgroup=site, subgroups=("X",))


@pytest.mark.shared_data
def test_real_radiographs(shared_reads):
    frame = pl.read_csv(shared_reads / "vindr-cxr-boxes.csv.gz")
    keys = frame.select("image_id", "rad_id").unique(maintain_order=True).with_row_index("row")
    found = frame.drop_nulls("x_min").join(keys, on=["image_id", "rad_id"]).sort("row")
    names = sorted(found["class_name"].unique())
    code = {name: k for k, name in enumerate(names)}
    table = BoxReads(
        read_index(keys["image_id"].to_numpy(), keys["rad_id"].to_numpy()),
        found["row"].to_numpy().astype(np.int64),
        np.array([code[name] for name in found["class_name"]]),
        found.select("x_min", "y_min", "x_max", "y_max").to_numpy().astype(float),
        LabelSchema(Kind.BOX, tuple(LabelClass(name) for name in names)),
    )
    got = detection_agreement(table, draws=100)
    f1 = _of(got.overall, "f1")
    assert (f1.n_cases, f1.n_readers, f1.n_reads) == (15000, 17, 45000)
    assert 0.45 < f1.low < f1.value < f1.high < 0.55
    assert f1.high - f1.low < 0.03
    assert 0.65 < _of(got.overall, "iou_matched").value < 0.78
    aorta = _of(got.by_class, "f1_class", "class Aortic enlargement").value
    assert aorta > _of(got.by_class, "f1_class", "class Nodule/Mass").value
    assert _of(got.overall, "existence").value == 1  # VinDr's readers never differ on "no finding"
