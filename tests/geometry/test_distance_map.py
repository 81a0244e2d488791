"""Signed distances against SciPy's exact transform, brute force and what must hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import distance_transform_edt

from overread.geometry.distance_map import signed_distance_map

_MASK = array_shapes(min_dims=1, max_dims=3, max_side=12).flatmap(lambda s: arrays(bool, s))


@given(_MASK, st.lists(st.floats(0.2, 5.0), min_size=3, max_size=3))
@settings(deadline=None, max_examples=150)
def test_equals_scipy_in_any_spacing(mask, spacing):
    step = np.array(spacing[: mask.ndim])
    found = signed_distance_map(mask, step)
    if not mask.any():
        assert np.isneginf(found).all()
        return
    wide, core = np.pad(mask, 1), tuple(slice(1, -1) for _ in mask.shape)
    inside = distance_transform_edt(wide, sampling=step)[core]
    outside = distance_transform_edt(~wide, sampling=step)[core]
    expected = np.where(mask, inside, -outside) - np.where(mask, 1, -1) * step.min() / 2
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_is_the_distance_to_the_nearest_pixel_of_the_other_side():
    rng = np.random.default_rng(3)
    mask = rng.random((9, 8)) < 0.3
    at = np.argwhere(np.pad(mask, 1, constant_values=False))
    free = np.argwhere(~np.pad(mask, 1))
    found = signed_distance_map(mask, np.array([2.0, 0.5]))
    for y in range(9):
        for x in range(8):
            other = free if mask[y, x] else at
            apart = np.hypot(2.0 * (other[:, 0] - y - 1), 0.5 * (other[:, 1] - x - 1)).min()
            assert abs(found[y, x]) == pytest.approx(apart - 0.25, abs=1e-6)


def test_the_sign_says_inside_or_outside():
    y, x = np.mgrid[:21, :21]
    mask = np.hypot(y - 10, x - 10) < 6.2
    field = signed_distance_map(mask)
    assert ((field > 0) == mask).all()
    np.testing.assert_allclose(field, 6.2 - np.hypot(y - 10, x - 10), atol=1.0)


def test_far_from_a_border_on_a_large_image():
    mask = np.zeros((3, 40_000), dtype=bool)
    mask[1, 0] = True
    assert signed_distance_map(mask)[1, -1] == pytest.approx(0.5 - 39_999)
