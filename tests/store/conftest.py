"""A store on each database, and a throw-away PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from overread.store import Store, open_store


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that runs for the tests; ``new()`` makes an empty schema, which is quick."""

    url: str

    def new(self) -> str:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{name}"')
        return f"{self.url}/postgres?options=-csearch_path%3D{name}"


@contextmanager
def running_cluster(programs: Path, *, fsync: bool) -> Iterator[Cluster]:
    """Start a cluster in a folder of its own and take both away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="overread-pg-"))
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", folder / "data", *arguments]
        log = folder.with_suffix(".log")
        with log.open("ab") as out:
            done = subprocess.run(command, stdout=out, stderr=out, check=False, cwd="/", **user)
        assert done.returncode == 0, log.read_text()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
        options += f"-c fsync={'on' if fsync else 'off'} -c max_connections=100"
        run("pg_ctl", "-w", "-o", options, "start")
        yield Cluster(f"postgresql://tester@127.0.0.1:{port}")
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)
        folder.with_suffix(".log").unlink(missing_ok=True)


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
