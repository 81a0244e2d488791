"""One outline of each finding, from whatever COCO calls its segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import shapely

from overread.arrays import Floats
from overread.errors import InputError
from overread.exchange.run_length import expand_counts, mask_of_counts
from overread.geometry.polygons import mask_polygon, rings_of

Parts = Literal["error", "largest"]
"""What to do with an outline of several parts or with holes."""

MOST_PIXELS = 1 << 28
"""Largest mask that is unpacked; a larger one is taken for a bomb."""


def outline_of(fields: Mapping[str, Any], size: tuple[int, int], row: int, parts: Parts) -> Floats:
    """(points, 2) x, y in pixels of one annotation.

    Args:
        fields: of the annotation.
        size: columns and rows of its image, 0 where unknown.
        row: of the annotation, from 1.
    Raises:
        InputError: no outline, one of several parts (see ``parts``), or one that is malformed.
    """
    segmentation = fields.get("segmentation")
    try:
        if isinstance(segmentation, list):
            rings, n_rings = _of_polygons(segmentation)
        elif isinstance(segmentation, Mapping):
            rings, n_rings = _of_runs(segmentation, size)
        else:
            rings, n_rings = _of_polygons([])
    except InputError as error:
        raise InputError(error.name, error.rule, error.got, rows=(row,)) from error
    if n_rings > 1 and parts == "error":
        raise InputError(
            "segmentation",
            "be one outline without holes",
            f"{n_rings} outlines",
            rows=(row,),
            remedy='Say parts="largest" to keep the outside of the largest part.',
        )
    return max(rings, key=lambda ring: abs(_area(ring)))


def _of_polygons(polygons: list[Any]) -> tuple[list[Floats], int]:
    rings = []
    for flat in polygons:
        try:
            points = np.array(flat, dtype=float)
        except (TypeError, ValueError) as error:
            rule = "be lists of numbers x, y, x, y, ..."
            raise InputError("segmentation", rule, "others") from error
        if points.ndim != 1 or points.size < 6 or points.size % 2:
            got = f"{points.size} numbers" if points.ndim == 1 else "nested lists"
            raise InputError("segmentation", "have 3 or more points x, y", got)
        if not np.isfinite(points).all():
            raise InputError("segmentation", "have finite numbers", "nan or infinite")
        rings.append(points.reshape(-1, 2))
    if not rings:
        raise InputError("segmentation", "have an outline", "an empty list")
    return rings, len(rings)


def _of_runs(runs: Mapping[str, Any], size: tuple[int, int]) -> tuple[list[Floats], int]:
    sides, counts = runs.get("size"), runs.get("counts")
    if (
        not isinstance(sides, list)
        or len(sides) != 2
        or not all(isinstance(side, int) and side > 0 for side in sides)
    ):
        raise InputError('"size" of run lengths', "be two whole numbers: rows, columns", "others")
    shape = (sides[0], sides[1])
    if all(size) and shape != (size[1], size[0]):
        rule = f"have the {size[1]} rows x {size[0]} columns of its image"
        raise InputError("mask", rule, f"{shape[0]} x {shape[1]}")
    if shape[0] * shape[1] > MOST_PIXELS:
        raise InputError("mask", f"have at most {MOST_PIXELS} pixels", shape[0] * shape[1])
    if isinstance(counts, str):
        counts = expand_counts(counts)
    if not isinstance(counts, list):
        raise InputError('"counts" of run lengths', "be a text or a list", type(counts).__name__)
    mask = mask_of_counts(counts, shape)
    if not mask.any():
        raise InputError("mask of a finding", "have at least one pixel", "none")
    shapes = rings_of(mask_polygon(mask))
    return [part[0] for part in shapes], sum(len(part) for part in shapes)


def _area(ring: Floats) -> float:
    return float(shapely.Polygon(ring).area)
