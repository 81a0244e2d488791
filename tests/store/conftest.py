"""A store on each database, empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from overread.store import Store, open_store
from tests.store.cluster import Cluster, running_cluster


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def cluster(postgres_programs: Path) -> Iterator[Cluster]:
    """Without fsync: durability is tested on a cluster of its own."""
    with running_cluster(postgres_programs, fsync=False) as running:
        yield running


BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=BOTH)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Make the address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / uuid4().hex}.db"
    return request.getfixturevalue("cluster").new


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_store(new_url: Callable[[], str], clock: Clock) -> Iterator[Callable[[], Store]]:
    """Open empty stores; they are closed at the end."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(open_store(new_url(), clock=clock, sync=False, connections=3))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    return new_store()
