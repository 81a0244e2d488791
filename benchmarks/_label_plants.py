"""Errors planted in drawings, and synthetic scenes to plant them in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from overread.monitoring.rules.annotation import Annotation, widened

SIDE = 420


def loosened(drawn: list[Annotation], rng, share: float, size, *, shapes=(0.2, 0.6)):
    """Draw a share of the drawings 20 to 60 % too wide; (drawings, how much each)."""
    by = np.where(rng.random(len(drawn)) < share, rng.uniform(*shapes, len(drawn)), 0.0)
    made = [widened(one, b, size) if b > 0 else one for one, b in zip(drawn, by, strict=True)]
    return made, by


def tiny(drawn: list[Annotation], rng, share: float):
    """Draw a share of the boxes at 25 to 45 % of their sides; (drawings, which)."""
    which = rng.random(len(drawn)) < share
    made = []
    for one, small in zip(drawn, which, strict=True):
        middle, half = (one.box[:2] + one.box[2:]) / 2, (one.box[2:] - one.box[:2]) / 2
        half = np.maximum(half * rng.uniform(0.25, 0.45), 1.5)
        made.append(
            replace(one, box=np.concatenate([middle - half, middle + half])) if small else one
        )
    return made, which


def scene(kind: str, seed: int):
    """Pixels, and 16 tight boxes, of blobs that differ from their ground in one respect."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    things = []
    for at in range(16):
        row, column = (np.array(divmod(at, 4)) + 0.5) * SIDE / 4 + rng.uniform(-8, 8, 2)
        long, turn, radius = rng.uniform(1, 1.3), rng.uniform(0, 3.14), rng.uniform(16, 25)
        u = ((x - column) * np.cos(turn) + (y - row) * np.sin(turn)) / long
        v = ((y - row) * np.cos(turn) - (x - column) * np.sin(turn)) * long
        things.append(np.hypot(u, v) <= radius)
    whole = np.any(things, axis=0)
    noise = rng.normal(0, 1, whole.shape)
    soft = ndimage.gaussian_filter(whole * 1.0, 1)
    if kind == "grey":
        pixels = 140 - 40 * soft + 9 * noise
    elif kind == "texture":
        grain = ndimage.gaussian_filter(noise, 1.2)
        pixels = 120 + np.where(whole, 90, 22) * grain
    elif kind == "shading":
        pixels = np.linspace(40, 160, SIDE)[None, :] + 45 * soft + 7 * noise
    else:
        base = np.stack([150 + 25 * soft, 150 - 25 * soft, np.full(whole.shape, 150.0)], axis=2)
        pixels = base + rng.normal(0, 8, base.shape)
    boxes = []
    for thing in things:
        down, across = np.flatnonzero(thing.any(axis=1)), np.flatnonzero(thing.any(axis=0))
        boxes.append(np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], dtype=float))
    drawn = [Annotation(seed, at + 1, 0, "box", box) for at, box in enumerate(boxes)]
    return pixels, drawn
