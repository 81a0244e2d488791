"""What a lead states of patients with an upload: a table and a pattern, read and let go of."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from starlette.datastructures import FormData, UploadFile

from overread.app.study.stated_groups import StatedGroups, stated_of
from overread.errors import InputError
from overread.exchange.patients import LONGEST_PATTERN, patients_of, read_patients

_CHUNK = 1 << 20
MOST_BYTES = 16 << 20
"""Of a table."""


def pattern_of(form: FormData) -> str:
    """The pattern of file names of a form; one that is too long is refused where it is used."""
    value = form.get("pattern", "")
    return value.strip()[: LONGEST_PATTERN + 1] if isinstance(value, str) else ""


def table_of(form: FormData, folder: Path) -> Path | None:
    """The table of a form as a file of a folder; None where none was chosen.

    Raises:
        InputError: it is too large.
    """
    given = form.get("patients")
    if not isinstance(given, UploadFile) or not given.size:
        return None
    if given.size > MOST_BYTES:
        rule = f"have at most {MOST_BYTES >> 20} MiB"
        raise InputError("table of patients", rule, "more")
    number, name = tempfile.mkstemp(suffix=".csv", dir=folder)
    with open(number, "wb") as kept:  # noqa: PTH123 - a number, not a path
        shutil.copyfileobj(given.file, kept, _CHUNK)
    return Path(name)


def stated_with_upload(
    form: FormData, folder: Path, files: Sequence[tuple[Path, str]], key: bytes
) -> StatedGroups:
    """What a form states of the files that came with it; its table is gone afterwards.

    Args:
        folder: in which the files lie.
        files: each with its name as it was chosen.
    Raises:
        InputError: as of :func:`overread.app.study.stated_groups.stated_of`.
    """
    table = table_of(form, folder)
    there = [(file.resolve(), name) for file, name in files]
    found = stated_of(there, key, table=table, pattern=pattern_of(form))
    for one in found.tables:
        one.unlink(missing_ok=True)
    return found


def stated_of_names(form: FormData, place: Path | None) -> dict[str, int]:
    """How many patients a form would make of file names that come as a JSON list.

    Raises:
        InputError: as above, or no list of names.
    """
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="overread-patients-", dir=place) as folder:
        table = table_of(form, Path(folder))
        read = None if table is None else read_patients(table)
    given = form.get("names")
    try:
        names = json.loads(given.file.read()) if isinstance(given, UploadFile) else []
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise InputError("names", "be a list of texts", "something else")
    return patients_of(names, read, pattern_of(form)).counts
