"""Loose contours on pictures of several kinds: found where planted, quiet where not."""

from __future__ import annotations

import numpy as np
import pytest

from overread.labels import BoxReads, Kind, read_index, schema_of
from overread.monitoring.rules import (
    Annotation,
    RuleContext,
    drawings_of,
    gathered,
    gathered_probes,
    measure_drawings,
    measure_with_probes,
    plane,
    populations,
)
from overread.monitoring.rules.annotation import widened
from overread.monitoring.rules.loose import loose_contours, loose_rows
from overread.words import percent
from tests.monitoring.rules.textures import KINDS, SIDE, box_of, outline_of, scene


def annotated(thing, number, shape):
    if shape == "box":
        return Annotation(0, number, 0, "box", box_of(thing))
    ring = outline_of(thing)
    box = np.concatenate([ring.min(axis=0), ring.max(axis=0)])
    return Annotation(0, number, 0, "outline", box, outline=ring)


def drawn(kind: str, shape: str, share: float, scenes: int = 3):
    """Figures of drawings, of which ``share`` are 20 to 60 % too wide; which; and probes."""
    rng = np.random.default_rng(7)
    parts, wide, probes = [], [], []
    for seed in range(scenes):
        made, those = scene(kind, seed), []
        for number, thing in enumerate(made.things, start=1):
            by = rng.uniform(0.2, 0.6) if rng.random() < share else 0.0
            wide.append(by > 0)
            one = annotated(thing, number, shape)
            those.append(widened(one, by, (SIDE, SIDE)) if by else one)
        figures, probe = measure_with_probes(plane(made.pixels), those, range(4))
        parts.append(figures)
        probes.append(probe)
    return gathered(parts), np.array(wide), gathered_probes(probes)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(kind, "box") for kind in KINDS] + [("grey", "outline"), ("textured", "outline")],
)
def test_planted_loose_drawings_are_found(kind, shape):
    figures, wide, probes = drawn(kind, shape, 0.2)
    listed, _ = loose_rows(figures, populations(figures, probes), 0.01)
    assert listed[wide].mean() >= 0.7
    assert listed[~wide].mean() < 0.1


def test_offset_is_in_pixels_of_the_image_whatever_the_size():
    for scale in (1, 3):
        pixels = np.full((90 * scale, 90 * scale), 200.0)
        y, x = np.mgrid[: 90 * scale, : 90 * scale]
        inside = np.hypot(x - 45 * scale, y - 45 * scale) <= 20 * scale
        pixels[inside] = 100
        pixels += np.random.default_rng(0).normal(0, 3, pixels.shape)
        for by in (0.0, 0.3):
            one = widened(annotated(inside, 1, "outline"), by, pixels.shape)
            figures = measure_drawings(plane(pixels), [one])
            assert figures.offset[0] == pytest.approx(by * 20 * scale, abs=2 * scale)
            assert figures.share[0] == pytest.approx(1 - 1 / (1 + by) ** 2, abs=0.15)


def test_alone_in_its_image_a_loose_drawing_is_listed_and_a_tight_one_is_not():
    made = scene("coloured", 3)
    for by, found in ((0.0, 0), (0.5, 1)):
        box = widened(annotated(made.things[5], 1, "box"), by, (SIDE, SIDE)).box
        reads = box_reads([box])
        figures = measure_drawings(plane(made.pixels), list(drawings_of(reads, 0)))
        context = RuleContext(reads, drawn=figures, spacing_mm={0: (0.5, 0.5)})
        hints = loose_contours(context)
        assert len(hints) == found
        if found:
            (hint,) = hints
            assert hint.case == "c"
            assert hint.finding == 1
            assert hint.numbers["offset_mm"] == pytest.approx(hint.numbers["offset_px"] / 2)
            assert f"about {percent(hint.numbers['share'])} of the inside" in hint.words
            assert "outside the edge" in hint.words


def box_reads(boxes, labels=None):
    n = len(boxes)
    return BoxReads(
        read_index(["c"], ["R"]),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64) if labels is None else np.array(labels),
        np.array(boxes, dtype=float),
        schema_of(Kind.BOX, ["a", "b"]),
    )


@pytest.mark.parametrize(
    "box",
    [(0, 0, 3, 2), (88, 88, 90, 90), (0, 0, 90, 90), (10.2, 10.4, 10.6, 10.7), (40, 1, 41, 80)],
)
@pytest.mark.parametrize("flat", [True, False])
def test_odd_boxes_and_flat_images_are_measured_without_a_verdict_or_a_fault(box, flat):
    rng = np.random.default_rng(1)
    image = np.full((90, 90), 7.0) if flat else rng.normal(0, 1, (90, 90))
    figures = measure_drawings(plane(image), [Annotation(0, 1, 0, "box", np.array(box, float))])
    assert figures.n == 1
    assert not loose_rows(figures, {}, 0.01)[0].any()


@pytest.mark.parametrize("ring", [[(5, 5), (9, 9), (5, 5)], [(5, 5), (9, 5), (5, 9), (9, 9)]])
def test_an_outline_without_area_or_that_crosses_itself_is_drawn_wider_without_a_fault(ring):
    points = np.array(ring, dtype=float)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    one = Annotation(0, 1, 0, "outline", box, outline=points)
    figures, _ = measure_with_probes(plane(np.zeros((60, 60))), [one], [0])
    assert figures.n == 1
    wide = widened(one, 0.3, (60, 60))
    assert (wide.box[:2] <= box[:2]).all()
    assert (wide.box[2:] >= box[2:]).all()


def test_a_population_needs_twenty_drawings():
    figures, _, _ = drawn("grey", "box", 0.0, scenes=1)
    assert populations(figures) == {}
    assert list(populations(gathered([figures, figures]))) == [0]
