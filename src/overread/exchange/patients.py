"""Which patient or video each image file is of: a table, or a pattern of file names.

What a patient is called stays in what these functions return, whose ``repr`` leaves it out; no
message holds it, nor the name of a file.
"""

from __future__ import annotations

import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from overread.errors import InputError
from overread.exchange.cells import coded
from overread.exchange.tables import open_table

FILE = "file"
PATIENT = ("patient", "video", "group")
"""Columns of a table of patients: the file, and one of these for whom it is of."""

TABLES = ("patients", "groups", "videos")
"""A table among the images is called one of these, as .csv, .tsv or .txt."""

LONGEST_PATTERN = 200
_LONGEST = 256  # of a patient's number; DICOM allows 64
_LONGEST_PATH = 1_024
_SECONDS = 5.0
_FIRST = 50  # names that are tried before it is known how long one takes

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientTable:
    """Rows of a table of patients that say anything.

    Args:
        row: (rows,) numbers from 1, the header not counted.
        file: (rows,) folders and name.
        patient: (rows,) as the table says.
    """

    row: tuple[int, ...]
    file: tuple[Parts, ...] = field(repr=False)
    patient: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stated:
    """Of whom some files are.

    Args:
        patient: (files,) "" where nothing says.
        idle: rows of the table that no file fits.
    """

    patient: tuple[str, ...] = field(repr=False)
    idle: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """What is stated, in words that go behind their number."""
        of = Counter(one for one in self.patient if one)
        return {
            "patients stated": len(of),
            "files of the largest": max(of.values(), default=0),
            "files without a patient": len(self.patient) - of.total(),
            "rows without a file": self.idle,
        }


def is_patient_table(path: Path, name: str = "") -> bool:
    """Whether a file among images is a table of patients: by its name and its columns.

    Args:
        name: as it was chosen, where it lies under another.
    """
    called = Path(name or path.name)
    if called.stem.lower() not in TABLES or called.suffix.lower() not in {".csv", ".tsv", ".txt"}:
        return False
    try:
        return _columns(open_table(path).names) is not None
    except InputError:
        return False


def read_patients(source: Path | Mapping[str, Sequence[str]]) -> PatientTable:
    """Read a table with the columns ``file`` and ``patient`` (or ``video``, or ``group``).

    Args:
        source: any table of :func:`overread.exchange.tables.open_table`. A file is its name, or
            its path as it was chosen; rows without a patient say nothing.
    Raises:
        InputError: the columns are not there, a row has a patient and no file, or two rows say
            different patients of one file.
    """
    table = open_table(source)
    names = _columns(table.names)
    if names is None:
        rule = f"have the columns {FILE} and one of {', '.join(PATIENT)}"
        raise InputError("table of patients", rule, "others")
    frame = table.load(names)
    file, patient = (_cells(frame[name]) for name in names)
    bare = [at for at, one in enumerate(patient, start=1) if one and not file[at - 1]]
    if bare:
        raise InputError(f"column {FILE}", "name the file of the patient", "nothing", rows=bare)
    long = [at for at, one in enumerate(patient, start=1) if len(one) > _LONGEST]
    if long:
        rule = f"have at most {_LONGEST} characters"
        raise InputError(f"column {names[1]}", rule, "more", rows=long)
    kept = [at for at, one in enumerate(patient) if one]
    made = PatientTable(
        tuple(at + 1 for at in kept),
        tuple(_parts(file[at]) for at in kept),
        tuple(patient[at] for at in kept),
    )
    _refuse_two(made, names[1])
    return made


def patients_of(
    paths: Sequence[str], table: PatientTable | None = None, pattern: str = ""
) -> Stated:
    """Tell of whom files are: by their row of a table, else by a pattern of their names.

    Args:
        paths: names, or paths from the folder that was chosen.
        table: a row's file fits where it is the path's end, or the path is its end.
        pattern: regular expression with one group, which is the patient; it is looked for in the
            name, or in the path where it has a slash. Without look-around and references back:
            the time it takes grows with the length of a name, whatever the pattern.
    Raises:
        InputError: a row fits several files, a file several rows, no row any file; or the pattern
            is none, has not one group, or takes too long.
    """
    wanted = [_parts(path) for path in paths]
    by_row, idle = ([""] * len(wanted), 0) if table is None else _by_table(wanted, table)
    by_name = _by_pattern(wanted, pattern) if pattern else [""] * len(wanted)
    return Stated(tuple(one or other for one, other in zip(by_row, by_name, strict=True)), idle)


def _columns(names: Sequence[str]) -> tuple[str, str] | None:
    """The columns of the file and of the patient, as the table writes them."""
    known = {name.lower(): name for name in reversed(names)}
    of = next((known[one] for one in PATIENT if one in known), None)
    return None if of is None or FILE not in known else (known[FILE], of)


def _cells(column: pl.Series) -> list[str]:
    code = coded(column)
    return [code.names[one] for one in code.code.tolist()]


def _parts(path: str) -> Parts:
    """Folders and name, written one way: systems differ in slashes and in accents."""
    plain = unicodedata.normalize("NFC", path).replace("\\", "/")
    return tuple(one for one in plain.split("/") if one not in {"", "."})


def _refuse_two(table: PatientTable, name: str) -> None:
    first: dict[Parts, int] = {}
    for at, (file, patient) in enumerate(zip(table.file, table.patient, strict=True)):
        before = first.setdefault(file, at)
        if table.patient[before] != patient:
            rows = (table.row[before], table.row[at])
            raise InputError(f"column {name}", "say one patient of a file", "two", rows=rows)


def _by_table(wanted: Sequence[Parts], table: PatientTable) -> tuple[list[str], int]:
    """(files,) patients of the rows that fit, and how many rows fit none."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for at, file in enumerate(table.file):
        if file:
            by_name[file[-1]].append(at)
    made, fits = [""] * len(wanted), defaultdict[int, set[Parts]](set)
    for place, path in enumerate(wanted):
        rows = [at for at in by_name[path[-1]] if _fits(table.file[at], path)] if path else []
        if not rows:
            continue
        close = max(min(len(table.file[at]), len(path)) for at in rows)
        rows = [at for at in rows if min(len(table.file[at]), len(path)) == close]
        if len({table.patient[at] for at in rows}) > 1:
            told = [table.row[at] for at in rows]
            remedy = "Choose the folder that the paths of the table begin in."
            raise InputError(
                f"column {FILE}", "be told apart", "rows of one file", rows=told, remedy=remedy
            )
        made[place] = table.patient[rows[0]]
        for at in rows:
            fits[at].add(path)
    many = [table.row[at] for at, paths in fits.items() if len(paths) > 1]
    if many:
        remedy = "Write its folders too, as in folder/name.png."
        raise InputError(
            f"column {FILE}", "name one file", "a name of several", rows=sorted(many), remedy=remedy
        )
    if table.file and not fits and wanted:
        remedy = "A file is its name, or its path from the folder that is chosen."
        raise InputError(
            f"column {FILE}", "name files that are there", "none of them", remedy=remedy
        )
    return made, len(table.file) - len(fits)


def _fits(file: Parts, path: Parts) -> bool:
    shared = min(len(file), len(path))
    return file[-shared:] == path[-shared:]


def _by_pattern(wanted: Sequence[Parts], pattern: str) -> list[str]:
    """(files,) what the group of the pattern holds. Its engine never goes back (RE2's kind)."""
    if len(pattern) > LONGEST_PATTERN:
        rule = f"have at most {LONGEST_PATTERN} characters"
        raise InputError("pattern of file names", rule, len(pattern))
    told = ["/".join(path) if "/" in pattern else "".join(path[-1:]) for path in wanted]
    names = [one if len(one) <= _LONGEST_PATH else "" for one in told]
    found = _groups([""], pattern)
    end, step = time.monotonic() + _SECONDS, _FIRST
    found.clear()
    while len(found) < len(names):
        begun = time.monotonic()
        if begun > end:
            remedy = "Write a simpler one."
            raise InputError(
                "pattern of file names", "be quick to look for", "one that is not", remedy=remedy
            )
        found += _groups(names[len(found) : len(found) + step], pattern)
        step = min(4 * step, 10_000) if time.monotonic() - begun < _SECONDS / 100 else step
    return [(one or "").strip()[:_LONGEST] for one in found]


def _groups(names: Sequence[str], pattern: str) -> list[str | None]:
    rule, remedy = "be a regular expression with one group", "Such as ^(\\d+)_ for 17_left.png."
    try:
        cells = pl.Series(names, dtype=pl.String).str.extract_groups(pattern)
    except pl.exceptions.PolarsError:
        got = "one that cannot be used (look-around and references back cannot)"
        raise InputError("pattern of file names", rule, got, remedy=remedy) from None
    groups = [one.name for one in cells.dtype.fields] if isinstance(cells.dtype, pl.Struct) else []
    if len(groups) != 1:
        raise InputError("pattern of file names", rule, f"{len(groups)} groups", remedy=remedy)
    return cells.struct.field(groups[0]).to_list()
