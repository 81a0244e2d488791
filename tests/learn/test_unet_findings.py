"""Findings become middles and come back: boxes and outlines, also where they touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from scipy.ndimage import label

from overread.geometry.polygons import polygon, polygon_iou_matrix
from overread.learn.unet_boxes import scored_boxes
from overread.learn.unet_file import SIDE, Maps, UnetAbout
from overread.learn.unet_outlines import parted, scored_outlines, traced
from overread.learn.unet_targets import target_of

SIZE = (300, 400)
BOXES = UnetAbout("cells", "box", ("red", "white"), longest=200, middles=True)
OUTLINES = UnetAbout("cells", "instance", ("red", "white"), longest=400, middles=True)
MASKS = UnetAbout("m", "mask", ("lung",), longest=64)


def perfect(target: np.ndarray, about: UnetAbout) -> Maps:
    """What a network paints that learned its lesson."""
    sure = np.eye(len(about.classes) + 1)[target[0].astype(int)].transpose(2, 0, 1) * 0.98 + 0.006
    sides = SIDE * np.exp(target[2:]) if about.kind == "box" else None
    return Maps(sure, target[1] if about.further else None, sides)


def disc(name: str, x: float, y: float, radius: float) -> dict[str, Any]:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    points = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    return {"class": name, "frame": 0, "points": points.tolist()}


def box(name: str, *corners: float, frame: int = 0) -> dict[str, Any]:
    return {"class": name, "frame": frame, **dict(zip(("x1", "y1", "x2", "y2"), corners))}  # noqa: B905


def test_boxes_come_back_also_where_they_overlap() -> None:
    boxes = [
        box("red", 20, 30, 60, 80),
        box("red", 56, 34, 96, 78),  # touches the first
        box("red", 300, 100, 380, 180),
        box("white", 340, 120, 400, 170),  # lies half in the third, and at the side of the image
        box("white", 100, 200, 110, 208),  # 5 x 4 pixels as the network sees it
        box("white", 0, 0, 9, 9, frame=1),
    ]
    target = target_of(boxes, SIZE, 0, BOXES)
    assert target.shape == (4, 150, 200)
    found = scored_boxes(perfect(target, BOXES), SIZE, BOXES)
    assert len({one["id"] for one, _ in found}) == 5
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    for wanted in boxes[:5]:
        apart = [
            max(abs(one[side] - wanted[side]) for side in ("x1", "y1", "x2", "y2"))
            for one, _ in found
            if one["class"] == wanted["class"]
        ]
        assert min(apart) < 8


def test_boxes_of_an_empty_image_are_none() -> None:
    target = target_of([], SIZE, 0, BOXES)
    assert not target.any()
    assert scored_boxes(perfect(target, BOXES), SIZE, BOXES) == []


def test_outlines_come_back_parted_where_they_touch() -> None:
    bent = [[150, 20], [250, 20], [250, 80], [236, 80], [236, 34], [150, 34]]
    outlines = [
        disc("red", 40, 60, 20),
        disc("red", 77, 60, 18),  # merges with the first
        disc("white", 60, 93, 19),  # with both
        disc("red", 250, 200, 60),
        {"class": "white", "frame": 0, "points": bent},
        {"class": "white", "frame": 3, "points": bent},
    ]
    target = target_of(outlines, SIZE, 0, OUTLINES)
    assert target.shape == (2, *SIZE)
    assert label(target[0])[1] == 3
    maps = perfect(target, OUTLINES)
    assert parted(maps).max() == 5
    found = scored_outlines(maps, SIZE, OUTLINES)
    shapes = np.array([polygon(np.array(one["points"])) for one, _ in found])
    wanted = np.array([polygon(np.array(one["points"])) for one in outlines[:5]])
    over = polygon_iou_matrix(wanted, shapes)
    assert over.max(axis=1).min() > 0.85
    for at, best in enumerate(over.argmax(axis=1)):
        one, score = found[best]
        assert one["class"] == outlines[at]["class"]
        assert 0.9 < score <= 1
        assert len(one["points"]) < 40  # a reader can move them


def test_outlines_of_larger_images_are_as_large() -> None:
    small = UnetAbout("cells", "instance", ("red",), longest=100, middles=True)
    outlines = [disc("red", 200, 150, 80), disc("red", 20, 20, 1)]
    target = target_of(outlines, SIZE, 0, small)
    assert target.shape == (2, 75, 100)
    assert target[0, 5, 5] == 1  # less than a pixel, but there
    ((one, _),) = scored_outlines(perfect(target, small), SIZE, small)
    over = polygon_iou_matrix(
        np.array([polygon(np.array(one["points"]))]), np.array([polygon(outlines[0]["points"])])
    )
    assert over[0, 0] > 0.93
    assert max(max(point) for point in one["points"]) <= SIZE[1]


@pytest.mark.parametrize("seed", range(20))
def test_traced_borders_are_sound_whatever_the_piece(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces, _ = label(rng.random((12, 15)) < 0.65)
    inside = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    ring = shapely.LinearRing(traced(inside))
    assert ring.is_simple
    assert shapely.Polygon(ring).area > 0.4 * inside.sum()
    low, high = traced(inside).min(axis=0), traced(inside).max(axis=0)
    assert (low >= 0).all()
    assert (high <= [15, 12]).all()


def test_a_thin_finding_without_a_marker_is_one_as_it_is() -> None:
    sure = np.zeros((2, 20, 60))
    sure[1, 9:11, 5:50] = 0.9
    sure[0] = 1 - sure[1]
    maps = Maps(sure, np.full((20, 60), 0.1), None)
    ((one, score),) = scored_outlines(maps, (20, 60), OUTLINES)
    assert score == pytest.approx(0.9)
    assert polygon(one["points"]).area == pytest.approx(90, abs=4)


def test_masks_become_codes() -> None:
    runs = [{"frame": 2, "rows": 2, "columns": 4, "runs": [[0, 3], [1, 5]]}]
    codes = target_of(runs, (2, 4), 2, MASKS)
    assert codes.tolist() == [[[0, 0, 0, 1], [1, 1, 1, 1]]]
    assert not target_of(runs, (2, 4), 0, MASKS).any()
