"""Files that are whole or not there, also after a kill and with several processes at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def _part(path: Path) -> Generator[tuple[IO[bytes], Path]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            yield file, part
    finally:
        part.unlink(missing_ok=True)


def placed(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside its place and rename it; the last to come stays."""
    with _part(path) as (file, part):
        write(file)
        file.flush()
        os.fsync(file.fileno())
        part.replace(path)


def placed_once(path: Path, write: Callable[[IO[bytes]], None]) -> bool:
    """Write a file unless it is there; the first to come stays.

    Returns:
        Whether it was this call's.
    """
    with _part(path) as (file, part):
        write(file)
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            part.replace(path)
    return True
