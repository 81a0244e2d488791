"""Which slices are one case: a pure function of what their headers say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overread.images.case_image import Found

_SAME_PLACE_MM = 0.01
_SAME_DIRECTION = 1e-2


@dataclass(frozen=True, slots=True)
class Slice:
    """One file of a series.

    Args:
        series, instance: keyed hashes.
        size: rows, columns, samples.
        orientation: six cosines, () if unknown.
        position: three coordinates in mm, () if unknown.
        number: its place by the scanner's own count.
    """

    path: Path = field(repr=False)
    series: str
    instance: str
    size: tuple[int, ...]
    orientation: tuple[float, ...]
    position: tuple[float, ...]
    number: float


def slice_from(path: Path, told: dict[str, Any]) -> Slice:
    """Slice of what the child read."""
    return Slice(
        path=path,
        series=str(told["series"]),
        instance=str(told["instance"]),
        size=tuple(int(one) for one in told["size"]),
        orientation=tuple(float(one) for one in told["orientation"]),
        position=tuple(float(one) for one in told["position"]),
        number=float(told["number"]),
    )


def stacks(slices: Sequence[Slice], same: Callable[[Path, Path], bool]) -> list[Found]:
    """Put slices together.

    One series is one case, unless its slices differ in size or direction, lie at the same place
    more than once (echoes, phases, diffusion), or only some say where they lie: then it is
    several, each with a note. Copies of a file are left out.

    Args:
        same: whether two files hold the same bytes; asked only of equal instances.
    """
    by_series: dict[str, list[Slice]] = defaultdict(list)
    for one in slices:
        by_series[one.series].append(one)
    return [found for members in by_series.values() for found in _one_series(members, same)]


def _one_series(members: list[Slice], same: Callable[[Path, Path], bool]) -> list[Found]:
    kept = _without_copies(members, same)
    copies = len(members) - len(kept)
    parts = [part for alike in _alike(kept) for part in _layers(alike)]
    notes: tuple[str, ...] = ()
    if copies:
        notes += (f"{copies} copies of slices are left out",)
    if len(parts) > 1:
        notes += (f"one of {len(parts)} cases of a series that mixes sizes, directions or repeats",)
    return [Found("dicom", tuple(one.path for one in part), notes) for part in parts]


def _without_copies(members: list[Slice], same: Callable[[Path, Path], bool]) -> list[Slice]:
    kept: dict[str, list[Slice]] = defaultdict(list)
    for one in members:
        if not any(same(one.path, other.path) for other in kept[one.instance]):
            kept[one.instance].append(one)
    return [one for group in kept.values() for one in group]


def _alike(members: list[Slice]) -> list[list[Slice]]:
    """Groups of one size and one direction."""
    groups: list[list[Slice]] = []
    for one in members:
        home = next((group for group in groups if _fits(one, group[0])), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    return groups


def _fits(one: Slice, other: Slice) -> bool:
    placed = [len(each.orientation) == 6 and len(each.position) == 3 for each in (one, other)]
    if one.size != other.size or placed[0] != placed[1]:
        return False
    if not placed[0]:
        return True
    difference = np.subtract(one.orientation, other.orientation)
    return bool(np.abs(difference).max() < _SAME_DIRECTION)


def _layers(members: list[Slice]) -> list[list[Slice]]:
    """Sort along the normal; the k-th slice at a place goes to the k-th case."""
    by_number = sorted(members, key=lambda one: (one.number, one.path.name))
    first = members[0]
    if len(first.orientation) != 6 or len(first.position) != 3:
        return [by_number]
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    places = [float(np.dot(normal, one.position)) for one in by_number]
    layers: list[list[Slice]] = []
    depth, before = 0, -np.inf
    for at in np.argsort(places, kind="stable"):
        depth = depth + 1 if places[at] - before < _SAME_PLACE_MM else 0
        before = before if depth else places[at]
        if depth == len(layers):
            layers.append([])
        layers[depth].append(by_number[at])
    return layers
