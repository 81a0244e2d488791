"""A store on each database, empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from overread.store import Store, open_store
from tests.store.cluster import Cluster


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@dataclass(frozen=True)
class Places:
    """Where databases of a kind are made: ``()`` an empty one, ``ready()`` one with its tables.

    The tables are made once in a process, by opening a store as anybody does, and copied.
    """

    empty: Callable[[], str]
    ready: Callable[[], str]
    remove: Callable[[str], None]

    def __call__(self) -> str:
        return self.empty()


@cache
def _sqlite_tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tables.db"
        open_store(path, sync=False).close()
        return path.read_bytes()


def _on_sqlite(folder: Path) -> Places:
    def path() -> Path:
        return folder / f"{uuid4().hex}.db"

    def ready() -> str:
        copy = path()
        copy.write_bytes(_sqlite_tables())
        return f"sqlite:///{copy}"

    return Places(lambda: f"sqlite:///{path()}", ready, lambda _: None)


@cache
def _postgres_tables(cluster: Cluster) -> str:
    url = cluster.new_database()
    open_store(url, sync=False).close()
    return url


def _on_postgres(cluster: Cluster) -> Places:
    def ready() -> str:
        return cluster.new_database(_postgres_tables(cluster))

    return Places(cluster.new, ready, cluster.drop_database)


@pytest.fixture(params=BOTH)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Make the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return _on_sqlite(tmp_path)
    return _on_postgres(request.getfixturevalue("cluster"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_store(new_url: Places, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Open empty stores; they are closed at the end."""
    opened: dict[str, Store] = {}

    def make() -> Store:
        url = new_url.ready()
        opened[url] = open_store(url, clock=clock, sync=False, connections=3)
        return opened[url]

    yield make
    for url, store in opened.items():
        store.close()
        new_url.remove(url)


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    return new_store()
