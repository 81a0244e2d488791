"""Of which patient images are that do not say so themselves, as a lead states it: hashes alone.

A patient's own number is hashed as that of a DICOM file is, with the same secret, so that a patient
with images of both kinds is one. Nothing else of it is kept or told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from overread.errors import InputError
from overread.exchange.patients import (
    Stated,
    is_patient_table,
    patients_of,
    read_patients,
)
from overread.images import patient_key


@dataclass(frozen=True, slots=True)
class StatedGroups:
    """What a lead says of the files of an import.

    Args:
        of: file to the keyed hash of its patient; files without one are left out.
        tables: files that are tables of patients, and no images.
        counts: of :class:`overread.exchange.patients.Stated`, empty where nothing is stated.
    """

    of: Mapping[Path, str] = field(default_factory=dict[Path, str], repr=False)
    tables: frozenset[Path] = field(default=frozenset(), repr=False)
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    def of_case(self, files: Sequence[Path]) -> str:
        """The one patient that is stated of the files of a case; "" for none, or several."""
        found = {self.of[one] for one in files if one in self.of}
        return found.pop() if len(found) == 1 else ""


NOTHING_STATED = StatedGroups()


def stated_in_folder(
    folder: Path, key: bytes, *, table: Path | None = None, pattern: str = ""
) -> StatedGroups:
    """What is stated of the files of a folder (or of one file); as of :func:`stated_of`.

    Args:
        key: of the hashes of patients.
    """
    root = folder.resolve()
    files = [
        (one, one.name if one == root else str(one.relative_to(root.parent)))
        for one in sorted(_files(root))
    ]
    return stated_of(files, key, table=table, pattern=pattern)


def stated_of(
    files: Sequence[tuple[Path, str]], key: bytes, *, table: Path | None = None, pattern: str = ""
) -> StatedGroups:
    """What is stated of some files.

    Args:
        files: resolved paths, each with its name or path as it was chosen.
        key: of the hashes of patients.
        table: of patients; by default the one that is among the files, if any is.
        pattern: of file names, for what the table does not say.
    Raises:
        InputError: two tables are among the files; or as of :mod:`overread.exchange.patients`.
    """
    among = {file for file, name in files if is_patient_table(file, name)}
    if table is None and len(among) > 1:
        remedy = "Leave one."
        raise InputError("tables of patients", "be one", f"{len(among)} of them", remedy=remedy)
    chosen = table.resolve() if table is not None else next(iter(among), None)
    if chosen is None and not pattern:
        return NOTHING_STATED
    tables = frozenset(among if chosen is None else {*among, chosen})
    images = [one for one in files if one[0] not in tables]
    read = None if chosen is None else read_patients(chosen)
    stated = patients_of([name for _, name in images], read, pattern)
    return hashed([file for file, _ in images], stated, key, tables=tables)


def hashed(
    files: Sequence[Path], stated: Stated, key: bytes, *, tables: frozenset[Path] = frozenset()
) -> StatedGroups:
    """What is stated of some files, with hashes in the place of patients.

    Args:
        files: resolved paths, in the order of ``stated``.
    """
    known = {one: patient_key(key, one) for one in set(stated.patient) if one}
    of = {file: known[one] for file, one in zip(files, stated.patient, strict=True) if one}
    return StatedGroups(of, tables, stated.counts)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for one in root.rglob("*"):
        if one.is_file() and not one.is_symlink():
            yield one
