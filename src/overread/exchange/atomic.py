"""Files out: written beside their place and then renamed, so that none is ever half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from overread.errors import InputError


@contextmanager
def written(path: Path | str) -> Generator[Path]:
    """Give a temporary path beside ``path``; on success it takes the place of ``path``.

    Raises:
        InputError: the folder does not exist, or cannot be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("output", "be a file", "a directory")
    try:
        number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    except OSError as error:
        rule = "lie in a folder that can be written to"
        raise InputError("output", rule, error.strerror or "none") from error
    os.close(number)
    part = Path(name)
    try:
        yield part
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
