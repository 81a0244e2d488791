"""Images to a server: each file once, told apart by its SHA-256; goes on where it was."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from overread.client.connection import Connection
from overread.client.errors import ServerError
from overread.client.shapes import Imported
from overread.errors import InputError
from overread.exchange.patients import Stated, is_patient_table, patients_of, read_patients

Patients: TypeAlias = Path | str | Mapping[str, Sequence[str]]
"""A table of patients: a file, or columns by name."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with bytes done and in all."""

_CHUNK = 1 << 20
_LOOK_SECONDS = 0.2


def send_images(
    connection: Connection,
    project: str,
    paths: Iterable[Path | str],
    *,
    patients: Patients | None = None,
    pattern: str = "",
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Imported:
    """Send files and folders, and wait until they are imported.

    Called again after a failure it sends what is missing: the upload's id is made of what the files
    hold, not of when or by whom they are sent.

    Args:
        patients, pattern: as of :func:`chosen_images`.
    Raises:
        InputError: no file there, or one that changed while it was read; or as of
            :mod:`overread.exchange.patients`.
        ServerError: the import ended with an error; what came before it is kept.
    """
    chosen, stated = chosen_images(paths, patients=patients, pattern=pattern)
    files, of = _by_content(chosen, stated)
    total = sum(path.stat().st_size for path in files.values())
    key = hashlib.sha256("".join([project, *sorted(files)]).encode()).hexdigest()[:48]
    base = f"/api/projects/{project}/uploads/{key}"
    if of:  # files that are there may be told of others now; a hash of patients would betray them
        key = uuid4().hex
    wanted = {"id": key, "patients": of} if of else None
    job = _job(connection, project, key)
    sent = 0
    if job is None or job["error"]:
        have = connection.get(base)["files"]
        done = sum(path.stat().st_size for sha, path in files.items() if sha in have)
        for sha, path in files.items():
            if sha not in have:
                size = path.stat().st_size
                connection.put_bytes(f"{base}/files/{sha}", partial(_pieces, path), size)
                sent, done = sent + 1, done + size
            if progress is not None:
                progress(done, total)
        job = connection.send("POST", f"{base}/import", wanted, again=True)
    while not job["done"]:
        sleep(_LOOK_SECONDS)
        now = _job(connection, project, key)
        if now is None:  # the server began anew: what it had is there, ask again
            now = connection.send("POST", f"{base}/import", wanted, again=True)
        job = now
    if job["error"]:
        raise ServerError(0, f"the import ended early: {job['error']}", job)
    idle = {"rows without a file": stated.idle} if stated is not None and stated.idle else {}
    return Imported({**job["counts"], **idle}, len(files), sent)


def chosen_images(
    paths: Iterable[Path | str],
    *,
    patients: Patients | None = None,
    pattern: str = "",
) -> tuple[list[Path], Stated | None]:
    """The files to be sent, and of whom they are; nothing is sent.

    Args:
        patients: table of :func:`overread.exchange.patients.read_patients`; by default a file
            patients.csv, groups.csv or videos.csv among the files.
        pattern: of file names, for what the table does not say.
    Returns:
        Files without the table; and what is stated, ``counts`` first: None where nothing is.
    Raises:
        InputError: no file there, two tables, or as of :mod:`overread.exchange.patients`.
    """
    named = dict(_files(paths))
    tables = [one for one in named if is_patient_table(one)]
    source = Path(patients) if isinstance(patients, str) else patients
    if source is None and tables:
        if len(tables) > 1:
            raise InputError("tables of patients", "be one", len(tables), remedy="Leave one.")
        source = tables[0]
    files = [one for one in named if one not in tables and one != source]
    if source is None and not pattern:
        return files, None
    table = None if source is None else read_patients(source)
    return files, patients_of([named[one] for one in files], table, pattern)


def _job(connection: Connection, project: str, key: str) -> dict[str, Any] | None:
    jobs = connection.get(f"/api/projects/{project}/imports")["imports"]
    return next((one for one in jobs if one["id"] == key), None)


def _files(paths: Iterable[Path | str]) -> Iterator[tuple[Path, str]]:
    """Files, each with its path from the folder that was chosen, whose name is first."""
    for one in paths:
        path = Path(one)
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if not each.is_symlink())
            for each in inside:
                if each.is_file() and not each.name.startswith("."):
                    yield each, str(Path(path.resolve().name) / each.relative_to(path))
        elif path.is_file():
            yield path, path.name
        else:
            raise InputError("path of images", "be a file or a folder", "nothing that is there")


def _by_content(
    paths: Sequence[Path], stated: Stated | None
) -> tuple[dict[str, Path], dict[str, str]]:
    """SHA-256 to the file, and to its patient; of equal files the first counts."""
    files: dict[str, Path] = {}
    of: dict[str, str] = {}
    for path, patient in zip(paths, stated.patient if stated else [""] * len(paths), strict=True):
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if patient:
            of.setdefault(sha256, patient)
        files.setdefault(sha256, path)
    if not files:
        raise InputError("images", "be there to be sent", "no file")
    return files, of


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
