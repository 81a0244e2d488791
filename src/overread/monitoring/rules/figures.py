"""The figures of every drawing that the rules go by, one row a drawing, image by image.

Images are large and come one at a time; what is kept of each is a row of numbers for every drawing
and a fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints, frozen
from overread.monitoring.rules.annotation import Annotation, Crop, cut_out, widened
from overread.monitoring.rules.fingerprints import N_FEATURES, small_picture
from overread.monitoring.rules.profile import N_PROFILE
from overread.monitoring.rules.purity import Purity, measure_purities
from overread.monitoring.rules.texture import texture_length


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFigures:
    """Figures of drawings; lengths in image pixels, areas in square pixels; nan where unknown.

    Args:
        read: (n,) row of the read table.
        finding: (n,) place among the findings of its read, from 1; of masks the class's code.
        label: (n,) class code.
        area, perimeter: (n,) of the drawing, as far as it lies on the image.
        share: (n,) part of the inside that looks like the surroundings, 0 .. 1.
        offset: (n,) how far the contour lies outside of the edge; negative: inside of it.
        radius: (n,) reach from the contour inwards.
        contrast: (n,) how well inside and surroundings are told apart, 0 .. 1.
        expected: (n,) share that a tight drawing of this shape would have.
        texture: (n,) texture length inside.
        profile: (n, N_PROFILE) curves of background and edges across the contour.
        features: (n, N_FEATURES) small picture of the drawing, for its nearest neighbours.
    """

    read: Ints
    finding: Ints
    label: Ints
    area: Floats
    perimeter: Floats
    share: Floats
    offset: Floats
    radius: Floats
    contrast: Floats
    expected: Floats
    texture: Floats
    profile: Floats
    features: NDArray[np.float32]

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

    @property
    def n(self) -> int:
        """Number of drawings."""
        return int(self.read.size)

    def rows(self, which: Sequence[int] | Ints | Bools) -> DrawnFigures:
        """These rows only."""
        chosen = np.arange(self.n)[np.asarray(which, dtype=None if len(which) else np.int64)]
        return DrawnFigures(*(getattr(self, field.name)[chosen] for field in fields(self)))


_BOX_SHARE = 1 - np.pi / 4  # what an ellipse leaves of the box around it
_COLUMNS = (
    "area", "perimeter", "share", "offset", "radius", "contrast", "expected", "texture",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Drawings of the set, and the same drawn too wide on purpose: what looseness looks like here.

    Args:
        before, after, further: (n,) figures of each as it is, 30 % and 50 % too wide, in the same
            order.
    """

    before: DrawnFigures
    after: DrawnFigures
    further: DrawnFigures


PROBES = (0.3, 0.5)
"""How much too wide probes are, of their reach."""


def measure_drawings(
    pixels: NDArray[Any],
    drawn: list[Annotation],
    *,
    whole: bool = True,
    pause: Callable[[], None] = lambda: None,
) -> DrawnFigures:
    """Measure the drawings of one read on its image.

    Args:
        pixels: (rows, columns, channels), of :func:`overread.monitoring.rules.plane`, or
            :func:`overread.monitoring.rules.channels` for a few drawings on a large image.
        drawn: of :func:`overread.monitoring.rules.drawings_of`.
        whole: measure the texture and keep the small picture too; both are for whole sets, and
            take half of the time.
        pause: called between drawings; what it raises ends the work.
    """
    purities, _ = measure_purities(pixels, drawn, pause=pause)
    return _table(pixels, drawn, purities, whole=whole)


def measure_with_probes(
    pixels: NDArray[Any], drawn: list[Annotation], probed: Collection[int]
) -> tuple[DrawnFigures, Probes]:
    """The same, and again some of them drawn too wide, the others left as they are.

    Args:
        probed: places in ``drawn``.
    """
    size = pixels.shape[:2]
    places = sorted(probed)
    wide = [(at, widened(drawn[at], by, size)) for by in PROBES for at in places]
    purities, again = measure_purities(pixels, drawn, instead=wide)
    figures = _table(pixels, drawn, purities)
    after = _table(pixels, [one for _, one in wide], again, whole=False)
    n = len(places)
    return figures, Probes(figures.rows(places), after.rows(range(n)), after.rows(range(n, 2 * n)))


def _table(
    pixels: NDArray[Any],
    drawn: list[Annotation],
    purities: list[Purity | None],
    *,
    whole: bool = True,
) -> DrawnFigures:
    rows: list[tuple[float, ...]] = []
    features, curves = [], []
    for one, purity in zip(drawn, purities, strict=True):
        crop = cut_out(pixels, one, [])
        if crop is None or purity is None:
            rows.append((np.nan,) * len(_COLUMNS))
            features.append(np.zeros(N_FEATURES, np.float32))
            curves.append(np.full(N_PROFILE, np.nan))
            continue
        rows.append(_row(one, crop, purity, whole=whole))
        curves.append(purity.profile)
        features.append(_look(pixels, one) if whole else np.zeros(N_FEATURES, np.float32))
    values = np.array(rows, dtype=np.float64).reshape(-1, len(_COLUMNS)).T
    return DrawnFigures(
        np.array([one.read for one in drawn], dtype=np.int64),
        np.array([one.finding for one in drawn], dtype=np.int64),
        np.array([one.label for one in drawn], dtype=np.int64),
        **dict(zip(_COLUMNS, values, strict=True)),
        profile=np.array(curves, dtype=np.float64).reshape(-1, N_PROFILE),
        features=np.array(features, dtype=np.float32).reshape(-1, N_FEATURES),
    )


def gathered_probes(parts: Iterable[Probes]) -> Probes:
    """The probes of all parts, in turn."""
    parts = list(parts)
    names = [field.name for field in fields(Probes)]
    return Probes(*(gathered(getattr(one, name) for one in parts) for name in names))


def gathered(parts: Iterable[DrawnFigures]) -> DrawnFigures:
    """The rows of all parts, in turn."""
    parts = list(parts) or [no_drawings()]
    names = [field.name for field in fields(DrawnFigures)]
    return DrawnFigures(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def no_drawings() -> DrawnFigures:
    """A table without rows."""
    none = np.empty(0, dtype=np.int64)
    features = np.empty((0, N_FEATURES), np.float32)
    empty = {name: np.empty(0) for name in _COLUMNS}
    curves = np.empty((0, N_PROFILE))
    return DrawnFigures(none, none, none, **empty, profile=curves, features=features)


def _row(one: Annotation, crop: Crop, purity: Purity, *, whole: bool) -> tuple[float, ...]:
    inside, step = np.pad(crop.inside, 1), crop.stride
    edges = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in (0, 1))
    # edges of pixels overstate a slanted contour, by 4 / pi over all directions
    straight = 1.0 if one.shape == "box" else np.pi / 4
    return (
        float(inside.sum()) * step**2,
        float(edges) * step * straight,
        purity.share,
        purity.offset_px,
        purity.radius_px,
        purity.contrast,
        _BOX_SHARE if one.shape == "box" else 0.0,
        texture_length(crop.pixels.mean(axis=2), crop.inside) * step if whole else np.nan,
    )


def _look(pixels: NDArray[Any], one: Annotation) -> NDArray[np.float32]:
    x1, y1, x2, y2 = one.box
    rows, columns = pixels.shape[:2]
    part = pixels[
        max(0, int(y1)) : min(rows, int(np.ceil(y2))),
        max(0, int(x1)) : min(columns, int(np.ceil(x2))),
    ]
    return small_picture(part.astype(np.float64))
