"""Files that a program sends one by one before they are imported together: kept by their SHA-256.

A file that has arrived is never sent again, so that an upload goes on where it was cut off, after a
dead network or a new start of the server.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool

from overread.errors import InputError
from overread.web.site import Site

MOST_BYTES = 64 << 30
MOST_FILES = 100_000
_DAYS = 7 * 86_400
_PART = ".part"
_CHUNK = 1 << 20


def upload_folder(site: Site, project: str, upload: str) -> Path:
    """Where the files of an upload lie; it need not be there yet."""
    place = site.upload_folder or Path(tempfile.gettempdir()) / "overread"
    return place / "arriving" / project / upload


def arrived(folder: Path) -> dict[str, int]:
    """SHA-256 and bytes of the files that are whole."""
    if not folder.is_dir():
        return {}
    return {
        one.name: one.stat().st_size
        for one in sorted(folder.iterdir())
        if not one.name.endswith(_PART)
    }


async def keep(folder: Path, sha256: str, chunks: AsyncIterator[bytes]) -> int:
    """Keep one file; it stands there whole, under its SHA-256, or not at all.

    Returns:
        its bytes.
    Raises:
        InputError: it has another SHA-256, or the upload is full.
    """
    arriving = await run_in_threadpool(_begin, folder, sha256)
    try:
        waiting = bytearray()
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= _CHUNK:
                await run_in_threadpool(_add, arriving, bytes(waiting))
                waiting.clear()
        return await run_in_threadpool(_end, arriving, bytes(waiting), folder / sha256)
    finally:
        await run_in_threadpool(_give_up, arriving)


@dataclass(slots=True)
class _Arriving:
    """A file on its way. Args: room: bytes that the upload has left."""

    file: BinaryIO
    part: Path
    room: int
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def _begin(folder: Path, sha256: str) -> _Arriving:
    _make(folder)
    before = arrived(folder)
    if len(before) >= MOST_FILES and sha256 not in before:
        raise InputError("upload", f"have at most {MOST_FILES} files", "one more")
    number, name = tempfile.mkstemp(suffix=_PART, dir=folder)
    return _Arriving(os.fdopen(number, "wb"), Path(name), MOST_BYTES - sum(before.values()))


def _add(arriving: _Arriving, chunk: bytes) -> None:
    arriving.size += len(chunk)
    if arriving.size > arriving.room:
        raise InputError("upload", f"have at most {MOST_BYTES >> 30} GiB", "more")
    arriving.digest.update(chunk)
    arriving.file.write(chunk)


def _end(arriving: _Arriving, chunk: bytes, place: Path) -> int:
    _add(arriving, chunk)
    arriving.file.close()
    if arriving.digest.hexdigest() != place.name:
        remedy = "Send the file again."
        raise InputError("file", "have the SHA-256 of its address", "another", remedy=remedy)
    arriving.part.replace(place)
    return arriving.size


def _give_up(arriving: _Arriving) -> None:
    arriving.file.close()
    arriving.part.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, mode=0o700)
    for project in folder.parent.parent.iterdir():  # what nobody came back for
        for old in project.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _DAYS:
                    shutil.rmtree(old, ignore_errors=True)
