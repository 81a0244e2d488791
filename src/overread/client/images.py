"""Images to a server: each file once, told apart by its SHA-256; goes on where it was."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from overread.client.connection import Connection
from overread.client.errors import ServerError
from overread.client.shapes import Imported
from overread.errors import InputError

Progress: TypeAlias = Callable[[int, int], None]
"""Called with bytes done and in all."""

_CHUNK = 1 << 20
_LOOK_SECONDS = 0.2


def send_images(
    connection: Connection,
    project: str,
    paths: Iterable[Path | str],
    *,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Imported:
    """Send files and folders, and wait until they are imported.

    Called again after a failure it sends what is missing: the upload's id is made of what the files
    hold, not of when or by whom they are sent.

    Raises:
        InputError: no file there, or one that changed while it was read.
        ServerError: the import ended with an error; what came before it is kept.
    """
    files = _by_content(_files(paths))
    total = sum(path.stat().st_size for path in files.values())
    key = hashlib.sha256("".join([project, *sorted(files)]).encode()).hexdigest()[:48]
    base = f"/api/projects/{project}/uploads/{key}"
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
        job = connection.send("POST", f"{base}/import", again=True)
    while not job["done"]:
        sleep(_LOOK_SECONDS)
        now = _job(connection, project, key)
        if now is None:  # the server began anew: what it had is there, ask again
            now = connection.send("POST", f"{base}/import", again=True)
        job = now
    if job["error"]:
        raise ServerError(0, f"the import ended early: {job['error']}", job)
    return Imported(job["counts"], len(files), sent)


def _job(connection: Connection, project: str, key: str) -> dict[str, Any] | None:
    jobs = connection.get(f"/api/projects/{project}/imports")["imports"]
    return next((one for one in jobs if one["id"] == key), None)


def _files(paths: Iterable[Path | str]) -> Iterator[Path]:
    for one in paths:
        path = Path(one)
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if not each.is_symlink())
            yield from (each for each in inside if each.is_file() and not each.name.startswith("."))
        elif path.is_file():
            yield path
        else:
            raise InputError("path of images", "be a file or a folder", "nothing that is there")


def _by_content(paths: Iterable[Path]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in paths:
        with path.open("rb") as file:
            files.setdefault(hashlib.file_digest(file, "sha256").hexdigest(), path)
    if not files:
        raise InputError("images", "be there to be sent", "no file")
    return files


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
