"""A home: the one folder in which a server keeps its database, its images and its secret."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from overread.errors import InputError
from overread.store import Blobs, ProjectRow, Store, list_projects, open_blobs, open_store

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Home:
    """An open home.

    Args:
        folder: of the home.
        store, blobs: open.
        secret: key of all that the server signs and hashes; made once, readable by its owner.
    """

    folder: Path
    store: Store
    blobs: Blobs
    secret: bytes = field(repr=False)


def open_home(folder: Path, *, database: str = "", blobs: str = "") -> Home:
    """Open a home, and make it where there is none.

    Args:
        folder: kept to its owner.
        database: URL of a PostgreSQL; by default a SQLite file in the folder.
        blobs: folder or URL of the images; by default a folder in the home.
    Raises:
        InputError: a file stands in its place, or the secret was cut short.
        StoreError: the database cannot be opened.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("home", "be a folder", "a file")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Home(
        folder,
        open_store(database or folder / "overread.sqlite"),
        open_blobs(blobs or folder / "blobs"),
        _secret(folder / "secret"),
    )


def project_called(store: Store, name: str) -> ProjectRow:
    """The project of this name or id.

    Raises:
        InputError: none, or several of the name.
    """
    projects = list_projects(store)
    found = [one for one in projects if name in (one.id, one.name)]
    if len(found) != 1:
        there = ", ".join(repr(one.name) for one in projects[:10]) or "none yet"
        rule = "name one project, or be its id"
        got = f"{name!r}, which {'several have' if found else 'none has'}"
        raise InputError("project", rule, got, remedy=f"There are: {there}.")
    return found[0]


def _secret(path: Path) -> bytes:
    """Read the secret; the first process to ask makes it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_bytes()
        if len(kept) != _SECRET_BYTES:
            rule = f"hold {_SECRET_BYTES} bytes"
            remedy = "Put it back from a backup; sessions and groups of cases hang on it."
            raise InputError("secret of the home", rule, len(kept), remedy=remedy) from None
        return kept
    with os.fdopen(made, "wb") as file:
        file.write(secrets.token_bytes(_SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return path.read_bytes()
