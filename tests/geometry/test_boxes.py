"""Boxes: exact small cases, shapely as an oracle, symmetry."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overread.geometry import boxes

_BOX = arrays(float, (5, 4), elements=st.integers(0, 20).map(float)).map(
    lambda b: np.concatenate(
        [np.minimum(b[:, :2], b[:, 2:]), np.maximum(b[:, :2], b[:, 2:]) + 1], 1
    )
)


@given(_BOX, _BOX)
@settings(deadline=None, max_examples=40)
def test_overlap_equals_shapely(first, second):
    a, b = shapely.box(*first.T), shapely.box(*second.T)
    common = shapely.area(shapely.intersection(a[:, None], b[None, :]))
    union = shapely.area(shapely.union(a[:, None], b[None, :]))
    np.testing.assert_allclose(boxes.iou_matrix(first, second), common / union, atol=1e-12)
    np.testing.assert_allclose(boxes.areas(first), shapely.area(a))


@given(_BOX, _BOX)
@settings(deadline=None, max_examples=40)
def test_iou_is_symmetric_and_giou_below_it(first, second):
    iou = boxes.aligned_iou(first, second)
    np.testing.assert_array_equal(iou, boxes.aligned_iou(second, first))
    np.testing.assert_array_equal(iou, np.diag(boxes.iou_matrix(first, second)))
    giou = boxes.aligned_giou(first, second)
    assert (giou <= iou + 1e-12).all()
    assert (giou > -1).all()
    np.testing.assert_allclose(boxes.aligned_giou(first, first), 1.0)


def test_no_pixel_is_added():
    assert boxes.areas(np.array([[0.0, 0, 1, 1]])).tolist() == [1.0]
    assert boxes.aligned_iou(np.array([0.0, 0, 1, 1]), np.array([1.0, 0, 2, 1])) == 0


def test_clip_hull_union_and_centres():
    box = np.array([[-2.0, 1, 3, 9], [8, 8, 12, 12]])
    np.testing.assert_array_equal(
        boxes.clip_boxes(box, np.array([10, 5])), [[0, 1, 3, 5], [8, 5, 10, 5]]
    )
    np.testing.assert_array_equal(boxes.union_box(box), [-2, 1, 12, 12])
    np.testing.assert_array_equal(boxes.hull_boxes(box[0], box[1]), [-2, 1, 12, 12])
    np.testing.assert_array_equal(boxes.centres(box), [[0.5, 5], [10, 10]])
    assert boxes.aligned_distance(box[0], box[0] + [3, 4, 3, 4]) == 5
    assert boxes.aligned_distance(box[0], box[0] + [3, 4, 3, 4], np.array([2.0, 0.5])) == np.hypot(
        6, 2
    )
    assert boxes.contains(box[1], np.array([8.0, 12.0]))
    assert not boxes.contains(box[1], np.array([7.9, 12.0]))


def test_empty_sets():
    none = np.empty((0, 4))
    assert boxes.iou_matrix(none, np.ones((3, 4))).shape == (0, 3)
    assert boxes.areas(none).shape == (0,)
