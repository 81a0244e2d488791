"""Whose turn it is: writers one after the other, together to the disk; readers beside them.

The log has one head, so writers work one after the other. Waiting for the disk is what costs, so
those who queue share a transaction: each works behind a savepoint, hands the open transaction on
to who waits, and returns only when the last has committed for all (a group commit). What one
does wrong is undone alone; what the disk refuses is refused to all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from overread.store.errors import BusyError, StoreError

_TOGETHER = 32  # at most so many share a commit,
_SECONDS = 0.02  # none joining one that was begun longer ago
_PATIENCE = 0.5


@dataclass(slots=True, eq=False)
class _Batch:
    """A transaction that several share; ``error`` is why nothing of it was kept."""

    connection: sa.Connection
    begun: float = field(default_factory=time.monotonic)
    members: int = 0
    broken: BaseException | None = None
    error: BaseException | None = None
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True, eq=False)
class Gate:
    """Lets SQLite's readers finish before a commit, and hold off while it lasts.

    In a rollback journal a commit must have the file for itself. SQLite's own way to wait is to
    sleep and ask again; here nobody sleeps. Only a courtesy between the threads of a process:
    nobody waits at it for long, and SQLite's locks hold all the same. PostgreSQL needs none
    (``open_``): there readers and writers never wait for each other.
    """

    open_: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    readers: int = 0
    closed: bool = False

    @contextmanager
    def reading(self) -> Generator[None]:
        """Be counted as a reader."""
        if self.open_:
            yield
            return
        with self.changed:
            if self.closed:
                self.changed.wait_for(lambda: not self.closed, _PATIENCE)
            self.readers += 1
        try:
            yield
        finally:
            with self.changed:
                self.readers -= 1
                if not self.readers:
                    self.changed.notify_all()

    @contextmanager
    def committing(self) -> Generator[None]:
        """Have the file for oneself."""
        if self.open_:
            yield
            return
        with self.changed:
            self.closed = True
            self.changed.wait_for(lambda: not self.readers, _PATIENCE)
        try:
            yield
        finally:
            with self.changed:
                self.closed = False
                self.changed.notify_all()


@dataclass(slots=True, eq=False)
class Turns:
    """The writers of one open store.

    Args:
        begin: opens a connection with a transaction to write in.
        wait_seconds: how long one waits for a turn.
    """

    begin: Callable[[], sa.Connection]
    wait_seconds: float
    gate: Gate
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _waiting: int = 0
    _open: _Batch | None = None

    @contextmanager
    def mine(self) -> Generator[sa.Connection]:
        """Have a turn: on leaving, all of it is on disk, or nothing.

        Raises:
            BusyError: no turn came in time.
        """
        self._take()
        try:
            batch = self._open or _Batch(self.begin())
            self._open = None
            batch.members += 1
            raised = yield from _work(batch)
        except BaseException:
            self._turn.release()
            raise
        if self._handed_on(batch):
            self._await(batch)
        else:
            self._finish(batch)
        if raised is not None:
            raise raised
        if batch.error is not None:
            raise _told(batch.error)

    def _take(self) -> None:
        with self._counting:
            self._waiting += 1
        taken = self._turn.acquire(timeout=self.wait_seconds)
        with self._counting:
            self._waiting -= 1
        if not taken:
            raise BusyError("the store is busy with other writes; nothing was kept, try again")

    def _handed_on(self, batch: _Batch) -> bool:
        young = time.monotonic() - batch.begun < _SECONDS
        if batch.broken or not young or batch.members >= _TOGETHER or not self._waiting:
            return False
        self._open = batch
        self._turn.release()
        return True

    def _await(self, batch: _Batch) -> None:
        while not batch.over.wait(_PATIENCE):
            if self._turn.acquire(blocking=False):  # whoever waited went away: finish it here
                if self._open is batch:
                    self._open = None
                    self._finish(batch)
                    return
                self._turn.release()

    def _finish(self, batch: _Batch) -> None:
        """Commit for all, or for none."""
        try:
            if batch.broken is not None:
                batch.error = batch.broken
                batch.connection.rollback()
            else:
                with self.gate.committing():
                    batch.connection.commit()
        except BaseException as error:  # noqa: BLE001 - told to each of those who share it
            batch.error = batch.error or error
        finally:
            try:
                batch.connection.close()
            finally:
                batch.over.set()
                self._turn.release()


def _work(batch: _Batch) -> Generator[sa.Connection, None, BaseException | None]:
    """Lend the connection to one; return what they raised, undone, with the rest unharmed."""
    alone = batch.members == 1
    try:
        if not alone:
            batch.connection.exec_driver_sql("SAVEPOINT turn")
        try:
            yield batch.connection
        except BaseException as error:  # noqa: BLE001 - given back to its caller
            if alone or not _undone(batch.connection):
                batch.broken = error
            return error
        if not alone:
            batch.connection.exec_driver_sql("RELEASE SAVEPOINT turn")
    except sa.exc.SQLAlchemyError as error:
        batch.broken = error
        return error
    return None


def _undone(connection: sa.Connection) -> bool:
    """Undo what one did; False where the database gave up all of it (a full disk)."""
    try:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT turn")
        connection.exec_driver_sql("RELEASE SAVEPOINT turn")
    except sa.exc.SQLAlchemyError:
        return False
    return True


def _told(error: BaseException) -> BaseException:
    """Why a transaction was not kept, for those who did nothing wrong in it."""
    if isinstance(error, sa.exc.SQLAlchemyError):
        return error
    return StoreError("the store gave up what others wrote at the same time; nothing was kept")
