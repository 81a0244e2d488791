"""Bytes by their hash: frames, thumbnails, masks. A folder by default, or a URL of fsspec.

In a folder a blob is written beside its place, synced, and renamed into it, and the folder is
synced: after a crash or a full disk a blob is there whole or not at all. Object stores put an
object whole by themselves. Every read is checked against the hash.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec

from overread.errors import InputError, MissingExtraError
from overread.store.canonical import hash_text
from overread.store.errors import BrokenLogError, FullError, NotFoundError, StoreError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """A place of blobs; ``folder`` is set where it is a folder of this machine."""

    fs: Any
    root: str
    folder: Path | None

    def put(self, content: bytes) -> str:
        """Keep bytes; once this returns they are on disk. The same bytes are kept once.

        Returns:
            Their SHA-256 in hex.
        Raises:
            FullError: no room; nothing is left behind.
        """
        key = hashlib.sha256(content).hexdigest()
        with _told():
            if self._sound(key, content):
                return key
            if self.folder is None:
                self.fs.makedirs(str(Path(self._path(key)).parent), exist_ok=True)
                self.fs.pipe_file(self._path(key), content)
            else:
                _write(self.folder / "new", Path(self._path(key)), content)
        return key

    def get(self, key: str) -> bytes:
        """Get the bytes of a hash.

        Raises:
            NotFoundError: there are none.
            BrokenLogError: they are no longer what was put.
        """
        hash_text("blob", key)
        with _told():
            try:
                content = self.fs.cat_file(self._path(key))
            except FileNotFoundError as error:
                raise NotFoundError("blob", key) from error
        if hashlib.sha256(content).hexdigest() != key:
            raise BrokenLogError(f"blob {key} was changed or cut; restore it from a backup")
        return bytes(content)

    def has(self, key: str) -> bool:
        """Tell if there is a blob of this hash (its content is not looked at)."""
        with _told():
            return bool(self.fs.exists(self._path(hash_text("blob", key))))

    def _path(self, key: str) -> str:
        return f"{self.root}/{key[:2]}/{key[2:]}"

    def _sound(self, key: str, content: bytes) -> bool:
        """The blob is there and right; a broken one is written anew."""
        try:
            return bool(self.fs.cat_file(self._path(key)) == content)
        except FileNotFoundError:
            return False


def open_blobs(url: str | Path, **options: Any) -> Blobs:
    """Open a place of blobs, and make it where there is none.

    Args:
        url: a folder, or a URL of fsspec ("s3://bucket/prefix", which needs s3fs).
        options: for fsspec's file system (endpoint, profile).
    Raises:
        InputError: fsspec knows no such kind of URL.
        MissingExtraError: it does, but the package for it is not installed.
    """
    try:
        fs, root = fsspec.core.url_to_fs(str(url), **options)
    except ImportError as error:
        raise MissingExtraError("this kind of blob store", "s3") from error
    except ValueError as error:
        raise InputError("blobs", "be a folder or a URL of fsspec", "something else") from error
    local = "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)
    with _told():
        if not local:
            return Blobs(fs, root.rstrip("/"), None)
        folder = Path(root)
        (folder / "new").mkdir(parents=True, exist_ok=True)
    return Blobs(fs, str(folder), folder)


def _write(beside: Path, place: Path, content: bytes) -> None:
    made = not place.parent.exists()
    place.parent.mkdir(exist_ok=True)
    beginning = beside / uuid4().hex
    try:
        with beginning.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beginning.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            beginning.unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)
    if made:
        _sync_folder(place.parent.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StoreError("the folder of blobs is gone") from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise FullError(
                "no room for the blob; nothing was kept. Make room, try again"
            ) from error
        raise StoreError(
            f"the place of blobs refused ({error.strerror}); nothing was kept"
        ) from error
