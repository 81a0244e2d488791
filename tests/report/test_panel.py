"""Drawings of cases: the cells of masks meet without a seam, slices stand side by side."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from overread.app.analysis.report_parts import mask_cases
from overread.consensus import majority_masks
from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index
from overread.report import Panel
from overread.report.charts.panel import panel

_SHARE = array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: arrays(float, shape, elements=st.sampled_from([0, 0.125, 0.25, 0.5, 0.75, 1]))
)


def _cells(svg, shape):
    """Eighths of the readers by cell, from the drawing; each cell is painted once at most."""
    seen = np.zeros(shape, dtype=int)
    for path, opacity in re.findall(r'<path d="([^"]+)" fill-opacity="([^"]+)"', svg):
        for x, y, width, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path):
            assert width == back
            run = seen[int(y), int(x) : int(x) + int(width)]
            assert run.size == int(width)
            assert not run.any()
            run[:] = round(float(opacity) / 0.8 * 8)
    return seen


@given(_SHARE)
@settings(deadline=None, max_examples=60)
def test_cells_have_whole_coordinates_and_are_painted_once(share):
    svg = panel(Panel(float(share.shape[1]), float(share.shape[0]), share=share))
    np.testing.assert_array_equal(_cells(svg, share.shape), np.round(share * 8))
    if share.any():
        [scale] = re.findall(r'transform="scale\(([^)]+)\)" shape-rendering="crispEdges"', svg)
        assert len(scale.split()) == 2


def test_slices_stand_side_by_side_with_their_numbers():
    share = np.zeros((3, 10, 20))
    share[0, 2:5, 3:9] = 1
    share[2, 4:6, 3:9] = 0.5
    svg = panel(Panel(20, 10, share=share, slices=(2, 5, 9), of_slices=12))
    assert re.findall(r"slice \d+ of \d+", svg) == [f"slice {n} of 12" for n in (2, 5, 9)]
    parts = svg.split('<g transform="translate(')[1:]
    lefts = [float(part.split(" ")[0]) for part in parts]
    assert lefts == sorted(lefts)
    for part, one in zip(parts, share, strict=True):
        np.testing.assert_array_equal(_cells(part, one.shape), np.round(one * 8))


def test_a_volume_shows_the_slices_that_readers_differ_on_most():
    first, second = np.zeros((2, 9, 30, 40), dtype=int)
    for level, width in ((1, 2), (3, 9), (4, 5), (7, 7)):
        first[level, 10:15, 10:20] = second[level, 10:15, 10:20] = 1
        second[level, 10:15, 20 : 20 + width] = 1
    schema = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("liver")))
    reads = mask_reads(read_index(["a", "a"], ["X", "Y"]), [first, second], schema)
    [view] = mask_cases(reads, majority_masks(reads)).disputed
    assert view.note.endswith("voxels")
    assert view.panel.slices == (4, 5, 8)  # numbers from 1, in their order
    assert view.panel.of_slices == 9
    # Cut to what is marked and four pixels around, the same for all slices.
    assert view.panel.share.shape == (3, 13, 27)
    assert (view.panel.width, view.panel.height) == (27, 13)
    second[[1, 4, 7]] = first[[1, 4, 7]]
    reads = mask_reads(read_index(["a", "a"], ["X", "Y"]), [first, second], schema)
    [view] = mask_cases(reads, majority_masks(reads)).disputed
    assert view.panel.slices == (4,)  # slices on which all agree are not shown
