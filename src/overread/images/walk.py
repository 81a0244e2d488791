"""Every regular file under some folders, never leaving them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from overread.errors import InputError
from overread.images.sniff import HEAD_BYTES, Kind, sniff


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry of a folder.

    Args:
        problem: why it is not opened; "" for a regular file.
        kind: what its first bytes say.
    """

    path: Path = field(repr=False)
    kind: Kind = ""
    problem: str = ""
    empty: bool = False


def walk(paths: Iterable[Path]) -> Iterator[Seen]:
    """Visit every file once, in the order of names.

    A symbolic link is not followed: one that stays inside its folder points at a file that is
    visited anyway, one that leaves it is reported. The folders named by the caller may be links.

    Raises:
        InputError: a named path does not exist.
    """
    done: set[tuple[int, int]] = set()
    for number, path in enumerate(paths, start=1):
        if not path.exists():
            raise InputError(f"path {number}", "exist", "nothing there")
        yield from _under(path.resolve(), done)


def _under(root: Path, done: set[tuple[int, int]]) -> Iterator[Seen]:
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            state = path.lstat()
        except OSError:
            yield Seen(path, problem="it cannot be read")
            continue
        if stat.S_ISLNK(state.st_mode):
            yield from _link(path, root)
            continue
        identity = (state.st_dev, state.st_ino)
        if identity in done:
            continue
        done.add(identity)
        if stat.S_ISDIR(state.st_mode):
            names, problem = _names(path)
            waiting.extend(path / name for name in reversed(names))
            if problem:
                yield Seen(path, problem=problem)
        elif stat.S_ISREG(state.st_mode):
            yield _file(path, state.st_size)
        else:
            yield Seen(path, problem="it is not a regular file")


def _link(path: Path, root: Path) -> Iterator[Seen]:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # a broken link, or a ring of them
        yield Seen(path, problem="it is a symbolic link that leads nowhere")
        return
    if not target.is_relative_to(root):
        yield Seen(path, problem="it is a symbolic link that leaves the folder")


def _names(folder: Path) -> tuple[list[str], str]:
    try:
        return sorted(one.name for one in folder.iterdir()), ""
    except OSError:
        return [], "the folder cannot be read"


def _file(path: Path, size: int) -> Seen:
    if size == 0:
        return Seen(path, empty=True)
    try:
        head = read_head(path)
    except OSError:
        return Seen(path, problem="it cannot be read")
    return Seen(path, kind=sniff(head))


def read_head(path: Path) -> bytes:
    """First bytes of a regular file; a link or a pipe put in its place meanwhile is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        return file.read(HEAD_BYTES)
