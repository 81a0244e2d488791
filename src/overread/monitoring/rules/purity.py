"""How loosely a drawing lies around what it shows: pixels like outside, distance to the edge.

Two figures of one drawing on its image, from that image alone. *Share*: every pixel becomes one of
a few words of local brightness, colour and texture (k-means). The words in the core of the drawing
and in a ring around it have two distributions c and r; those inside are a mixture
p r + (1 - p) c, and p is the most likely. *Offset*: along the normals of the
contour the evidence for "background" makes a step; the place of the best step (least squares,
background outside) is the edge. Positive: the contour lies outside of the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from overread.arrays import Bools, Floats, Ints
from overread.monitoring.rules.annotation import Annotation, Crop, Shape, cut_out
from overread.monitoring.rules.profile import N_PROFILE, corners, profile

_WORDS = 16
_SAMPLE = 1500  # pixels that the words are learnt from
_CORE = 0.45  # of the local depth
_LEAST = 12  # pixels of a core or a ring that can be judged
_GRID = 33  # shares looked at, twice
_FLOOR = 0.03  # of a distribution that goes to words like those seen
_NORMALS = 160
_STEPS = 33  # places along a normal


@dataclass(frozen=True, slots=True, eq=False)
class Purity:
    """How a drawing lies on its image.

    Args:
        share: part of the inside that looks like the surroundings, 0 .. 1; nan if unknown.
        offset_px: how far the contour lies outside of the edge (negative: inside of it), in image
            pixels; nan if no edge was found.
        radius_px: the reach of the drawing from its contour inwards, in image pixels.
        contrast: how well core and surroundings are told apart, 0 (alike) .. 1.
        profile: (N_PROFILE,) of :func:`overread.monitoring.rules.profile.profile`.
        like_outside: (rows, columns) of the crop: inside, but looks like the surroundings.
    """

    share: float
    offset_px: float
    radius_px: float
    contrast: float
    profile: Floats
    like_outside: Bools


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """A crop taken apart: depth of the inside, distance of the outside, core, ring, features."""

    crop: Crop
    shape: Shape
    label: int
    depth: Floats
    away: Floats
    reach: float
    core: Bools
    ring: Bools


def measure_purities(
    pixels: NDArray[Any],
    drawn: list[Annotation],
    *,
    instead: Sequence[tuple[int, Annotation]] = (),
    pooled: float = 1.0,
    pause: Callable[[], None] = lambda: None,
) -> tuple[list[Purity | None], list[Purity | None]]:
    """Measure the drawings of one read on its image.

    Args:
        pixels: (rows, columns, channels), of :func:`overread.monitoring.rules.annotation.plane`.
        drawn: all drawings of the read on this image.
        instead: places in ``drawn``, and other drawings of the same things, measured too.
        pooled: weight of the class's other drawings in the same read, beside a drawing's own
            core and ring; 0 looks at each alone.
        pause: called between drawings; what it raises ends the work.
    Returns:
        one for each drawing, None where nothing of it lies on the image; and the same of
        ``instead``.
    """
    parts: dict[int, _Parts | None] = {}
    for at, one in enumerate(drawn):
        pause()
        parts[at] = _taken_apart(pixels, one, drawn, at)
    usual = {at: part for at, part in parts.items() if part is not None}
    if not usual:
        return [None] * len(drawn), [None] * len(instead)
    blur = float(np.clip(np.median([one.reach for one in usual.values()]) / 12, 0.6, 2.0))
    features = [_features(_levelled(one), blur) for one in usual.values()]
    said = _Words(features)
    pause()
    model = _Model(list(usual.values()), [said.of(one) for one in features], pooled, said)
    place = {at: row for row, at in enumerate(usual)}
    found: dict[int, Purity] = {}
    for (at, part), each in zip(usual.items(), features, strict=True):
        pause()
        found[at] = model.judged(part, each, place[at])
    again: list[Purity | None] = []
    for at, one in instead:
        wide = _taken_apart(pixels, one, drawn, at) if at in usual else None
        again.append(
            model.judged(wide, _features(_levelled(wide), blur), place[at]) if wide else None
        )
    return [found.get(at) for at in range(len(drawn))], again


class _Model:
    """Words of the cores and the rings of a read's drawings."""

    def __init__(self, parts: list[_Parts], words: list[Ints], pooled: float, said: _Words) -> None:
        n = said.n
        self.n, self.pooled, self.said = n, pooled, said
        self.label = np.array([one.label for one in parts])
        self.cores = [_counts(w[p.core], n) for w, p in zip(words, parts, strict=True)]
        self.rings = [_counts(w[p.ring], n) for w, p in zip(words, parts, strict=True)]

    def judged(self, part: _Parts, features: Floats, at: int) -> Purity:
        """Measure a drawing in the place of the one in row ``at``."""
        word = self.said.of(features)
        core = self._with_class(_counts(word[part.core], self.n), self.cores, at)
        ring = self._with_class(_counts(word[part.ring], self.n), self.rings, at)
        return _judged(part, word, features[..., :-1], core, ring)

    def _with_class(self, own: Floats, every: list[Floats], at: int) -> Floats | None:
        """(words,) distribution of one drawing, leaning on its class; None without pixels."""
        share = own / own.sum() if own.sum() >= _LEAST else np.zeros(self.n)
        mine = np.flatnonzero(self.label == self.label[at])
        rest = [every[row] for row in mine.tolist() if row != at and every[row].sum() >= _LEAST]
        if rest:
            others = np.mean([one / one.sum() for one in rest], axis=0)
            share = share + self.pooled * min(len(rest) / 4, 1.0) * others
        if share.sum() <= 0:
            return None
        share = share / share.sum()
        # a word seen in neither (the blur of an edge) goes with those that look most like it
        return np.asarray((1 - _FLOOR) * share + _FLOOR * (share @ self.said.kinship))


def _taken_apart(
    pixels: NDArray[Any], one: Annotation, drawn: list[Annotation], at: int
) -> _Parts | None:
    """Take apart a drawing that stands in place ``at`` of its read."""
    crop = cut_out(pixels, one, [*drawn[:at], *drawn[at + 1 :]])
    if crop is None:
        return None
    depth = ndimage.distance_transform_edt(np.pad(crop.inside, 1))[1:-1, 1:-1]
    away = ndimage.distance_transform_edt(~crop.inside)
    reach = float(np.percentile(depth[crop.inside], 95))
    core = _core(crop.inside, depth, reach, one.shape)
    ring = (away > 1.5) & (away <= 1.5 + max(4.0, 0.8 * reach)) & ~crop.others
    return _Parts(crop, one.shape, one.label, depth, away, reach, core, ring)


def _judged(
    part: _Parts, word: Ints, smooth: Floats, core: Floats | None, ring: Floats | None
) -> Purity:
    crop, stride = part.crop, part.crop.stride
    if core is None or ring is None:
        nothing = np.zeros_like(crop.inside)
        unknown = np.full(N_PROFILE, np.nan)
        return Purity(np.nan, np.nan, part.reach * stride, 0.0, unknown, nothing)
    contrast = 1.0 - float(np.minimum(core, ring).sum())
    inside = _counts(word[crop.inside], core.size)
    share = _mixture(inside / inside.sum(), core, ring)
    evidence = ndimage.uniform_filter((ring / (core + ring))[word], 3)
    found = (
        _box_offset(evidence, crop.inside)
        if part.shape == "box"
        else _contour_offset(evidence, part)
    )
    like = crop.inside & (evidence > 0.5)
    apart = crop.others | corners(crop.inside) if part.shape == "box" else crop.others
    curves = profile(
        evidence, smooth, depth=part.depth, away=part.away, reach=part.reach, apart=apart
    )
    return Purity(share, found * stride, part.reach * stride, contrast, curves, like)


def _core(inside: Bools, depth: Floats, reach: float, shape: Shape) -> Bools:
    if shape == "box":  # the ellipse of half its sides: what fills a box is seldom its corners
        rows, columns = np.nonzero(inside)
        y, x = np.ogrid[: inside.shape[0], : inside.shape[1]]
        down = (y - rows.mean()) / max(np.ptp(rows) / 2, 1)
        across = (x - columns.mean()) / max(np.ptp(columns) / 2, 1)
        return np.asarray(inside & (down**2 + across**2 <= 0.3))
    side = 2 * int(np.ceil(reach)) + 1
    local = ndimage.maximum_filter(depth, side)
    return np.asarray(inside & (depth >= _CORE * local))


def _levelled(part: _Parts) -> Floats:
    """Pixels of a crop less the plane through its ring: shading and staining vary, edges stay."""
    pixels, ring = part.crop.pixels, part.ring
    if ring.sum() < _LEAST:
        return pixels - np.median(pixels, axis=(0, 1))
    down, across = np.nonzero(ring)
    middle = down.mean(), across.mean()
    plain = np.stack([np.ones(down.size), down - middle[0], across - middle[1]], axis=1)
    level = np.linalg.lstsq(plain, pixels[ring], rcond=None)[0]
    y, x = np.ogrid[: ring.shape[0], : ring.shape[1]]
    slope = (y - middle[0])[..., None] * level[1] + (x - middle[1])[..., None] * level[2]
    return np.asarray(pixels - level[0] - slope)


def _features(pixels: Floats, blur: float) -> Floats:
    """(rows, columns, features): smoothed channels, and how rough the brightness is around."""
    smooth = ndimage.gaussian_filter(pixels, (blur, blur, 0))
    grey = pixels.mean(axis=2)
    level = ndimage.gaussian_filter(grey, 2 * blur)
    power = ndimage.gaussian_filter(grey**2, 2 * blur)
    rough = np.sqrt(np.maximum(power - level**2, 0))
    # an edge is a rough band, and no texture: the opening takes it away and leaves areas
    side = 2 * int(np.ceil(4 * blur)) + 1
    rough = ndimage.grey_opening(rough, (side, side))
    return np.concatenate([smooth, rough[..., None]], axis=2)


class _Words:
    """Words of pixels: the nearest of the centres learnt from the crops of one read."""

    def __init__(self, features: list[Floats]) -> None:
        rng = np.random.default_rng(0)  # the same read, the same words
        each = max(_SAMPLE // len(features), 60)
        flat = [one.reshape(-1, one.shape[2]) for one in features]
        some = np.concatenate([one[rng.integers(0, len(one), min(each, len(one)))] for one in flat])
        spread = some.std(axis=0)
        self.middle, self.spread = some.mean(axis=0), np.where(spread > 0, spread, 1.0)
        centres = _centres((some - self.middle) / self.spread, rng)
        self.n = len(centres)
        apart = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
        near = 1 / (1e-3 + apart) ** 2
        self.kinship = near / near.sum(axis=1, keepdims=True)
        # |x - c|^2 in the units of the features, as one product
        self.scaled = (centres / self.spread).T.astype(np.float32)
        self.half = ((centres**2).sum(axis=1) / 2 + centres @ (self.middle / self.spread)).astype(
            np.float32
        )

    def of(self, features: Floats) -> Ints:
        """(rows, columns) words of a crop."""
        flat = features.reshape(-1, features.shape[2]).astype(np.float32)
        return np.asarray((flat @ self.scaled - self.half).argmax(axis=1)).reshape(
            features.shape[:2]
        )


def _centres(some: Floats, rng: np.random.Generator) -> Floats:
    """k-means with a start spread over the pixels (k-means++); fewer where few colours occur."""
    centres = [some[0]]
    far = ((some - centres[0]) ** 2).sum(axis=1)
    while len(centres) < _WORDS and far.sum() > 1e-9:
        centres.append(some[rng.choice(len(some), p=far / far.sum())])
        far = np.minimum(far, ((some - centres[-1]) ** 2).sum(axis=1))
    found = np.array(centres)
    for _ in range(8):
        near = (some @ found.T - (found**2).sum(axis=1) / 2).argmax(axis=1)
        size = np.bincount(near, minlength=len(found))
        for axis in range(some.shape[1]):
            total = np.bincount(near, weights=some[:, axis], minlength=len(found))
            found[:, axis] = np.where(size > 0, total / np.maximum(size, 1), found[:, axis])
    return found


def _counts(word: Ints, n: int) -> Floats:
    return np.bincount(word, minlength=n).astype(np.float64)


def _mixture(inside: Floats, core: Floats, ring: Floats) -> float:
    """Share of ``ring`` in ``inside``, a mixture of it and ``core``, by most likelihood."""
    # the likelihood is concave in the share: the root of its slope, on a grid and a finer one
    share = np.linspace(1e-4, 1 - 1e-4, _GRID)
    low, high = share[0], share[-1]
    for _ in range(2):
        share = np.linspace(low, high, _GRID)
        slope = ((ring - core) / (np.outer(share, ring - core) + core)) @ inside
        at = int(np.count_nonzero(slope > 0))  # it falls
        low, high = share[max(at - 1, 0)], share[min(at, _GRID - 1)]
    return float((low + high) / 2)


def _contour_offset(evidence: Floats, part: _Parts) -> float:
    """Median offset over the normals of a contour, in samples."""
    depth, away, reach = part.depth, part.away, part.reach
    signed = ndimage.gaussian_filter(away - depth, 1.0)
    point = np.argwhere(part.crop.inside & (depth <= 1.5))
    point = point[:: max(1, len(point) // _NORMALS)]
    down, across = np.gradient(signed)
    slope = np.stack([down, across], axis=-1)[point[:, 0], point[:, 1]]
    normal: Floats = slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    far = max(3.0, 0.8 * reach)
    step = np.linspace(-far, far, _STEPS)
    along = point[:, None, :] + normal[:, None, :] * (step[None, :, None] + 0.5)
    profile = _sampled(evidence, along)
    at, gain = _best_step(profile, step)
    return _typical(-at, gain, 0.5)


def _box_offset(evidence: Floats, inside: Bools) -> float:
    """Mean over the sides of a low quantile of the offset along each: where the object touches."""
    rows, columns = np.nonzero(inside)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    height, width = bottom - top, right - left
    offsets = []
    for start, out, span, size in (
        ((top, left), (-1, 0), (0, 1), (width, height)),
        ((bottom, left), (1, 0), (0, 1), (width, height)),
        ((top, left), (0, -1), (1, 0), (height, width)),
        ((top, right), (0, 1), (1, 0), (height, width)),
    ):
        far_in, far_out = 0.45 * size[1], max(3.0, 0.2 * size[1])
        step = np.linspace(-far_in, far_out, _STEPS)
        lines = np.linspace(0.15, 0.85, 25) * size[0]
        origin = np.asarray(start, float) - 0.5
        along = (
            origin + lines[:, None, None] * np.asarray(span) + step[None, :, None] * np.asarray(out)
        )
        at, gain = _best_step(_sampled(evidence, along), step)
        offsets.append(_typical(-at, gain, 0.2))
    known = [one for one in offsets if not np.isnan(one)]
    return float(np.mean(known)) if len(known) >= 2 else float("nan")


def _sampled(evidence: Floats, along: Floats) -> Floats:
    places = along.reshape(-1, 2).T
    values = ndimage.map_coordinates(evidence, places, order=1, mode="nearest")
    return np.asarray(values.reshape(along.shape[:2]))


def _best_step(profile: Floats, step: Floats) -> tuple[Floats, Floats]:
    """(lines,) place of the best rise of each profile, and how high it rises (<= 0: none)."""
    n = profile.shape[1]
    total = np.cumsum(profile, axis=1)
    k = np.arange(1, n)
    low = total[:, :-1] / k
    high = (total[:, -1:] - total[:, :-1]) / (n - k)
    rise = high - low
    gain = np.where(rise > 0, rise**2 * k * (n - k), 0.0)
    best = gain.argmax(axis=1)
    lines = np.arange(len(profile))
    return (step[best] + step[best + 1]) / 2, rise[lines, best]


def _typical(offset: Floats, rise: Floats, quantile: float) -> float:
    """Quantile of the offset over the lines that show an edge."""
    clear = rise > 0.25
    return float(np.quantile(offset[clear], quantile)) if clear.sum() >= 5 else float("nan")
