"""Loose contours on pictures of several kinds: found where planted, quiet where not."""

from __future__ import annotations

import numpy as np
import pytest

from overread.monitoring.rules import Annotation, gathered, measure_drawings, plane, populations
from overread.monitoring.rules.population import looseness
from tests.monitoring.rules.textures import KINDS, SIDE, box_of, outline_of, scene


def drawn(kind: str, shape: str, share: float):
    """Figures of 96 drawings, of which ``share`` are 20 to 60 % too wide, and which."""
    rng = np.random.default_rng(7)
    parts, wide = [], []
    for seed in range(6):
        made, those = scene(kind, seed), []
        for number, thing in enumerate(made.things, start=1):
            by = rng.uniform(0.2, 0.6) if rng.random() < share else 0.0
            wide.append(by > 0)
            if shape == "box":
                box = box_of(thing)
                middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * (1 + by)
                box = np.clip(np.concatenate([middle - half, middle + half]), 0, SIDE)
                those.append(Annotation(seed, number, 0, "box", box))
            else:
                ring = outline_of(thing, by * np.sqrt(thing.sum() / np.pi))
                box = np.concatenate([ring.min(axis=0), ring.max(axis=0)])
                those.append(Annotation(seed, number, 0, "outline", box, outline=ring))
        parts.append(measure_drawings(plane(made.pixels), those))
    return gathered(parts), np.array(wide)


@pytest.mark.parametrize("shape", ["box", "outline"])
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"sloped"}))
def test_planted_loose_drawings_are_found(kind, shape):
    figures, wide = drawn(kind, shape, 0.15)
    level = looseness(figures, np.ones(figures.n, dtype=bool), populations(figures)[0])
    listed = (level.score > level.limit(0.01)) & (level.seen > 0)
    assert listed[wide].mean() > 0.8
    assert listed[~wide].mean() < 0.06
