from __future__ import annotations

import numpy as np
import pytest
import shapely

from overread.arrays import names_array
from overread.consensus.instances import fuse_instances
from overread.consensus.outline_fusion import _mean_on_grid, fuse_outlines
from overread.errors import InputError
from overread.geometry.polygons import aligned_polygon_iou, polygon
from overread.labels import InstanceReads, Kind, LabelClass, LabelSchema, ReadIndex

ANGLES = np.linspace(0, 2 * np.pi, 48, endpoint=False)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    return np.column_stack([x + radius * np.cos(ANGLES), y + radius * np.sin(ANGLES)])


def area(points: np.ndarray) -> float:
    return float(shapely.Polygon(points).area)


def reads_of(rows: list[tuple], extra: tuple = ()) -> InstanceReads:
    pairs = list(dict.fromkeys([r[:2] for r in rows] + list(extra)))
    rows = sorted(rows, key=lambda r: pairs.index(r[:2]))
    index = ReadIndex(
        np.array([p[0] for p in pairs], dtype=np.int64),
        np.array([p[1] for p in pairs], dtype=np.int64),
        names_array(f"c{i}" for i in range(max((p[0] for p in pairs), default=0) + 1)),
        tuple(f"R{i}" for i in range(max((p[1] for p in pairs), default=0) + 1)),
    )
    outlines = [r[3] for r in rows]
    return InstanceReads(
        index,
        np.array([pairs.index(r[:2]) for r in rows], dtype=np.int64),
        np.array([r[2] for r in rows], dtype=np.int64),
        np.concatenate(outlines) if outlines else np.empty((0, 2)),
        np.r_[0, np.cumsum([len(o) for o in outlines])].astype(np.int64),
        LabelSchema(Kind.INSTANCE, (LabelClass("cell"), LabelClass("gland"))),
    )


def test_the_mean_of_nested_discs_is_the_disc_between() -> None:
    fused = fuse_outlines([disc(50, 50, 20), disc(50, 50, 30)], np.ones(2))
    assert np.hypot(*(fused - 50).T) == pytest.approx(np.full(len(fused), 25.0), abs=0.15)
    heavy = fuse_outlines([disc(50, 50, 20), disc(50, 50, 30)], np.array([3.0, 1.0]))
    assert np.hypot(*(heavy - 50).T) == pytest.approx(np.full(len(heavy), 22.5), abs=0.15)


def test_equal_outlines_stay() -> None:
    star = disc(40, 40, 1) * [1, 1] + (disc(0, 0, 12).T * (1 + 0.3 * np.cos(5 * ANGLES))).T
    fused = fuse_outlines([star] * 3, np.ones(3))
    pair = np.array([polygon(star)]), np.array([polygon(fused)])
    assert aligned_polygon_iou(*pair)[0] > 0.985


def test_tiny_and_huge_outlines_keep_their_relative_accuracy() -> None:
    for scale in (0.05, 1.0, 200.0):
        fused = fuse_outlines([scale * disc(9, 9, 8), scale * disc(9, 9, 10)], np.ones(2))
        assert area(fused) == pytest.approx(area(scale * disc(9, 9, 9)), rel=0.01)


def test_ring_order_and_start_do_not_matter() -> None:
    one, other = disc(20, 20, 8), disc(22, 20, 9)
    a = fuse_outlines([one, other], np.ones(2))
    b = fuse_outlines([np.roll(one[::-1], 5, axis=0), other], np.ones(2))
    assert area(a) == pytest.approx(area(b), rel=1e-6)


def test_outlines_that_do_not_meet_leave_the_heavier() -> None:
    far = fuse_outlines([disc(10, 10, 3), disc(60, 60, 3)], np.array([1.0, 5.0]))
    assert far.mean(axis=0) == pytest.approx([60, 60], abs=0.5)


def test_the_largest_part_is_kept() -> None:
    dumbbell = shapely.union_all(
        [
            shapely.Polygon(disc(20, 20, 12)),
            shapely.Polygon(disc(60, 20, 8)),
            shapely.box(20, 19, 60, 21),
        ]
    )
    ring = shapely.get_coordinates(shapely.get_exterior_ring(dumbbell))[:-1]
    shrunk = [disc(20, 20, 11), disc(20, 20, 12)]
    fused = fuse_outlines([ring, *shrunk], np.array([1.0, 2.0, 2.0]))
    assert fused[:, 0].max() < 40


def test_a_hole_is_filled() -> None:
    """Even-odd: a ring drawn around a smaller one by a bridge of no width."""
    outer, inner = disc(30, 30, 20), disc(30, 30, 8)
    bridged = np.vstack([outer, outer[:1], inner, inner[:1]])
    fused = fuse_outlines([bridged, bridged], np.ones(2))
    assert area(fused) == pytest.approx(area(outer), rel=0.02)


def test_grid_equals_distances_worked_out_by_shapely() -> None:
    rng = np.random.default_rng(0)
    rings = [disc(20, 22, 11) + rng.normal(0, 0.5, (48, 2)), disc(25, 20, 12)]
    first = np.array([0, 48, 96])
    weight = np.array([0.3, 0.7])
    got = _mean_on_grid(np.vstack(rings), first, weight, (45, 45))
    x, y = np.meshgrid(np.arange(45.0), np.arange(45.0))
    points = shapely.points(x.ravel(), y.ravel())
    want = np.zeros(points.size)
    for ring, w in zip(rings, weight, strict=True):
        shape = shapely.Polygon(ring)
        sign = np.where(shapely.contains(shape, points), -1, 1)
        want += w * sign * shapely.distance(shape.exterior, points)
    want = want.reshape(45, 45)
    near = np.abs(want) < 2
    assert near.sum() > 50
    assert got[near] == pytest.approx(want[near], abs=1e-9)
    assert np.array_equal(got < 0, want < 0)


def _cells(cases: int = 60, seed: int = 0) -> tuple[InstanceReads, np.ndarray]:
    """Two discs a case; reader 2 draws 25 % smaller, reader 1 is loose, reader 0 good."""
    rng = np.random.default_rng(seed)
    rows, extra, truth = [], [], []
    for case in range(cases):
        for x in (60, 160):
            where = (x + rng.uniform(-10, 10), 100 + rng.uniform(-30, 30), rng.uniform(15, 30))
            truth.append((case, *where))
            for r, (sd, scale, seen) in enumerate(
                [(0.03, 1, 0.95), (0.12, 1, 0.9), (0.05, 0.75, 0.9)]
            ):
                if rng.random() < seen:
                    shift = rng.normal(0, sd, 2) * where[2]
                    radius = where[2] * scale * (1 + rng.normal(0, sd))
                    rows.append(
                        (case, r, 0, disc(where[0] + shift[0], where[1] + shift[1], radius))
                    )
        false = [r for r in range(3) if rng.random() < 0.15]
        rows += [(case, r, 1, disc(*rng.uniform(300, 500, 2), 20)) for r in false]
        extra += [(case, r) for r in range(3)]
    return reads_of(rows, tuple(extra)), np.array(truth)


@pytest.fixture(scope="module")
def fused():
    reads, truth = _cells()
    return fuse_instances(reads), truth


def test_finds_the_discs_and_their_size(fused) -> None:
    result, truth = fused
    found = result.value
    there = found.existence > 0.5
    assert abs(there.sum() - len(truth)) < 4
    overlaps = []
    for case, x, y, radius in truth:
        shapes = [polygon(found.outline[f]) for f in np.flatnonzero(there & (found.case == case))]
        want = np.array([polygon(disc(x, y, radius))] * len(shapes))
        overlaps.append(aligned_polygon_iou(np.array(shapes), want).max(initial=0))
    assert np.mean(overlaps) > 0.90


def test_reports_the_reader_who_draws_small(fused) -> None:
    r = fused[0].reliability
    by = dict(zip(r.measures, r.value.T, strict=True))
    assert by["size_bias"] == pytest.approx([0, 0, -0.25], abs=0.04)
    assert by["edge_sd"][1] > 2 * by["edge_sd"][0]


def test_boxes_lie_around_the_outlines(fused) -> None:
    found = fused[0].value
    for box, points in zip(found.box, found.outline, strict=True):
        assert box == pytest.approx(np.r_[points.min(axis=0), points.max(axis=0)])
    assert fused[0].kind is Kind.INSTANCE


def test_boxes_that_agree_do_not_match_outlines_that_do_not() -> None:
    """Two slivers on the two diagonals of one square: same box, hardly any common pixel."""
    rows = []
    for case in range(40):
        x = 100.0 + case
        rising = np.array(
            [[x, 100], [x + 6, 100], [x + 60, 154], [x + 60, 160], [x + 54, 160], [x, 106]]
        )
        falling = np.column_stack([2 * x + 60 - rising[:, 0], rising[:, 1]])
        rows += [(case, 0, 0, rising), (case, 1, 0, rising + 0.5)]
        rows += [(case, 2, 0, falling), (case, 3, 0, falling + 0.5)]
    found = fuse_instances(reads_of(rows)).value
    assert found.case.size == 80
    assert (np.diff(found.first) == 2).all()


def test_no_outlines_at_all() -> None:
    result = fuse_instances(reads_of([], ((0, 0), (0, 1))))
    assert result.value.outline == ()
    assert result.value.box.shape == (0, 4)


def test_bad_level_is_named() -> None:
    with pytest.raises(InputError, match="level"):
        fuse_instances(_cells(2)[0], level=0)


@pytest.mark.parametrize("right", [30.0, 29.999999999999996, 30.25])
def test_sides_along_the_grid_fuse(right: float) -> None:
    def box(x1: float, x2: float) -> np.ndarray:
        return np.array([[x1, 2.0], [x2, 2.0], [x2, 20.0], [x1, 20.0]])

    outlines = [box(2.345, 30.0), box(3.0, right), box(3.671, 30.0)]
    fused = fuse_outlines(outlines, np.array([169.5, 171.2, 169.5]))
    np.testing.assert_allclose(fused.min(axis=0), [3.005, 2.0], atol=0.01)
    np.testing.assert_allclose(fused.max(axis=0), [29.99 + (right > 30) * 0.085, 20.0], atol=0.02)


def test_sides_that_round_apart_leave_no_gap() -> None:
    """This box's corners fall a last bit beside the grid: a ray once slipped between its sides."""
    x, y, w, h = 23.9, 45.0, 50.4, 35.7
    box = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
    fused = fuse_outlines([np.add(box, [2.0 * step, 0]) for step in range(3)], np.ones(3))
    assert fused.min(axis=0) == pytest.approx([x + 2, y], abs=0.1)
    assert fused.max(axis=0) == pytest.approx([x + w + 2, y + h], abs=0.1)
