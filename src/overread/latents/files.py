"""Files that are whole or not there, also after a kill and with several processes at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _part(path: Path, data: bytes) -> Generator[Path]:
    """The data in a file beside its place, on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def placed(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it; the last to come stays."""
    with _part(path, data) as part:
        part.replace(path)


def placed_once(path: Path, data: bytes) -> bool:
    """Write a file unless it is there; the first to come stays.

    Returns:
        Whether it was this call's.
    """
    with _part(path, data) as part:
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            part.replace(path)
    return True
