"""Files of pre-labels as a browser sends them: one table, a COCO file, or many masks in a zip."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from overread.errors import InputError
from overread.exchange.pictures import MASK_SUFFIXES

MOST_FILES = 20_000
MOST_BYTES = 8 << 30
_CHUNK = 1 << 20
_SKIPPED = ("__MACOSX", ".DS_Store", "Thumbs.db")


def proposals_at(folder: Path) -> Path:
    """What :func:`overread.app.learning.pre_label_files.read_proposals` reads, of an upload.

    A zip is opened; a folder in which there is nothing but one folder, or one table, is that.

    Args:
        folder: in which the files of an upload lie under their names, and nothing else.
    Raises:
        InputError: nothing was sent; a zip that cannot be read, is too large, or leads elsewhere.
    """
    files = sorted(one for one in folder.iterdir() if one.is_file())
    if not files:
        raise InputError("pre-labels", "be a file", "none")
    if len(files) > 1 or files[0].suffix.lower() != ".zip":
        return _inner(folder)
    unpacked = folder / "unpacked"
    _unpack(files[0], unpacked)
    return _inner(unpacked)


def _inner(folder: Path) -> Path:
    there = list(folder.iterdir())
    while len(there) == 1 and there[0].is_dir():
        folder = there[0]
        there = list(folder.iterdir())
    alone = len(there) == 1 and not there[0].name.lower().endswith((*MASK_SUFFIXES, ".xml"))
    return there[0] if alone else folder


def _unpack(file: Path, to: Path) -> None:
    to.mkdir()
    try:
        with zipfile.ZipFile(file) as kept:
            wanted = [one for one in kept.infolist() if not one.is_dir() and _meant(one.filename)]
            if len(wanted) > MOST_FILES or sum(one.file_size for one in wanted) > MOST_BYTES:
                rule = f"hold at most {MOST_FILES:,} files and {MOST_BYTES >> 30} GiB"
                raise InputError("zip", rule, "more")
            for one in wanted:
                _unpack_one(kept, one, to)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise InputError(
            "zip", "be a zip that can be read, without a password", "another"
        ) from error
    if not any(to.iterdir()):
        raise InputError("zip", "hold files", "none")


def _unpack_one(kept: zipfile.ZipFile, one: zipfile.ZipInfo, to: Path) -> None:
    path = PurePosixPath(one.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise InputError("name of a file in the zip", "stay inside the zip", "one that leads out")
    place = to.joinpath(*path.parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    left = one.file_size
    with kept.open(one) as source, place.open("wb") as made:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:  # it says that it is smaller than it is
                raise InputError("zip", "be as large as it says", "a larger one")
            made.write(chunk)


def _meant(name: str) -> bool:
    return not any(part in _SKIPPED for part in PurePosixPath(name).parts)


def kept_upload(files: Sequence[tuple[str, BinaryIO]], folder: Path) -> None:
    """Write files of a form into a folder, under the last part of their names.

    Args:
        files: names with what can be read.
    Raises:
        InputError: two of one name.
    """
    for name, source in files:
        last = PurePosixPath(name.replace("\\", "/")).name
        if not last or last in _SKIPPED or last.startswith("."):
            continue
        place = folder / last[-200:]
        if place.exists():
            raise InputError("files", "have names of their own", "two of one name")
        with place.open("wb") as made:
            shutil.copyfileobj(source, made, _CHUNK)
