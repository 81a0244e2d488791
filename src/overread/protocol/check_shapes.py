"""Whether drawn findings are sound: inside the image, of known classes, of whole shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely

from overread.errors import InputError
from overread.protocol.errors import short

_MOST_FINDINGS = 5_000
_MOST_POINTS = 20_000
_MOST_RUNS = 2_000_000
_SLACK = 1e-6  # pixels: the client's own rounding is no fault


class Frame(NamedTuple):
    """Size of a case."""

    rows: int
    columns: int
    frames: int


def check_boxes(name: str, classes: Sequence[str], value: list[Any], size: Frame) -> None:
    """Check boxes: ``[{id, class, frame, x1, y1, x2, y2}]``."""
    for where, one in _findings(name, classes, value, size, ("x1", "y1", "x2", "y2")):
        x1, x2 = (_inside(where, key, one[key], size.columns) for key in ("x1", "x2"))
        y1, y2 = (_inside(where, key, one[key], size.rows) for key in ("y1", "y2"))
        if not x1 < x2:
            raise InputError(where, "have x1 < x2", f"{x1:g} and {x2:g}")
        if not y1 < y2:
            raise InputError(where, "have y1 < y2", f"{y1:g} and {y2:g}")


def check_instances(name: str, classes: Sequence[str], value: list[Any], size: Frame) -> None:
    """Check outlines: ``[{id, class, frame, points: [[x, y], ...]}]``, one closed ring each."""
    for where, one in _findings(name, classes, value, size, ("points",)):
        points = one["points"]
        if not isinstance(points, list) or not 3 <= len(points) <= _MOST_POINTS:
            got = f"{len(points)} points" if isinstance(points, list) else short(points)
            raise InputError(where, f"have 3 to {_MOST_POINTS} points", got)
        ring = [_point(where, each, size) for each in points]
        _check_ring(where, ring)


def _point(where: str, each: Any, size: Frame) -> tuple[float, float]:
    if not isinstance(each, list) or len(each) != 2:
        raise InputError(where, "have points [x, y]", short(each))
    return _inside(where, "x", each[0], size.columns), _inside(where, "y", each[1], size.rows)


def _check_ring(where: str, ring: list[tuple[float, float]]) -> None:
    if ring[0] == ring[-1]:
        raise InputError(where, "not repeat its first point at the end", short(ring[0]))
    if len(set(ring)) < 3:
        raise InputError(where, "have 3 points that differ", f"{len(set(ring))}")
    line = shapely.LinearRing(ring)
    if not line.is_simple or not line.is_valid:
        rule = "not cross or touch itself"
        near = shapely.is_valid_reason(shapely.Polygon(ring))
        raise InputError(where, rule, near.replace("Self-intersection", "a crossing at x y"))
    if shapely.Polygon(ring).area <= 0:
        raise InputError(where, "enclose an area", "0")


def check_masks(name: str, classes: Sequence[str], value: list[Any], size: Frame) -> None:
    """Check masks: ``[{frame, rows, columns, runs: [[code, length], ...]}]``, row by row."""
    seen: set[int] = set()
    if len(value) > size.frames:
        raise InputError(
            name, f"have at most one mask for each of {size.frames} frames", len(value)
        )
    for at, one in enumerate(value):
        where = f"{name}, mask {at + 1}"
        _keys(where, one, ("frame", "rows", "columns", "runs"))
        frame = _frame(where, one["frame"], size)
        if frame in seen:
            raise InputError(where, "lie on a frame of its own", f"frame {frame} again")
        seen.add(frame)
        for key, wanted in (("rows", size.rows), ("columns", size.columns)):
            if not _whole(one[key]) or one[key] != wanted:
                raise InputError(where, f"have {wanted} {key}", short(one[key]))
        _check_runs(where, one["runs"], len(classes), size.rows * size.columns)


def _check_runs(where: str, runs: Any, classes: int, pixels: int) -> None:
    if not isinstance(runs, list) or not 0 < len(runs) <= min(_MOST_RUNS, pixels):
        got = f"{len(runs)} runs" if isinstance(runs, list) else short(runs)
        raise InputError(where, f"have 1 to {min(_MOST_RUNS, pixels)} runs [code, length]", got)
    for run in runs:
        if not isinstance(run, list) or len(run) != 2 or not all(map(_whole, run)):
            raise InputError(where, "have runs [code, length] of whole numbers", short(run))
    table = np.array([(min(code, 1 << 40), min(n, 1 << 40)) for code, n in runs], dtype=object)
    code, length = table[:, 0], table[:, 1]
    if min(code) < 0 or max(code) > classes:
        bad = max(code) if max(code) > classes else min(code)
        raise InputError(where, f"have codes from 0 (background) to {classes}", bad)
    if min(length) < 1:
        raise InputError(where, "have runs of 1 pixel or more", min(length))
    total = sum(length)
    if total != pixels:
        raise InputError(where, f"have runs that fill the {pixels} pixels of the frame", total)


def _findings(
    name: str, classes: Sequence[str], value: list[Any], size: Frame, wanted: tuple[str, ...]
) -> list[tuple[str, Mapping[str, Any]]]:
    if len(value) > _MOST_FINDINGS:
        raise InputError(name, f"have at most {_MOST_FINDINGS} findings", len(value))
    seen: set[str] = set()
    made: list[tuple[str, Mapping[str, Any]]] = []
    for at, one in enumerate(value):
        where = f"{name}, finding {at + 1}"
        _keys(where, one, ("id", "class", "frame", *wanted))
        if not isinstance(one["id"], str) or not 0 < len(one["id"]) <= 64 or one["id"] in seen:
            raise InputError(where, "have an id of its own, a text of 1 to 64", short(one["id"]))
        seen.add(one["id"])
        if not isinstance(one["class"], str) or one["class"] not in classes:
            raise InputError(where, f"have a class of {', '.join(classes)}", short(one["class"]))
        _frame(where, one["frame"], size)
        made.append((where, one))
    return made


def _keys(where: str, one: Any, wanted: tuple[str, ...]) -> None:
    if not isinstance(one, dict) or set(one) != set(wanted):
        got = short(sorted(map(str, one))) if isinstance(one, dict) else short(one)
        raise InputError(where, f"have {', '.join(wanted)}", got)


def _frame(where: str, value: Any, size: Frame) -> int:
    if not _whole(value) or not 0 <= value < size.frames:
        raise InputError(where, f"lie on a frame of 0 to {size.frames - 1}", short(value))
    return int(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _inside(where: str, key: str, value: Any, end: int) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not (-_SLACK <= value <= end + _SLACK) or math.isnan(value):
        raise InputError(f"{where}, {key}", f"be a number from 0 to {end}", short(value))
    return float(value)
