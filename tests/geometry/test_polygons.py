"""Outlines: exact areas, round trips to masks, crossing rings and holes."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overread.errors import InputError
from overread.geometry import masks, polygons

_SQUARE = np.array([[1.0, 1], [5, 1], [5, 5], [1, 5]])


@given(arrays(bool, (7, 8)))
@settings(deadline=None, max_examples=80)
def test_mask_to_outline_and_back(mask):
    shape = polygons.mask_polygon(mask)
    assert shape.is_valid
    assert shape.area == mask.sum()
    np.testing.assert_array_equal(polygons.polygon_mask(shape, mask.shape), mask)


@given(arrays(float, (6, 2), elements=st.floats(-2, 11, width=32)))
@settings(deadline=None, max_examples=80)
def test_filling_agrees_with_shapely_at_pixel_centres(ring):
    mask = polygons.rasterise([ring], (9, 10))
    shape = polygons.polygon(ring)
    assert shape.is_valid
    x, y = np.meshgrid(np.arange(10) + 0.5, np.arange(9) + 0.5)
    centre = shapely.points(x, y)
    clear = shapely.distance(shapely.LinearRing(ring), centre) > 1e-6
    np.testing.assert_array_equal(mask[clear], shapely.contains(shape, centre)[clear])


@given(arrays(bool, (6, 6)), arrays(bool, (6, 6)))
@settings(deadline=None, max_examples=50)
def test_iou_of_outlines_equals_iou_of_masks(first, second):
    pair = [np.array([polygons.mask_polygon(mask)]) for mask in (first, second)]
    got = polygons.aligned_polygon_iou(*pair)[0]
    want = masks.iou(first, second) if (first | second).any() else 0.0
    assert got == pytest.approx(want)
    assert polygons.polygon_iou_matrix(*pair)[0, 0] == pytest.approx(want)


def test_a_hole_is_left_out():
    hole = np.array([[2.0, 2], [4, 2], [4, 4], [2, 4]])
    shape = polygons.polygon(_SQUARE, [hole])
    assert shape.area == 12
    assert polygons.polygon_mask(shape, (6, 6)).sum() == 12
    np.testing.assert_array_equal(
        polygons.rasterise([_SQUARE, hole], (6, 6)), polygons.polygon_mask(shape, (6, 6))
    )


def test_a_ring_that_crosses_itself_is_repaired():
    bow = np.array([[0.0, 0], [4, 4], [4, 0], [0, 4]])
    shape = polygons.polygon(bow)
    assert shape.is_valid
    assert shape.area == 8
    line = np.array([[0.0, 0], [1, 1], [2, 2]])
    first = np.array([0, 4, 7, 11])
    shapes = polygons.polygons(np.concatenate([bow, line, _SQUARE]), first)
    assert polygons.polygon_areas(shapes).tolist() == [8, 0, 16]
    assert polygons.polygon_iou_matrix(shapes, shapes).diagonal().tolist() == [1, 0, 1]


def test_an_edge_drawn_back_and_forth_encloses_nothing():
    ring = np.array([[1.0, 0], [0, 2], [1, 0], [0, 0], [0, 2], [0, 0]])
    assert polygons.polygon(ring).area == 0
    assert not polygons.rasterise([ring], (4, 4)).any()
    twice = np.concatenate([_SQUARE, _SQUARE])
    assert polygons.polygon(twice).area == 0


def test_shapes_that_share_an_edge_share_no_pixel():
    left = np.array([[0.0, 0], [2.5, 0], [2.5, 4], [0, 4]])
    right = np.array([[2.5, 0], [6, 0], [6, 4], [2.5, 4]])
    both = [polygons.rasterise([ring], (4, 6)).astype(int) for ring in (left, right)]
    np.testing.assert_array_equal(both[0] + both[1], np.ones((4, 6), int))


def test_empty_and_short_input():
    assert polygons.polygons(np.empty((0, 2)), np.array([0])).size == 0
    assert polygons.polygon_iou_matrix(np.empty(0, object), np.empty(0, object)).shape == (0, 0)
    assert not polygons.polygon_mask(polygons.mask_polygon(np.zeros((3, 3), bool)), (3, 3)).any()
    with pytest.raises(InputError, match="at least 3"):
        polygons.polygon(_SQUARE[:2])
