"""The images of a project on a plane: which look alike, and what is known of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.project_reads import Said
from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.learner import Learner, probabilities_of
from overread.arrays import Floats, Ints
from overread.store.learning.asking import Asked

COLOURS = ("label", "uncertainty", "split", "reader")
"""What the points of a map may show."""

SPLIT = ("teaches", "tests", "asked", "unread")
"""Codes of a map by split, in this order."""

MOST = 1_500
LEVELS = 5


@dataclass(frozen=True, slots=True, eq=False)
class CaseMap:
    """A sample of the cases on a plane.

    Args:
        rows: (points,) of the cases; x, y: (points,) in 0 .. 1.
        code: (points,) of what is shown: a class, a level of doubt, a split, or a reader; -1 for
            unread.
        guess: (points,) class that the model says; -1 before there is a model.
        doubt: (points,) chance that it is wrong by its own word; nan before.
        share: of the variance of the latents that the plane shows; nan of a map by neighbours.
        cluster: (points,) codes from 0, the largest first; -1 where none were made.
        typical: (clusters,) the point nearest to the middle of each.
    """

    rows: Ints
    x: Floats
    y: Floats
    code: Ints
    guess: Ints
    doubt: Floats
    share: float
    cluster: Ints
    typical: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Places of a sample of cases. Args: as of :class:`CaseMap`."""

    rows: Ints
    x: Floats
    y: Floats
    share: float
    cluster: Ints
    typical: Ints


@dataclass(frozen=True, slots=True, eq=False)
class NearMap:
    """A sample of the cases, neighbours together: worked out beside, for one version of latents.

    Args:
        version: of the latents; of: how many cases they were of.
        cases: (points,) ids; places: (points, 2) in 0 .. 1.
        cluster: (points,) codes from 0, the largest first; typical: (clusters,) points.
    """

    version: str
    of: int
    cases: tuple[str, ...]
    places: NDArray[np.float32]
    cluster: Ints
    typical: Ints

    def serves(self, latents: CaseLatents) -> bool:
        """It is of these latents, and nearly all of their cases were there."""
        return self.version == latents.version and 10 * self.of >= 9 * len(latents.cases)


def near_map_of(latents: CaseLatents, *, seed: int = 0, most: int = MOST) -> NearMap:
    """Lay a sample of the cases out so that alike ones lie together: seconds.

    Args:
        latents: of at least one case.
        seed: of the sample and the layout.
        most: points that a page can show.
    Source:
        As of :func:`overread.latents.map.map_of`.
    """
    from overread.latents.map import map_of as neighbours_of  # noqa: PLC0415 - compiled loops

    rows = _sample(len(latents.cases), seed, most)
    made = neighbours_of(latents.values[rows], seed=seed)
    cases = tuple(latents.cases[row] for row in rows.tolist())
    return NearMap(
        latents.version, len(latents.cases), cases, made.places, made.cluster, made.typical
    )


def packed_map(near: NearMap) -> bytes:
    """As bytes without pickle."""
    made = io.BytesIO()
    np.savez(
        made, version=np.array(near.version), of=np.array(near.of), cases=np.array(near.cases),
        places=near.places, cluster=near.cluster, typical=near.typical,
    )  # fmt: skip
    return made.getvalue()


def unpacked_map(value: bytes) -> NearMap:
    """The map of :func:`packed_map`."""
    with np.load(io.BytesIO(value), allow_pickle=False) as found:
        cases = tuple(found["cases"].tolist())
        parts = (found[name] for name in ("places", "cluster", "typical"))
        return NearMap(str(found["version"]), int(found["of"]), cases, *parts)


def near_plane(near: NearMap, learner: Learner) -> Plane:
    """The places of the cases that are still there."""
    there = [at for at, case in enumerate(near.cases) if case in learner.row]
    place = {at: new for new, at in enumerate(there)}
    rows = np.array([learner.row[near.cases[at]] for at in there], dtype=np.int64)
    typical = [place.get(int(at), -1) for at in near.typical]
    x, y = np.asarray(near.places[there], dtype=np.float64).reshape(-1, 2).T
    cluster = near.cluster[there]
    return Plane(rows, x, y, float("nan"), cluster, np.array(typical, dtype=np.int64))


def _sample(count: int, seed: int, most: int) -> Ints:
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def plane_of(values: NDArray[np.floating], *, seed: int = 0, most: int = MOST) -> Plane:
    """The two main axes of the latents.

    Args:
        values: (cases, latents).
        seed: of the sample of a large project.
        most: points that a page can show.
    Source:
        Jolliffe 2002, Principal Component Analysis.
    """
    rows = _sample(len(values), seed, most)
    part = np.asarray(values[rows], dtype=np.float64)
    centred = part - part.mean(axis=0) if len(part) else part
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    place = np.zeros((len(rows), 2))
    kept = min(2, len(axes))
    place[:, :kept] = centred @ axes[:kept].T
    whole = float((strength**2).sum())
    share = float((strength[:kept] ** 2).sum()) / whole if whole > 0 else 0.0
    none = np.full(len(rows), -1)
    return Plane(rows, _squeezed(place[:, 0]), _squeezed(place[:, 1]), share, none, none[:0])


def map_of(
    learner: Learner,
    plane: Plane,
    asked: dict[str, Asked],
    *,
    by: str,
    readers: Mapping[str, int] | None = None,
    said: Mapping[str, Mapping[str, Said]] | None = None,
) -> CaseMap:
    """Colour the points of a plane.

    Args:
        learner: what is known.
        plane: of its cases.
        asked: cases that were asked for.
        by: of :data:`COLOURS`; of a set of classes the first is shown.
        readers: reader -> code; said: case -> reader -> what they said: who read it last.
    """
    rows = plane.rows
    label = np.asarray(learner.said()[rows])
    guess = np.full(len(rows), -1, dtype=np.int64)
    doubt: Floats = np.full(len(rows), np.nan)
    if learner.can_choose:
        sure = probabilities_of(learner, rows=rows)
        guess = np.asarray(sure.argmax(axis=1), dtype=np.int64)
        doubt = np.asarray(1 - sure.max(axis=1))
    if by == "split":
        code: Ints = np.array([_split(learner, int(row), asked) for row in rows], dtype=np.int64)
    elif by == "uncertainty":
        top = 1 - 1 / len(learner.setup.classes)
        level = np.nan_to_num(doubt / top * LEVELS, nan=-1.0)
        code = np.where(np.isnan(doubt), -1, np.clip(level.astype(np.int64), 0, LEVELS - 1))
    elif by == "reader":
        cases = [learner.latents.cases[row] for row in rows.tolist()]
        last = [_last_reader((said or {}).get(case, {})) for case in cases]
        code = np.array([(readers or {}).get(who, -1) for who in last], dtype=np.int64)
    else:
        code = label
    return CaseMap(
        rows, plane.x, plane.y, code, guess, doubt, plane.share, plane.cluster, plane.typical
    )


def _last_reader(of: Mapping[str, Said]) -> str:
    """Who read it last; "" nobody."""
    return max(of, key=lambda who: (of[who].submitted, who), default="")


def _split(learner: Learner, row: int, asked: dict[str, Asked]) -> int:
    if row in learner.heard:
        return 1 if learner.held[row] else 0
    return 2 if learner.latents.cases[row] in asked else 3


def _squeezed(values: Floats) -> Floats:
    """Into 0 .. 1, by the middle 98 %: one odd image must not crowd all others."""
    if not len(values):
        return values
    low, high = np.quantile(values, [0.01, 0.99])
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-12), 0, 1))
