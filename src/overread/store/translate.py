"""The databases' own errors, as the few that Overread tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from overread.store.errors import BrokenLogError, BusyError, FullError, StoreError

# PostgreSQL's SQLSTATE classes: 53 out of disk or connections, 08 connection, 57P shut down.
_PG_FULL = ("53100", "58030")
_PG_BUSY = ("53300", "55P03", "57014", "40001", "40P01")
_FULL = "the disk is full or refuses to write; nothing of this was kept. Make room, try again"

_UNREACHABLE = "the database cannot be reached; what was acknowledged is kept there"


@contextmanager
def translated() -> Generator[None]:
    """Raise errors of the driver as errors of the store, without SQL or values in their words."""
    try:
        yield
    except exc.TimeoutError as error:
        raise BusyError("too many at once; nothing was kept, try again") from error
    except exc.DBAPIError as error:
        raise _told(error) from error
    except psycopg.Error as error:  # outside any statement: the connection is gone, or none is made
        raise BusyError(_UNREACHABLE) from error


def _told(error: exc.DBAPIError) -> Exception:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _told_sqlite(cause)
    state = getattr(cause, "sqlstate", None) or ""
    if state in _PG_FULL:
        return FullError(_FULL)
    if state in _PG_BUSY:
        return BusyError("the database is busy; nothing was kept, try again")
    unreachable = not state and isinstance(error, exc.OperationalError)
    if error.connection_invalidated or state[:2] in {"08", "57"} or unreachable:
        return BusyError(_UNREACHABLE)
    kind = state or type(cause).__name__
    return StoreError(f"the database refused ({kind}); nothing was kept")


def _told_sqlite(cause: sqlite3.Error) -> Exception:
    name = getattr(cause, "sqlite_errorname", "")
    if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
        return FullError(_FULL)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return BusyError("the store is busy with other writes; nothing was kept, try again")
    if name.startswith("SQLITE_CANTOPEN"):
        return StoreError("the store cannot be opened; see that its folder can be written")
    if name.startswith("SQLITE_READONLY"):
        return StoreError("the store cannot be written; see the rights of its file and folder")
    if name in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        return BrokenLogError("the file is not a sound SQLite database; nothing was written")
    return StoreError(f"the database refused ({name or 'SQLite'}); nothing was kept")
