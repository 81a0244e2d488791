"""Outputs are looked at before the work begins: none is written where another is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from overread.errors import InputError

PAGE = (".html", ".htm")
DOCUMENT = (".pdf",)


def refuse_outputs(wanted: Mapping[str, Path | None], *inputs: Path | None) -> None:
    """Refuse outputs that cannot be written, that are each other, or that are what is read.

    Args:
        wanted: name of each output as the user knows it ("--out") -> its path; None is not wanted.
        inputs: files that are read.
    Raises:
        InputError: the first thing wrong.
    """
    given = {name: path for name, path in wanted.items() if path is not None}
    read = {path.resolve() for path in inputs if path is not None}
    seen: dict[Path, str] = {}
    for name, path in given.items():
        whole = path.resolve()
        within = [one for one in read if not path.suffix and one.is_dir() and one in whole.parents]
        if within:
            raise InputError(name, "lie outside the folder that is read", path.name)
        if whole in read:
            raise InputError(name, "be another file than those that are read", path.name)
        if whole in seen:
            raise InputError(name, f"be another file than {seen[whole]}", path.name)
        seen[whole] = name
        _refuse_folder(name, path)


def refuse_suffix(name: str, path: Path, known: Sequence[str]) -> None:
    """Refuse a file whose name does not say how it is to be written."""
    if path.suffix.lower() not in known:
        got = path.suffix or "no suffix"
        raise InputError(name, f"end in {', '.join(known)}", got)


def _refuse_folder(name: str, path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        remedy = "Make it first, or name another."
        got = "a folder that does not exist" if not folder.exists() else "a file for a folder"
        raise InputError(name, "lie in a folder that is there", got, remedy=remedy)
    if not os.access(folder, os.W_OK):
        raise InputError(name, "lie in a folder that can be written to", "one that cannot")
