"""Open a store on SQLite or PostgreSQL, and the two kinds of transaction: reading and writing.

Writes are serial in both databases: the hash chain of the log has one head, so two writers could
never commit side by side anyway. Taking the turn *first* (`turns.py` in the process, then BEGIN
IMMEDIATE in SQLite or an advisory lock in PostgreSQL) means that no write ever fails half-way
for another's sake, never deadlocks, and sees all that stands before it in the log. Writers of one
process that queue share a commit.

SQLite keeps its rollback journal: below 3.51.3 a WAL can be corrupted when several connections
write or checkpoint (sqlite.org/wal.html, "the WAL-reset bug"). TRUNCATE with synchronous=FULL
syncs the journal after its truncation, so an acknowledged commit survives power loss. Readers
hold the file for one short statement or page only, and so never keep a writer waiting for long.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import sqlalchemy as sa

from overread.errors import InputError
from overread.store.canonical import stamp, utc_now
from overread.store.schema.migrations import migrate
from overread.store.translate import translated
from overread.store.turns import Gate, Turns

_WAIT_SECONDS = 60
_STATEMENTS = 1_000  # kept prepared by a connection: more than there are
_TURN = 0x0EAD  # the key of PostgreSQL's advisory lock: one turn at writing for each database


def new_uuid() -> str:
    """Make a random id."""
    return str(uuid4())


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A store that is open: the engine, the clock and the source of ids.

    Attributes:
        url: where it lives, without the password.
        engine: SQLAlchemy's engine.
        looks: the same for reading: on PostgreSQL no BEGIN and no ROLLBACK go to and fro.
        turns: of those who write.
        clock: tells the time, with a zone.
        new_id: makes ids.
    """

    url: str
    engine: sa.Engine
    looks: sa.Engine
    turns: Turns
    clock: Callable[[], datetime] = utc_now
    new_id: Callable[[], str] = new_uuid

    def now(self) -> str:
        """Tell the time as the store writes it."""
        return stamp(self.clock())

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """Lend a connection for one short look."""
        with translated(), self.turns.gate.reading(), self.looks.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sa.Connection]:
        """Lend a connection for one write: all of it is kept on leaving, or nothing.

        Raises:
            BusyError: other writers kept the store for a minute.
            FullError: the disk refuses.
        """
        with translated(), self.turns.mine() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


_WRITE = "overread_write"


def _begin(engine: sa.Engine) -> sa.Connection:
    try:
        return _begun(engine)
    except sa.exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _begun(engine)  # the database was started anew: nothing was done yet


def _begun(engine: sa.Engine) -> sa.Connection:
    connection = engine.execution_options(**{_WRITE: True}).connect()
    try:
        connection.begin()
        if connection.dialect.name == "postgresql":
            _take_turn(connection.connection.driver_connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _take_turn(connection: Any) -> None:
    """Begin a transaction and wait for the turn in one journey to PostgreSQL instead of two."""
    try:
        with connection.pipeline():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_TURN,))
    except psycopg.Error as error:
        raise sa.exc.DBAPIError(
            "taking the turn", None, error, connection_invalidated=connection.closed
        ) from error


def open_store(
    url: str | Path,
    *,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = new_uuid,
    sync: bool = True,
    connections: int = 10,
) -> Store:
    """Open a store, make it where there is none, and bring it to this version's tables.

    Args:
        url: a path or ``sqlite:///path``, or ``postgresql://user:password@host:port/name``.
        clock: tells the time; every time kept comes from it.
        new_id: makes the ids the store gives out.
        sync: wait for the disk on every commit; False only where loss does not matter (tests).
        connections: kept open to the database, at most (three times as many in a rush).
    Returns:
        The open store. Threads may share it; processes open their own.
    Raises:
        InputError: no such kind of database.
        NewerStoreError: a newer Overread wrote it.
        BusyError: the database cannot be reached.
    """
    address = _address(url)
    pool = {
        "pool_size": connections,
        "max_overflow": 2 * connections,
        "pool_timeout": _WAIT_SECONDS,
    }
    if address.get_backend_name() == "sqlite":
        engine = sa.create_engine(address, connect_args={"timeout": _WAIT_SECONDS}, **pool)
        _prepare_sqlite(engine, sync=sync)
    else:
        # The connection used last is the warmest: its statements are prepared, each from its first
        # use on. A claim that is planned anew takes PostgreSQL several times as long.
        engine = sa.create_engine(
            address, pool_use_lifo=True, connect_args={"prepare_threshold": 0}, **pool
        )
        sa.event.listen(engine, "checkout", _still_there)
        # compiling a plan takes PostgreSQL longer than any of our small statements runs
        sa.event.listen(engine, "connect", _set("SET jit = off"))
        # and so does planning anew for each value: all of ours go by keys, whatever those are
        sa.event.listen(engine, "connect", _set("SET plan_cache_mode = force_generic_plan"))
        if not sync:
            sa.event.listen(engine, "connect", _set("SET synchronous_commit = off"))
    turns = Turns(
        partial(_begin, engine), _WAIT_SECONDS, Gate(open_=engine.dialect.name != "sqlite")
    )
    looks = engine.execution_options(isolation_level="AUTOCOMMIT") if turns.gate.open_ else engine
    store = Store(address.render_as_string(hide_password=True), engine, looks, turns, clock, new_id)
    try:
        with store.writing() as connection:
            migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return store


def _address(url: str | Path) -> sa.URL:
    text = str(url)
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        address = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InputError("store", "be a path or a database URL", "something else") from error
    kind = address.get_backend_name()
    if kind == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise InputError("store", "be a path, sqlite:/// or postgresql://", f"{kind}://")
    if not address.database or address.database == ":memory:" or "mode=memory" in text:
        raise InputError("store", "live in a file", "a database in memory")
    if not Path(address.database).absolute().parent.is_dir():
        raise InputError("store", "lie in a folder that exists", "a folder that does not")
    return address


def _prepare_sqlite(engine: sa.Engine, *, sync: bool) -> None:
    pragmas = (
        "PRAGMA journal_mode = TRUNCATE",
        f"PRAGMA synchronous = {'FULL' if sync else 'OFF'}",
        "PRAGMA foreign_keys = ON",
        "PRAGMA cache_size = -32000",
    )

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in pragmas:
            connection.execute(pragma)

    def begun(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)


def look_again(connection: sa.Connection, table: str, rows: int) -> None:
    """Let PostgreSQL look at a table that has grown to twice what it knows of, or more.

    Left to itself it does so within a minute or so, and until then plans as if nearly all rows
    of a queue were of one case.
    """
    if connection.dialect.name == "postgresql":
        known = connection.scalar(_KNOWN, {"table": table})
        if rows > 2 * max(known, 500):
            connection.exec_driver_sql(f"ANALYZE {table}")


_KNOWN = sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST(:table AS regclass)")


def _still_there(connection: Any, _record: object, _proxy: object) -> None:
    """See that a connection still is one; the pool opens another if not.

    A database that ends says goodbye, or its system does: an idle connection on which something
    can be read is over. Looking costs nothing, where asking would cost three journeys.
    """
    if connection.closed or _can_be_read(connection.pgconn.socket):
        raise sa.exc.InvalidatePoolError


def _can_be_read(socket: int) -> bool:
    look = selectors.DefaultSelector()
    look.register(socket, selectors.EVENT_READ)
    try:
        return bool(look.select(0))
    finally:
        look.close()


def _set(statement: str) -> Callable[[Any, object], None]:
    def connected(connection: Any, _record: object) -> None:
        connection.prepared_max = _STATEMENTS
        connection.autocommit = True
        connection.execute(statement)
        connection.autocommit = False

    return connected
