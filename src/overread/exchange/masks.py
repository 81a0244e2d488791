"""Masks in: a folder of files, a table of run lengths, or arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, smallest_int
from overread.errors import InputError
from overread.exchange.pictures import MASK_SUFFIXES, Picture, read_picture, whole_numbers
from overread.labels import Kind, LabelClass, LabelSchema, MaskReads, ReadIndex, read_index
from overread.labels.masks import run_lengths

BACKGROUND, FOREGROUND = "background", "foreground"


@dataclass(slots=True)
class _Runs:
    """Masks so far, as runs of the values their files hold."""

    shape: dict[int, tuple[int, ...]] = field(default_factory=dict)  # by case
    spacing: dict[int, Floats] = field(default_factory=dict)
    affine: dict[int, Floats] = field(default_factory=dict)
    value: list[NDArray[Any]] = field(default_factory=list)
    length: list[NDArray[np.int64]] = field(default_factory=list)
    colour: bool | None = None

    def add(self, case: int, picture: Picture, row: int) -> None:
        """Take one mask in; all masks of a case lie on one grid."""
        shape = picture.value.shape
        known = self.shape.setdefault(case, shape)
        if known != shape:
            rule = f"have the size {_size_words(known)} of its case"
            raise InputError("mask", rule, _size_words(shape), rows=(row,))
        for name, store, value in (
            ("voxel size", self.spacing, picture.spacing_mm),
            ("affine", self.affine, picture.affine),
        ):
            if value is not None and not np.allclose(
                store.setdefault(case, value), value, rtol=1e-4, atol=1e-3
            ):
                rule = "be the same in all masks of a case"
                raise InputError(name, rule, "another", rows=(row,))
        if self.colour is not None and self.colour != picture.colour:
            raise InputError("masks", "all be grey or all be in colour", "both", rows=(row,))
        self.colour = picture.colour
        value, length = run_lengths(np.ascontiguousarray(picture.value).reshape(-1))
        self.value.append(value)
        self.length.append(length)

    def skip(self) -> None:
        """Take in a read of a case that cannot be read."""
        self.value.append(np.empty(0, dtype=np.int64))
        self.length.append(np.empty(0, dtype=np.int64))


def read_mask_folder(
    folder: Path | str,
    *,
    pattern: str = "{reader}/{case}",
    readers: Sequence[str] | None = None,
    classes: Mapping[int | str, str] | None = None,
    spacing_mm: Sequence[float] | None = None,
) -> MaskReads:
    """Read masks from files: PNG, GIF, BMP, TIFF, NIfTI (.nii, .nii.gz) or .npy.

    NIfTI volumes come out as slices, rows, columns (the file's third, second, first axis), with
    mm a voxel from the affine. A mask of background only is an explicit "no finding"; a missing
    file is a missing read.

    Args:
        folder: where the files lie.
        pattern: path of a file below the folder: ``{case}`` and ``{reader}`` stand for the names,
            ``*`` for anything; without a suffix, all known ones are taken.
        readers: take these readers only.
        classes: value -> class, in the order of the codes, the background first; a colour is
            written "#ff0000". By default each value that occurs is a class named by its number,
            and 0 is the background; where no other occurs, there is one class "foreground".
        spacing_mm: mm a pixel of rows, columns (or slices, rows, columns), for files without.
    Raises:
        InputError: no file fits the pattern; masks of one case that differ in size; a value that
            is no class. Rows count the files in the order of their names.
    """
    files = _files(Path(folder), pattern)
    if readers is not None:
        files = [one for one in files if one[1] in readers]
    if not files:
        rule = f'hold mask files that fit the pattern "{pattern}"'
        remedy = f"Known suffixes: {', '.join(MASK_SUFFIXES)}; option pattern=..."
        raise InputError("mask folder", rule, "none", remedy=remedy)
    return read_mask_files(files, classes=classes, spacing_mm=spacing_mm)


def read_mask_files(
    files: Sequence[tuple[str, str, Path]],
    *,
    classes: Mapping[int | str, str] | None = None,
    spacing_mm: Sequence[float] | None = None,
) -> MaskReads:
    """Read masks from files whose case and reader are known; see :func:`read_mask_folder`.

    Args:
        files: (case, reader, path) of each mask.
    """
    index = read_index([case for case, _, _ in files], [who for _, who, _ in files])
    pictures = (read_picture(path, row) for row, (_, _, path) in enumerate(files, start=1))
    _refuse_repeats(index)
    return _mask_reads(index, pictures, classes, spacing_mm)


def mask_arrays(
    case: Sequence[Any],
    reader: Sequence[Any],
    masks: Iterable[Any],
    *,
    classes: Mapping[int | str, str] | None = None,
    spacing_mm: Sequence[float] | None = None,
) -> MaskReads:
    """Mask reads from NumPy arrays of values, one a read; ``None`` is "cannot be read".

    Args:
        case, reader: (reads,) names.
        masks: (reads,) arrays of 2 or 3 axes.
        classes, spacing_mm: as in :func:`read_mask_folder`.
    Example:
        >>> mask_arrays(["a"], ["R1"], [np.array([[0, 2]])]).schema.names
        ('background', '2')
    """
    index = read_index(case, reader)
    arrays = list(masks)
    if len(arrays) != index.n_reads:
        raise InputError("masks", f"be {index.n_reads}, one a read", len(arrays))
    return _mask_reads(index, _of_arrays(arrays), classes, spacing_mm)


def _of_arrays(arrays: list[Any]) -> Iterator[Picture | None]:
    for row, array in enumerate(arrays, start=1):
        if array is None:
            yield None
            continue
        value = np.asarray(array)
        if value.ndim not in (2, 3):
            raise InputError("mask", "have 2 or 3 axes", value.ndim, rows=(row,))
        yield Picture(whole_numbers(value, row))


def _mask_reads(
    index: ReadIndex,
    pictures: Iterable[Picture | None],
    classes: Mapping[int | str, str] | None,
    spacing_mm: Sequence[float] | None,
) -> MaskReads:
    runs = _Runs()
    unreadable = np.zeros(index.n_reads, dtype=np.bool_)
    for read, picture in enumerate(pictures):
        if picture is None:
            unreadable[read] = True
            runs.skip()
        else:
            runs.add(int(index.case[read]), picture, read + 1)
    dims = {len(shape) for shape in runs.shape.values()} or {2}
    if len(dims) > 1:
        raise InputError("masks", "all be 2-D or all be 3-D", "both")
    shape = np.zeros((index.n_cases, dims.pop()), dtype=np.int64)
    for case, sides in runs.shape.items():
        shape[case] = sides
    value, schema = _classes(runs, classes)
    first = np.r_[0, np.cumsum([one.size for one in runs.value])].astype(np.int64)
    return MaskReads(
        index,
        shape,
        value,
        np.concatenate([np.empty(0, np.int64), *runs.length]),
        first,
        schema,
        _spacing(runs, shape, spacing_mm),
        unreadable,
    )


def _classes(
    runs: _Runs, classes: Mapping[int | str, str] | None
) -> tuple[NDArray[Any], LabelSchema]:
    """Class codes of the runs, and the schema."""
    flat = np.concatenate([np.empty(0, np.int64), *(v.astype(np.int64) for v in runs.value)])
    occurring = np.unique(flat)
    if classes is None:
        values = np.union1d([0], occurring)
        names = [BACKGROUND, *(_value_name(v, colour=bool(runs.colour)) for v in values[1:])]
        if values.size == 1:  # nobody marked anything, though they could have
            values, names = np.array([0, 1]), [BACKGROUND, FOREGROUND]
    else:
        values = np.array([_value_of(key) for key in classes], dtype=np.int64)
        names = list(classes.values())
    distinct = list(dict.fromkeys(names))  # two values may be one class
    if len(set(values.tolist())) < values.size:
        raise InputError("classes", "give each value once", "one twice")
    schema = LabelSchema(Kind.MASK, tuple(LabelClass(name) for name in distinct))
    code_of = dict(zip(values.tolist(), (distinct.index(name) for name in names), strict=True))
    unknown = [int(value) for value in occurring if int(value) not in code_of]
    if unknown:
        _refuse_value(runs, unknown[0], code_of)
    lookup = np.array([code_of[int(value)] for value in occurring], dtype=np.int64)
    code = lookup[np.searchsorted(occurring, flat)] if flat.size else flat
    return code.astype(smallest_int(len(distinct))), schema


def _refuse_value(runs: _Runs, value: int, known: Mapping[int, int]) -> None:
    rows = [row for row, values in enumerate(runs.value, start=1) if np.any(values == value)]
    colour = bool(runs.colour)
    named = ", ".join(_value_name(v, colour=colour) for v in known)
    got = _value_name(value, colour=colour)
    raise InputError("mask value", f"be one of {named}", got, rows=rows)


def _value_name(value: int, *, colour: bool) -> str:
    return f"#{value:06x}" if colour else str(value)


def _value_of(key: int | str) -> int:
    text = str(key).strip()
    try:
        return int(text[1:], 16) if text.startswith("#") else int(text)
    except ValueError as error:
        rule = 'be whole numbers or colours such as "#ff0000"'
        raise InputError("mask values", rule, repr(text[:40])) from error


def _spacing(
    runs: _Runs, shape: NDArray[np.int64], spacing_mm: Sequence[float] | None
) -> Floats | None:
    if spacing_mm is not None:
        given = np.asarray(spacing_mm, dtype=np.float64)
        if given.shape != (shape.shape[1],):
            raise InputError("spacing_mm", f"be {shape.shape[1]} numbers", f"shape {given.shape}")
        return np.array(np.broadcast_to(given, shape.shape))
    if not runs.spacing:
        return None
    spacing = np.full(shape.shape, np.nan)
    for case, value in runs.spacing.items():
        spacing[case] = value
    return spacing


def _files(folder: Path, pattern: str) -> list[tuple[str, str, Path]]:
    """(case, reader, path) of the files that fit, in the order of their names."""
    if not folder.is_dir():
        raise InputError("mask folder", "be a directory", "none of that name")
    shape = _pattern(pattern)
    found = []
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if any(part.startswith(".") for part in below.parts) or not path.is_file():
            continue
        fits = shape.fullmatch(below.as_posix())
        if fits and path.name.lower().endswith(MASK_SUFFIXES):
            found.append((fits["case"], fits["reader"], path))
    return found


def _pattern(pattern: str) -> re.Pattern[str]:
    if pattern.count("{case}") != 1 or pattern.count("{reader}") != 1:
        raise InputError("pattern", 'have "{case}" and "{reader}" once each', f"{pattern!r}")
    text = re.escape(pattern).replace(r"\*", "[^/]*")
    for name in ("case", "reader"):
        # The shortest name that fits, so that "{case}_*" ends a name at its first "_".
        text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>[^/]+?)")
    if not pattern.lower().endswith(MASK_SUFFIXES):
        suffixes = sorted(MASK_SUFFIXES, key=len, reverse=True)
        text += f"(?:{'|'.join(re.escape(suffix) for suffix in suffixes)})"
    return re.compile(text, re.IGNORECASE)


def _refuse_repeats(index: ReadIndex) -> None:
    again = np.flatnonzero(index.repeat_of())
    if again.size:
        rule = "be one for each case and reader"
        raise InputError("mask file", rule, "two", rows=again + 1)


def _size_words(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
