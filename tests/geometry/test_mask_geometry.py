"""Masks: overlap and surface distances against SimpleITK, brute force and the published figure."""

import math

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from overread.errors import InputError
from overread.geometry import masks
from overread.geometry.surfaces import boundary, surface_distances
from overread.labels.masks import run_lengths

_MASK = arrays(bool, (6, 7)) | arrays(bool, (4, 3, 5))


def _two_cubes():
    first = np.zeros((40, 40, 40), dtype=bool)
    first[10:20, 10:20, 10:20] = True
    return first, np.roll(first, 2, axis=0)


def _ellipsoids(shape, spacing, rng):
    """Two convex masks, so that distances of sets and of surfaces are the same."""
    grid = np.stack(np.indices(shape), -1) * spacing
    middle = np.array(shape) * spacing / 2
    out = []
    for _ in range(2):
        centre = middle + rng.normal(0, 1.5, len(shape))
        radius = rng.uniform(0.2, 0.35, len(shape)) * np.array(shape) * spacing
        out.append(((((grid - centre) / radius) ** 2).sum(-1)) <= 1)
    return out


def test_published_cubes():
    first, second = _two_cubes()
    got = surface_distances(first, second, spacing=np.array([3.0, 1, 1]))
    assert masks.dice(first, second) == pytest.approx(0.8, abs=1e-12)
    assert got.hd == pytest.approx(6.0, abs=1e-12)
    assert got.hd95 == pytest.approx(6.0, abs=1e-12)
    assert masks.volume(first, np.array([3.0, 1, 1])) == 3000


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 2.5), (3.0, 1.0, 0.6)])
def test_equals_simpleitk(spacing):
    rng = np.random.default_rng(3)
    spacing = np.array(spacing)
    for _ in range(4):
        pair = _ellipsoids((24, 30, 20)[: len(spacing)], spacing, rng)
        images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in pair]
        for image in images:
            image.SetSpacing(spacing[::-1].tolist())
        overlap, far = (
            SimpleITK.LabelOverlapMeasuresImageFilter(),
            SimpleITK.HausdorffDistanceImageFilter(),
        )
        overlap.Execute(*images)
        far.Execute(*images)
        assert masks.dice(*pair) == pytest.approx(overlap.GetDiceCoefficient(), abs=1e-12)
        assert masks.iou(*pair) == pytest.approx(overlap.GetJaccardCoefficient(), abs=1e-12)
        got = surface_distances(*pair, spacing=spacing)
        assert got.hd == pytest.approx(far.GetHausdorffDistance(), abs=1e-6)


def _surface_points(mask):
    """Definition, written out: a pixel of the mask with a face neighbour outside."""
    out = []
    for at in np.argwhere(mask):
        for axis in range(mask.ndim):
            for side in (-1, 1):
                near = at.copy()
                near[axis] += side
                inside = (near >= 0).all() and (near < mask.shape).all() and mask[tuple(near)]
                if not inside:
                    out.append(tuple(at))
    return np.array(sorted(set(out)), dtype=float)


@given(_MASK, st.data())
@settings(deadline=None, max_examples=60)
def test_equals_brute_force(first, data):
    second = data.draw(arrays(bool, first.shape))
    spacing = np.array([2.0, 0.5, 1.25][: first.ndim])
    got = surface_distances(first, second, spacing=spacing)
    if not (first.any() and second.any()):
        assert got.undefined
        assert math.isnan(got.hd)
        assert math.isnan(got.assd)
        assert got.surface_dice(9.0) == float(first.any() == second.any())
        return
    a, b = _surface_points(first), _surface_points(second)
    np.testing.assert_array_equal(np.argwhere(boundary(first)), a)
    between = cdist(a * spacing, b * spacing)
    forward, backward = between.min(1), between.min(0)
    both = np.r_[forward, backward]
    assert got.hd == pytest.approx(both.max())
    assert got.hd95 == pytest.approx(max(np.percentile(forward, 95), np.percentile(backward, 95)))
    assert got.assd == pytest.approx(both.mean())
    assert got.surface_dice(1.0) == pytest.approx((both <= 1).mean())
    mirrored = surface_distances(second, first, spacing=spacing)
    assert (got.hd, got.hd95) == (mirrored.hd, mirrored.hd95)
    assert got.assd == pytest.approx(mirrored.assd)


def test_empty_masks_follow_the_convention():
    none, some = np.zeros((3, 3), bool), np.eye(3, dtype=bool)
    assert (masks.iou(none, none), masks.dice(none, none)) == (1.0, 1.0)
    assert (masks.iou(none, some), masks.dice(none, some)) == (0.0, 0.0)
    assert "both" in surface_distances(none, none).undefined
    assert "one" in surface_distances(none, some).undefined


@given(
    arrays(np.int8, 30, elements=st.integers(0, 2)), arrays(np.int8, 30, elements=st.integers(0, 2))
)
@settings(deadline=None, max_examples=50)
def test_overlap_of_runs_equals_overlap_of_pixels(first, second):
    dense = masks.class_overlap(first, second, 3)
    runs = masks.class_overlap_of_runs(run_lengths(first), run_lengths(second), 3)
    np.testing.assert_array_equal(runs, dense)
    common, of_first, of_second = np.diag(dense), dense.sum(1), dense.sum(0)
    iou, dice = masks.overlap_ratio(common, of_first, of_second)
    for code in range(3):
        assert iou[code] == pytest.approx(masks.iou(first == code, second == code))
        assert dice[code] == pytest.approx(masks.dice(first == code, second == code))


def test_bounding_slices():
    mask = np.zeros((4, 5, 6), bool)
    assert masks.bounding_slices(mask) is None
    mask[1, 2, 3] = mask[2, 4, 3] = True
    assert masks.bounding_slices(mask) == (slice(1, 3), slice(2, 5), slice(3, 4))


def test_bad_input_is_named():
    with pytest.raises(InputError, match="one shape"):
        masks.iou(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(InputError, match="above 0"):
        surface_distances(np.ones((2, 2), bool), np.ones((2, 2), bool), spacing=np.array([0.0, 1]))
    with pytest.raises(InputError, match="2 numbers"):
        surface_distances(np.ones((2, 2), bool), np.ones((2, 2), bool), spacing=np.ones(3))
