"""Models of projects, reached beside the pages and kept until more is read.

Each is reached by a child process that yields the processor to the pages; one at a time, and none
of a project sooner than five times what the last took. A page shows what is kept at once.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TypeAlias

from overread.app.study.project_model import LEAST_CASES, ProjectModel, project_model
from overread.errors import OverreadError
from overread.store import Store, last_read, open_store, project_progress
from overread.web.children import begin

_LOG = logging.getLogger("overread.web")
_REST_SECONDS = 20.0
_REST_TIMES = 5.0

Key: TypeAlias = tuple[int, int]
"""Last read of a project, in the log, and version of its protocol."""


class _EndedError(Exception):
    """The process was asked to end: the server ends."""


@dataclass(slots=True, eq=False)
class _Kept:
    key: Key
    model: ProjectModel | None
    next_at: float


@dataclass(slots=True, eq=False)
class Models:
    """Models by project. Args: rest_seconds: at least between two of a project."""

    rest_seconds: float = _REST_SECONDS
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: threading.Thread | None = None

    def of(self, store: Store, project: str) -> ProjectModel | None:
        """The model as it is kept; a newer one is begun where more was read since."""
        key = last_read(store, project)
        kept = self._kept.get(project)
        if kept is not None and kept.key == key:
            return kept.model
        if kept is None and project_progress(store, project).reads < 2 * LEAST_CASES:
            return None
        with self._lock:
            free = self._running is None or not self._running.is_alive()
            if free and (kept is None or time.monotonic() >= kept.next_at):
                work = threading.Thread(target=self._reach, args=(store, project, key), daemon=True)
                self._running = work
                work.start()
        return kept.model if kept else None

    def wait(self) -> None:
        """Wait for what is under way (for tests, and before a picture is taken)."""
        if self._running is not None:
            self._running.join()

    def _reach(self, store: Store, project: str, key: Key) -> None:
        begin = time.monotonic()
        model = None
        try:
            model = _in_child(store, project)
        except _EndedError:
            return  # with the server
        except (OSError, EOFError) as error:
            _LOG.error("%s in a model", type(error).__name__)
        took = time.monotonic() - begin
        last = self._kept.get(project)
        if model is None and last is not None:
            model = last.model
        next_at = time.monotonic() + max(self.rest_seconds, _REST_TIMES * took)
        self._kept[project] = _Kept(key, model, next_at)


def _in_child(store: Store, project: str) -> ProjectModel | None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    url = store.engine.url.render_as_string(hide_password=False)  # goes by a pipe, seen by nobody
    spawn = multiprocessing.get_context("spawn")
    child = spawn.Process(target=_child, args=(url, project, theirs), daemon=True)
    begin(child)
    theirs.close()
    try:
        made: ProjectModel | None = ours.recv()
    except EOFError as error:
        child.join(10)
        # None: the end of this process, which ends its children, has seen it first
        if child.exitcode in {-signal.SIGTERM, None}:
            raise _EndedError from error
        raise
    else:
        return made
    finally:
        ours.close()
        child.join(10)
        if child.is_alive():
            child.kill()


def _child(url: str, project: str, line: Connection) -> None:
    os.nice(10)
    store = open_store(url, connections=1)
    try:
        line.send(project_model(store, project))
    except OverreadError:
        line.send(None)
    finally:
        store.close()
        line.close()
