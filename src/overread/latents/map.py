"""A map of images to look at: alike ones lie together, in clusters with a typical image each.

Source:
    McInnes, Healy & Melville 2018, "UMAP", arXiv:1802.03426 (fuzzy neighbours, attraction and
    sampled repulsion), here with exact neighbours, a start from principal axes and a fixed order
    of all steps: the same latents always give the same map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.latents.kernels import pull_apart
from overread.selection.basis import blocks, squares
from overread.selection.grouping import kmeans, nearest

_DRAWN = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap:
    """Where images lie.

    Args:
        places: (images, 2), each axis within 0 to 1.
        cluster: (images,) codes from 0, the largest first.
        typical: (clusters,) the image nearest to the middle of each.
    """

    places: NDArray[np.float32]
    cluster: Ints
    typical: Ints


def map_of(
    latents: NDArray[Any], *, clusters: int = 12, neighbours: int = 15, epochs: int = 0,
    drawn: int = _DRAWN, seed: int = 0,
) -> ImageMap:  # fmt: skip
    """Lay images out on a plane.

    Args:
        latents: (images, latents), finite.
        clusters: at most.
        neighbours: of an image that pull it.
        epochs: rounds of pulling; 0: 300 for few images, 150 for many.
        drawn: images that are laid out; the others of a larger set are put among their nearest
            ones of these.
        seed: of the sample, the clusters and the repulsion.
    Returns:
        The map; a single image and equal images are allowed.
    """
    if latents.ndim != 2 or 0 in latents.shape:
        raise InputError("latents", "be a table (images, latents), not empty", latents.shape)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(latents))[:drawn])
    points = np.asarray(latents[chosen], dtype=np.float64)
    if not np.isfinite(points).all():
        raise InputError("latents", "be finite", "nan or infinity")
    count = min(neighbours, len(points) - 1)
    places = _start(points)
    if count > 0:
        near, far = _neighbours(points, count)
        places = _laid_out(places, near, far, epochs or (300 if len(points) < 5000 else 150), seed)
    centres = kmeans(points, clusters, rng)
    every = np.empty((len(latents), 2))
    group = np.empty(len(latents), dtype=np.int64)
    every[chosen] = places
    others = np.setdiff1d(np.arange(len(latents)), chosen)
    for block in blocks(len(others), 2048):
        rows = others[block]
        every[rows] = _among(np.asarray(latents[rows], dtype=np.float64), points, places)
    for block in blocks(len(latents), 8192):
        group[block] = nearest(np.asarray(latents[block], dtype=np.float64), centres)[0]
    low, high = every.min(axis=0), every.max(axis=0)
    scaled = (every - low) / np.maximum(high - low, 1e-12)
    return ImageMap(scaled.astype(np.float32), *_named(latents, centres, group))


def _start(points: Floats) -> Floats:
    """First two principal axes, within 10 either way."""
    middle = points - points.mean(axis=0)
    value, vector = np.linalg.eigh(middle.T @ middle)
    axes = vector[:, np.argsort(-value, kind="stable")[:2]]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])] < 0, -1, 1)
    flat = middle @ axes
    if flat.shape[1] == 1:
        flat = np.hstack([flat, np.zeros_like(flat)])
    return np.asarray(10 * flat / max(float(np.abs(flat).max()), 1e-12))


def _neighbours(points: Floats, count: int) -> tuple[Ints, Floats]:
    """(points, count) nearest others and their distances, exactly."""
    near = np.empty((len(points), count), dtype=np.int64)
    far = np.empty((len(points), count))
    for block in blocks(len(points), 1024):
        square = squares(points[block], points)
        square[np.arange(len(square)), np.arange(len(points))[block]] = np.inf
        found = np.argpartition(square, count - 1, axis=1)[:, :count]
        value = np.take_along_axis(square, found, axis=1)
        order = np.lexsort((found, value), axis=1)
        near[block] = np.take_along_axis(found, order, axis=1)
        far[block] = np.sqrt(np.maximum(np.take_along_axis(value, order, axis=1), 0))
    return near, far


def _laid_out(places: Floats, near: Ints, far: Floats, epochs: int, seed: int) -> Floats:
    weight = _fuzzy(far)
    n, count = near.shape
    left = np.repeat(np.arange(n), count)
    right, strength = near.ravel(), weight.ravel()
    # a pair that chose each other pulls as w + w' - w w'
    code = np.minimum(left, right) * n + np.maximum(left, right)
    distinct, back = np.unique(code, return_inverse=True)
    apart = np.ones(len(distinct))
    np.multiply.at(apart, back, 1 - strength)
    joint = 1 - apart
    kept = joint > joint.max() / epochs
    left, right = np.divmod(distinct[kept], n)
    every = joint.max() / joint[kept]
    a, b = _curve()
    moved = np.ascontiguousarray(places)
    pull_apart(moved, left, right, every, epochs, a, b, 5, 1.0, seed)
    return moved


def _fuzzy(far: Floats) -> Floats:
    """exp(-(d - nearest) / scale), the scale such that the row sums to log2 of its length."""
    nearest_one = far[:, :1]
    apart = np.maximum(far - nearest_one, 0)
    low, high = np.zeros(len(far)), np.full(len(far), np.inf)
    scale = np.maximum(apart.mean(axis=1), 1e-12)
    target = np.log2(far.shape[1] + 1)
    for _ in range(40):
        total = np.exp(-apart / scale[:, None]).sum(axis=1)
        high = np.where(total > target, scale, high)
        low = np.where(total > target, low, scale)
        scale = np.where(np.isinf(high), 2 * scale, (low + np.minimum(high, 1e300)) / 2)
        scale = np.clip(scale, 1e-12, 1e12)
    return np.asarray(np.exp(-apart / scale[:, None]))


def _curve(spread: float = 1.0, least: float = 0.1) -> tuple[float, float]:
    """a, b of 1 / (1 + a d^2b): near 1 up to ``least``, then falling over ``spread``."""
    at = np.linspace(0, 3 * spread, 300)
    wanted = np.where(at < least, 1.0, np.exp(-(at - least) / spread))
    (a, b), _ = curve_fit(lambda x, a, b: 1 / (1 + a * x ** (2 * b)), at, wanted, p0=(1.5, 0.9))
    return float(a), float(b)


def _among(latents: Floats, points: Floats, places: Floats) -> Floats:
    """Mean place of the five nearest points, nearer ones counting more."""
    square = squares(latents, points)
    count = min(5, len(points))
    found = np.argpartition(square, count - 1, axis=1)[:, :count]
    near = np.take_along_axis(square, found, axis=1)
    weight = 1 / (np.maximum(near, 0) + 1e-9)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray((weight[..., None] * places[found]).sum(axis=1))


def _named(latents: NDArray[Any], centres: Floats, group: Ints) -> tuple[Ints, Ints]:
    """Codes by size, and the image nearest to each centre."""
    count = np.bincount(group, minlength=len(centres))
    order = np.argsort(-count, kind="stable")
    order = order[count[order] > 0]
    code = np.full(len(centres), -1)
    code[order] = np.arange(len(order))
    typical = np.empty(len(order), dtype=np.int64)
    for place, old in enumerate(order):
        rows = np.flatnonzero(group == old)
        far = [
            squares(np.asarray(latents[rows[block]], dtype=np.float64), centres[[old]])[:, 0]
            for block in blocks(len(rows), 8192)
        ]
        typical[place] = rows[int(np.concatenate(far).argmin())]
    return code[group], typical
