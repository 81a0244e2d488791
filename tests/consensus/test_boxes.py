from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.arrays import names_array
from overread.consensus.boxes import fuse_boxes, median_boxes
from overread.consensus.finding_match import finding_table, match_findings
from overread.errors import InputError
from overread.geometry.boxes import aligned_iou, iou_matrix
from overread.labels import (
    BoxReads,
    Kind,
    LabelClass,
    LabelSchema,
    ReadIndex,
    read_index,
    schema_of,
)

SENS = np.array([0.97, 0.92, 0.85, 0.75])
FALSE = np.array([0.05, 0.1, 0.2, 0.4])
SD = np.array([0.03, 0.06, 0.09, 0.14])
SCALE = np.array([1.0, 1.02, 0.98, 0.75])


def reads_of(
    rows: list[tuple], names: tuple[str, ...] = ("a", "b"), cases: int | None = None, extra=()
) -> BoxReads:
    """Reads from (case, reader, label, box) rows; ``extra`` (case, reader) pairs found nothing."""
    pairs = list(dict.fromkeys([(r[0], r[1]) for r in rows] + list(extra)))
    n_readers = max((p[1] for p in pairs), default=0) + 1
    n_cases = cases or max((p[0] for p in pairs), default=0) + 1
    index = ReadIndex(
        np.array([p[0] for p in pairs], dtype=np.int64),
        np.array([p[1] for p in pairs], dtype=np.int64),
        names_array(f"c{i}" for i in range(n_cases)),
        tuple(f"R{i}" for i in range(n_readers)),
    )
    rows = sorted(rows, key=lambda r: pairs.index((r[0], r[1])))
    schema = LabelSchema(Kind.BOX, tuple(LabelClass(name) for name in names))
    return BoxReads(
        index,
        np.array([pairs.index((r[0], r[1])) for r in rows], dtype=np.int64),
        np.array([r[2] for r in rows], dtype=np.int64),
        np.array([r[3] for r in rows], dtype=float).reshape(-1, 4),
        schema,
    )


def simulated(
    seed: int, cases: int = 400, mean: float = 1.5
) -> tuple[BoxReads, np.ndarray, np.ndarray, np.ndarray]:
    """Four unequal readers, two classes; returns reads and the truth (case, label, box)."""
    rng = np.random.default_rng(seed)

    def draw(n: int) -> np.ndarray:
        side = 90 * np.exp(0.4 * rng.normal(size=(n, 2)))
        low = rng.uniform(0, 1000 - side)
        return np.hstack([low, low + side])

    truth_case, truth_label, truth_box, rows, extra = [], [], [], [], []
    for case in range(cases):
        n = rng.poisson(mean)
        box, label = draw(n), rng.integers(0, 2, n)
        truth_case += [case] * n
        truth_label += label.tolist()
        truth_box.append(box)
        for r in range(4):
            extra.append((case, r))
            for one, what in zip(box, label, strict=True):
                if rng.random() < SENS[r]:
                    side = np.tile(one[2:] - one[:2], 2)
                    shrink = np.array([1, 1, -1, -1]) * (1 - SCALE[r]) / 2
                    drawn = one + side * (shrink + SD[r] * rng.normal(size=4))
                    said = what if rng.random() < 0.95 else 1 - what
                    if (drawn[2:] > drawn[:2]).all():
                        rows.append((case, r, int(said), drawn))
            rows += [(case, r, int(rng.integers(2)), one) for one in draw(rng.poisson(FALSE[r]))]
    reads = reads_of(rows, cases=cases, extra=extra)
    return reads, np.array(truth_case), np.array(truth_label), np.vstack(truth_box)


@pytest.fixture(scope="module")
def world():
    return simulated(0)


@pytest.fixture(scope="module")
def fused(world):
    return fuse_boxes(world[0])


def _hits(found, case, box, at=0.5):
    hit = np.zeros(found.case.size, dtype=bool)
    got = np.zeros(case.size, dtype=bool)
    for i in np.unique(case):
        mine, there = np.flatnonzero(found.case == i), np.flatnonzero(case == i)
        over = iou_matrix(found.box[mine], box[there]) >= at
        hit[mine] = over.any(axis=1)
        got[there] = over.any(axis=0)
    return hit, got


def test_finds_what_is_there(world, fused) -> None:
    _, case, _, box = world
    found = fused.value
    hit, _ = _hits(found, case, box)
    there = found.existence > 0.5
    assert hit[there].mean() > 0.98
    kept = replace(found, case=found.case[there], box=found.box[there])
    assert _hits(kept, case, box)[1].mean() > 0.98


def test_beats_the_median_in_place_and_matches_it_in_number(world, fused) -> None:
    reads, case, _, box = world

    def mean_iou(found) -> float:
        keep = found.existence > 0.5
        best = [
            iou_matrix(b[None], box[case == c]).max(initial=0)
            for c, b in zip(found.case[keep], found.box[keep], strict=True)
        ]
        return float(np.mean([b for b in best if b >= 0.5]))

    assert mean_iou(fused.value) > mean_iou(median_boxes(reads).value) + 0.02


def test_recovers_the_readers(fused) -> None:
    by = dict(zip(fused.reliability.measures, fused.reliability.value.T, strict=True))
    assert by["sensitivity"] == pytest.approx(SENS, abs=0.03)
    assert by["false_alarms"] == pytest.approx(FALSE, abs=0.08)
    assert by["class_accuracy"] == pytest.approx(np.full(4, 0.95), abs=0.03)
    # The most precise of few readers looks up to 30 % looser than he is: see the method's page.
    assert by["edge_sd"] == pytest.approx(SD, rel=0.4)
    assert by["edge_sd"][1:] == pytest.approx(SD[1:], rel=0.2)
    assert (np.diff(by["edge_sd"]) > 0).all()
    assert by["size_bias"] == pytest.approx(SCALE - 1, abs=0.02)


def test_intervals_hold_the_estimates_and_narrow_with_level(world, fused) -> None:
    r = fused.reliability
    assert ((r.low <= r.value) & (r.value <= r.high)).all()
    narrow = fuse_boxes(world[0], level=0.5).reliability
    assert (narrow.high - narrow.low < r.high - r.low).all()


def test_existence_is_calibrated() -> None:
    """Over several worlds, clusters said to exist with chance p exist with chance p."""
    said, real = [], []
    for seed in (1, 2):
        reads, case, _, box = simulated(seed, cases=300)
        found = fuse_boxes(reads).value
        said.append(found.existence)
        real.append(_hits(found, case, box, at=0.3)[0])
    p, hit = np.concatenate(said), np.concatenate(real)
    bins = np.minimum((p * 10).astype(int), 9)
    gap = np.bincount(bins, weights=hit - p, minlength=10)
    assert np.abs(gap).sum() / p.size < 0.02


def _tables(n_readers: int, cases: int, worlds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Existence, share of votes and whether a finding is there, over many small tables."""
    said, share, real = [], [], []
    for seed in range(worlds):
        reads, case, _, box = simulated(seed + 50, cases=cases)
        reads = reads.select(reads.index.reader >= 4 - n_readers)
        found = fuse_boxes(reads).value
        said.append(found.existence)
        share.append(np.diff(found.first) / n_readers)
        real.append(_hits(found, case, box, at=0.3)[0])
    return np.concatenate(said), np.concatenate(share), np.concatenate(real)


def _log_loss(p: np.ndarray, real: np.ndarray) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(real, p, 1 - p)).mean())


@pytest.mark.parametrize(("n_readers", "cases"), [(2, 6), (3, 6), (3, 25)])
def test_existence_is_honest_on_tiny_tables(n_readers: int, cases: int) -> None:
    """Few reads say little of the readers: what is said of the findings is the more cautious."""
    said, share, real = _tables(n_readers, cases, 150 // cases + 6)
    assert _log_loss(said, real) < _log_loss(share, real)
    sure = (said < 0.03) | (said > 0.97)
    assert np.abs(said - real)[sure].mean() < 0.03
    bins = np.minimum((said * 10).astype(int), 9)
    gap = np.bincount(bins, weights=real - said, minlength=10)
    assert np.abs(gap).sum() / said.size < 0.12


def test_few_marks_cap_the_temperature_and_say_so() -> None:
    reads = simulated(0, cases=8)[0]
    few, many = fuse_boxes(reads), fuse_boxes(simulated(0, cases=200)[0])
    assert few.temperature < 0.85 < many.temperature
    assert "cannot show how far readers err together" in str(few.settings["calibration"])


def test_standard_errors_cover(world, fused) -> None:
    _, case, _, box = world
    found = fused.value
    size = np.diff(found.first)
    inside = []
    for f in np.flatnonzero((found.existence > 0.5) & (size > 1)):
        truth = box[case == found.case[f]]
        over = iou_matrix(found.box[f][None], truth)[0]
        if over.max(initial=0) >= 0.5:
            inside.append(np.abs(found.box[f] - truth[over.argmax()]) < 1.96 * found.box_sd[f])
    assert 0.90 < np.mean(inside) < 0.99


def test_objective_never_falls(fused) -> None:
    path = np.array([step.objective for step in fused.history])
    assert path.size > 1
    assert np.diff(path).min() > -1e-6 * abs(path[-1])


def test_result_holds_together(world, fused) -> None:
    reads = world[0]
    found = fused.value
    assert np.array_equal(np.sort(found.members), np.arange(reads.read.size))
    assert found.first[-1] == found.members.size
    assert (np.diff(found.case) >= 0).all()
    same = np.diff(found.case) == 0
    assert (np.diff(found.existence)[same] <= 1e-12).all()
    assert fused.posterior.sum(axis=1) == pytest.approx(np.ones(found.case.size))
    assert np.array_equal(found.code, fused.posterior.argmax(axis=1))
    assert ((found.existence >= 0) & (found.existence <= 1)).all()
    owner = np.repeat(np.arange(found.case.size), np.diff(found.first))
    assert np.array_equal(reads.index.case[reads.read[found.members]], found.case[owner])
    assert (
        np.unique(np.column_stack([owner, reads.read[found.members]]), axis=0).shape[0]
        == owner.size
    )
    assert (fused.reads == 4).all()
    assert fused.read_rows.size == reads.index.n_reads
    assert len(fused.provenance) == 64
    assert 0 < fused.temperature <= 1
    assert fused.prevalence.sum() == pytest.approx(1)
    assert ((fused.difficulty >= 0) & (fused.difficulty <= 1)).all()
    assert (fused.entropy >= -1e-12).all()


def test_order_of_reads_does_not_matter(world, fused) -> None:
    reads = world[0]
    shuffled = fuse_boxes(reads.select(np.random.default_rng(1).permutation(reads.index.n_reads)))
    a, b = fused.value, shuffled.value
    assert a.case.size == b.case.size
    assert np.sort(a.existence) == pytest.approx(np.sort(b.existence), abs=2e-3)
    assert fused.reliability.value == pytest.approx(shuffled.reliability.value, abs=2e-3)


def test_class_names_do_not_matter(world, fused) -> None:
    reads = world[0]
    other = fuse_boxes(replace(reads, label=1 - reads.label))
    assert other.value.case.size == fused.value.case.size
    assert other.prevalence[::-1] == pytest.approx(fused.prevalence, abs=1e-3)
    assert np.sort(other.value.existence) == pytest.approx(np.sort(fused.value.existence), abs=2e-3)


@settings(deadline=None, max_examples=4)
@given(factor=st.floats(0.05, 40), seed=st.integers(0, 5))
def test_units_do_not_matter(factor: float, seed: int) -> None:
    reads = simulated(seed, cases=15)[0]
    one, other = fuse_boxes(reads), fuse_boxes(replace(reads, box=reads.box * factor))
    assert other.value.box == pytest.approx(one.value.box * factor, rel=1e-6)
    assert other.value.existence == pytest.approx(one.value.existence, abs=1e-6)


def _pair(a: list[float], b: list[float], label: tuple[int, int] = (0, 0)) -> BoxReads:
    """Case 0 is the question; forty more cases show that both readers are good."""
    rng = np.random.default_rng(0)
    rows = [(0, 0, label[0], a), (0, 1, label[1], b)]
    for case in range(1, 41):
        low = rng.uniform(0, 800, 2)
        box = np.r_[low, low + 100]
        rows += [(case, r, case % 2, box + rng.normal(0, 4, 4)) for r in range(2)]
    return reads_of(rows)


def test_two_lesions_of_one_reader_never_merge() -> None:
    rows = []
    for case in range(30):
        rows += [(case, 0, 0, [100, 100, 200, 200]), (case, 0, 0, [104, 102, 205, 203])]
        rows += [(case, 1, 0, [101, 101, 202, 202])]
    found = fuse_boxes(reads_of(rows)).value
    assert found.case.size == 60


def test_neighbours_stay_apart_and_find_their_partner() -> None:
    left, right = [100, 100, 200, 200], [170, 100, 270, 200]
    rows = []
    for case in range(30):
        rows += [(case, r, 0, np.array(box) + r) for r in range(3) for box in (left, right)]
    found = fuse_boxes(reads_of(rows)).value
    assert found.case.size == 60
    assert (np.diff(found.first) == 3).all()
    assert (found.existence > 0.9).all()


def test_one_place_two_names_is_one_finding_with_a_doubt_about_its_class() -> None:
    result = fuse_boxes(_pair([100, 100, 200, 200], [102, 99, 203, 198], label=(0, 1)))
    here = result.value.case == 0
    assert here.sum() == 1
    assert 0.05 < result.posterior[here].min() < 0.6


def test_two_names_at_places_that_hardly_meet_are_two_findings() -> None:
    result = fuse_boxes(_pair([100, 100, 200, 200], [160, 150, 420, 400], label=(0, 1)))
    assert (result.value.case == 0).sum() == 2


def test_small_loose_boxes_of_low_overlap_match() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for case in range(60):
        low = rng.uniform(0, 900, 2)
        box = np.r_[low, low + 12]
        rows += [(case, r, 0, box + rng.normal(0, 1.8, 4)) for r in range(3)]
    reads = reads_of(rows)
    found = fuse_boxes(reads).value
    pairs = reads.box.reshape(-1, 3, 4)
    assert (aligned_iou(pairs[:, 0], pairs[:, 1]) < 0.5).mean() > 0.25
    assert (np.diff(found.first) == 3).mean() > 0.93


def test_an_empty_read_says_no_and_a_missing_read_says_nothing() -> None:
    rng = np.random.default_rng(1)
    rows, extra = [], []
    for case in range(80):
        low = rng.uniform(0, 900, 2)
        box = np.r_[low, low + 60]
        rows += [(case, r, 0, box + rng.normal(0, 3, 4)) for r in range(3) if case % 7 or r]
        extra += [(case, r) for r in range(3)]
    lone = [100.0, 100, 160, 160]
    rows += [(80, 0, 0, lone), (81, 0, 0, lone)]
    extra += [(80, 1), (80, 2)]
    found = fuse_boxes(reads_of(rows, extra=extra)).value
    denied, unasked = (found.existence[found.case == case][0] for case in (80, 81))
    assert denied < unasked - 0.2


def test_a_case_that_could_not_be_read_is_no_vote() -> None:
    base = _pair([100, 100, 200, 200], [102, 99, 203, 198])
    index = base.index
    more = replace(index, case=np.r_[index.case, 0], reader=np.r_[index.reader, 0])
    blind = np.r_[np.zeros(index.n_reads, dtype=bool), True]
    reads = replace(base, index=more, unreadable=blind)
    result = fuse_boxes(reads)
    assert result.reads[0] == 2
    assert result.read_rows.size == index.n_reads
    assert result.value.existence == pytest.approx(fuse_boxes(base).value.existence)


def test_repeats_match_but_share_one_vote() -> None:
    base = _pair([100, 100, 200, 200], [400, 400, 500, 500])
    index = base.index
    again = replace(index, case=np.r_[index.case, 0, 0], reader=np.r_[index.reader, 0, 0])
    boxes = np.array([[101.0, 99, 201, 202], [99, 101, 198, 201]])
    reads = replace(
        base,
        index=again,
        read=np.r_[base.read, index.n_reads, index.n_reads + 1],
        label=np.r_[base.label, 0, 0],
        box=np.vstack([base.box, boxes]),
    )
    result, single = fuse_boxes(reads, calibrate=False), fuse_boxes(base, calibrate=False)
    found = result.value
    three = np.flatnonzero((np.diff(found.first) == 3) & (found.case == 0))
    assert three.size == 1
    before = single.value.existence[(single.value.case == 0) & (single.value.box[:, 0] < 300)]
    assert found.existence[three] == pytest.approx(before, abs=0.02)
    assert any("share one vote" in text for text in result.warnings)


def test_exchangeable_readers_share_their_figures(world) -> None:
    value = fuse_boxes(world[0], exchangeable=True).reliability.value
    assert np.ptp(value, axis=0) == pytest.approx(np.zeros(5), abs=1e-12)
    assert value[0, 4] == 0


def test_one_reader_only_is_answered_from_what_is_usual(world) -> None:
    reads = world[0]
    result = fuse_boxes(reads.select(reads.index.reader == 1))
    assert any("one reader only" in text for text in result.warnings)
    assert result.value.existence == pytest.approx(np.full(result.value.case.size, 0.75), abs=0.05)
    assert np.isnan(result.reliability.value[[0, 2, 3]]).all()
    assert result.value.box == pytest.approx(
        reads.select(reads.index.reader == 1).box[result.value.members], abs=1e-9
    )


def test_one_read_a_case(world) -> None:
    reads = world[0]
    result = fuse_boxes(reads.select(reads.index.case % 4 == reads.index.reader))
    assert any("overlap on some cases" in text for text in result.warnings)
    assert ((result.value.existence > 0.3) & (result.value.existence < 0.95)).all()


def test_no_finding_and_no_read_at_all(world) -> None:
    reads = world[0]
    empty = reads_of([], cases=2, extra=[(0, 0), (0, 1)])
    result = fuse_boxes(empty)
    assert result.value.case.size == 0
    assert any("no read holds a finding" in text.lower() for text in result.warnings)
    assert result.entropy[0] == 0
    assert np.isnan(result.entropy[1])
    nothing = fuse_boxes(reads.select(np.zeros(reads.index.n_reads, dtype=bool)))
    assert nothing.value.box.shape == (0, 4)
    assert np.isnan(nothing.reliability.value).all()
    assert median_boxes(empty).value.case.size == 0


def test_readers_who_saw_only_normal_cases_are_not_blamed() -> None:
    """As in VinDr-CXR: what some readers were given holds nothing, and they marked nothing."""
    rows, extra = [], []
    rng = np.random.default_rng(2)
    for case in range(100):
        low = rng.uniform(0, 900, 2)
        box = np.r_[low, low + 60]
        rows += [(case, r, 0, box + rng.normal(0, 3, 4)) for r in range(2)]
    for case in range(100, 500):
        extra += [(case, 2), (case, 3)]
    value = fuse_boxes(reads_of(rows, extra=extra)).reliability
    assert (value.value[2:, 0] > 0.5).all()
    assert (value.high[2:, 0] - value.low[2:, 0] > 0.2).all()


def test_median_is_the_median_and_majority_the_majority() -> None:
    rows = [(0, r, int(r == 2), [10 + r, 10, 50, 50 + 2 * r]) for r in range(3)]
    rows += [(0, 0, 1, [200, 200, 240, 240])]
    found = median_boxes(reads_of(rows)).value
    assert found.box[0].tolist() == [11, 10, 50, 52]
    assert found.code.tolist() == [0, 1]
    assert found.existence == pytest.approx([1, 1 / 3])


def test_median_reliability_counts() -> None:
    rows = [(case, r, 0, [10, 10, 50, 50]) for case in range(10) for r in range(2)]
    rows += [(0, 2, 0, [300, 300, 340, 340])]
    extra = [(case, 2) for case in range(10)]
    r = median_boxes(reads_of(rows, extra=extra)).reliability
    assert r.value[:, 1] == pytest.approx([0, 0, 0.1])
    assert r.value[:, 0] == pytest.approx([10.5 / 11, 10.5 / 11, 0.5 / 11])


@pytest.mark.parametrize(("change", "name"), [({"level": 1.0}, "level"), ({"rounds": 0}, "rounds")])
def test_bad_settings_are_named(world, change, name) -> None:
    with pytest.raises(InputError, match=name):
        fuse_boxes(world[0], **change)


def test_median_settings_are_checked(world) -> None:
    with pytest.raises(InputError, match="min_iou"):
        median_boxes(world[0], min_iou=1.0)


def test_input_is_untouched_and_result_repeats(world, fused) -> None:
    reads = world[0]
    before = reads.box.copy()
    again = fuse_boxes(reads)
    assert np.array_equal(before, reads.box)
    assert again.provenance == fused.provenance
    assert np.array_equal(again.value.existence, fused.value.existence)
    assert fuse_boxes(reads, calibrate=False).provenance != fused.provenance


def test_uncalibrated_has_temperature_one(world) -> None:
    assert fuse_boxes(world[0], calibrate=False).temperature == 1.0


def test_matching_settles(world) -> None:
    assert match_findings(finding_table(world[0])).settled


@pytest.mark.shared_data
def test_vindr(shared_reads: Path) -> None:
    table = pl.read_csv(shared_reads / "vindr-cxr-boxes.csv.gz")
    some = table["image_id"].unique(maintain_order=True)[:500]
    table = table.filter(pl.col("image_id").is_in(some.implode()))
    pairs = table.select("image_id", "rad_id").unique(maintain_order=True).with_row_index("read")
    rows = (
        table.filter(pl.col("x_min").is_not_null())
        .join(pairs, on=["image_id", "rad_id"])
        .sort("read")
    )
    schema = schema_of(Kind.BOX, rows["class_name"].unique().to_list())
    reads = BoxReads(
        read_index(pairs["image_id"].to_list(), pairs["rad_id"].to_list()),
        rows["read"].to_numpy().astype(np.int64),
        np.array([schema.code(name) for name in rows["class_name"]]),
        rows.select("x_min", "y_min", "x_max", "y_max").to_numpy().astype(float),
        schema,
    )
    result = fuse_boxes(reads)
    found = result.value
    size = np.diff(found.first)
    by_marks = [found.existence[size == k].mean() for k in (1, 2, 3)]
    assert by_marks[0] < 0.4 < by_marks[1] < by_marks[2]
    assert by_marks[2] > 0.95
    heart = reads.schema.code("Cardiomegaly")
    assert (found.code[found.existence > 0.5] == heart).sum() > 10
