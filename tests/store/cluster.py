"""A throw-away PostgreSQL, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that runs.

    ``new()`` makes an empty schema, ``new_database()`` a database, empty or a copy;
    ``crash()`` ends and restarts it all.
    """

    url: str
    control: Callable[..., None]

    def crash(self) -> None:
        """Stop without a checkpoint, as after a loss of power, and start again."""
        self.control("-m", "immediate", "stop")
        self.control("start")

    def new(self) -> str:
        name = f"test_{uuid4().hex}"
        self._run(f'CREATE SCHEMA "{name}"')
        return f"{self.url}/postgres?options=-csearch_path%3D{name}"

    def new_database(self, copy_of: str = "") -> str:
        name, model = f"test_{uuid4().hex}", copy_of.rpartition("/")[2] or "template0"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{model}" STRATEGY file_copy')
        return f"{self.url}/{name}"

    def drop_database(self, url: str) -> None:
        self._run(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(statement)


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
        control = partial(run, "pg_ctl", "-w", "-o", options)
        control("start")
        yield Cluster(f"postgresql://tester@127.0.0.1:{port}", control)
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)
        folder.with_suffix(".log").unlink(missing_ok=True)


def find_programs() -> Path | None:
    """Folder of initdb, pg_ctl and postgres, as Debian or the PATH has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None
