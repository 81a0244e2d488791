"""Synthetic pictures of several kinds: things on a ground that differ in one respect each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from overread.arrays import Bools, Floats

SIDE = 420
CELLS = 4  # things a row and a column


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture, and the true masks of its things."""

    pixels: Floats
    things: list[Bools]


def scene(kind: str, seed: int) -> Scene:
    """A picture of 16 blobs of different sizes and shapes on a ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    step = SIDE / CELLS
    things = []
    for i in range(CELLS):
        for j in range(CELLS):
            row, column = (np.array([i, j]) + 0.5) * step + rng.uniform(-8, 8, 2)
            radius = rng.uniform(17, 25)
            lobes, phase, deep = rng.integers(2, 6), rng.uniform(0, 6.28), rng.uniform(0, 0.12)
            long, turn = rng.uniform(1, 1.25), rng.uniform(0, 3.14)
            down, across = y - row, x - column
            u = (across * np.cos(turn) + down * np.sin(turn)) / long
            v = (down * np.cos(turn) - across * np.sin(turn)) * long
            angle = np.arctan2(v, u)
            things.append(np.hypot(u, v) <= radius * (1 + deep * np.cos(lobes * angle + phase)))
    whole = np.any(things, axis=0)
    return Scene(KINDS[kind](whole, rng), things)


def _grey(whole: Bools, rng: np.random.Generator) -> Floats:
    """Dark things on a bright ground, noise."""
    return 140 - 50 * ndimage.gaussian_filter(whole * 1.0, 1) + rng.normal(0, 9, whole.shape)


def _textured(whole: Bools, rng: np.random.Generator) -> Floats:
    """The same mean brightness; things are grainy, the ground is not."""
    grain = ndimage.gaussian_filter(rng.normal(0, 1, whole.shape), 1.2)
    quiet = ndimage.gaussian_filter(rng.normal(0, 1, whole.shape), 1.2)
    return 120 + np.where(whole, 90 * grain, 22 * quiet)


def _coloured(whole: Bools, rng: np.random.Generator) -> Floats:
    """The same brightness, another hue; staining that varies over the picture."""
    stain = 12 * ndimage.gaussian_filter(rng.normal(0, 1, whole.shape), 60) * 60
    soft = ndimage.gaussian_filter(whole * 1.0, 1)
    base = np.stack([150 + 25 * soft, 150 - 25 * soft, np.full(whole.shape, 150.0)], axis=2)
    return base + stain[..., None] + rng.normal(0, 8, base.shape)


def _hollow(whole: Bools, rng: np.random.Generator) -> Floats:
    """Things with a middle as bright as the ground (red cells)."""
    depth = ndimage.distance_transform_edt(whole)
    rim = whole & (depth <= 9)
    return 150 - 45 * ndimage.gaussian_filter(rim * 1.0, 1) + rng.normal(0, 8, whole.shape)


def _sloped(whole: Bools, rng: np.random.Generator) -> Floats:
    """Bright things on a ground that gets brighter across the picture, as in X-rays."""
    slope = np.linspace(40, 160, whole.shape[1])[None, :]
    soft = ndimage.gaussian_filter(whole * 1.0, 1.5)
    return slope + 45 * soft + rng.normal(0, 7, whole.shape)


KINDS: dict[str, Callable[[Bools, np.random.Generator], Floats]] = {
    "grey": _grey,
    "textured": _textured,
    "coloured": _coloured,
    "hollow": _hollow,
    "sloped": _sloped,
}


def box_of(mask: Bools) -> Floats:
    """(4,) tight box of a mask."""
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([across[0], down[0], across[-1] + 1, down[-1] + 1], dtype=float)


def outline_of(mask: Bools, wider: float = 0.0) -> Floats:
    """(points, 2) outline of a mask, ``wider`` pixels outside of it."""
    row, column = (float(v.mean()) + 0.5 for v in np.nonzero(mask))
    signed = ndimage.distance_transform_edt(~mask) - ndimage.distance_transform_edt(mask)
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    far = np.arange(0, 80, 0.25)
    ring = []
    for a in angle:
        line = np.stack([row - 0.5 + far * np.sin(a), column - 0.5 + far * np.cos(a)])
        level = ndimage.map_coordinates(signed, line, order=1, mode="nearest")
        r = far[int(np.argmax(level > wider))]
        ring.append((column + r * np.cos(a), row + r * np.sin(a)))
    return np.clip(np.array(ring), 0, mask.shape[0])
