"""Reads on demand beside the pages: woken by each read; the reader never waits for what follows."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from overread.app.study.more_reads import ProjectDemand
from overread.errors import OverreadError
from overread.store import Store

_LOG = logging.getLogger("overread.web")
_PAUSE_SECONDS = 0.3  # reads that come together are judged together
_AGAIN_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Demands:
    """What is known of the readers of each project, kept until the server ends.

    All of it follows from the log; what was decided is in the store. A server that starts again
    looks at all of a project at its first read.
    """

    pause_seconds: float = _PAUSE_SECONDS
    _kept: dict[str, ProjectDemand] = field(default_factory=dict[str, ProjectDemand])
    _asked: set[str] = field(default_factory=set[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def wake(self, store: Store, project: str) -> None:
        """Have a project looked at soon; nobody waits for it."""
        with self._lock:
            self._asked.add(project)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, args=(store,), daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Wait for what is under way (for tests)."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """End the thread after what it is at."""
        self._stopped.set()
        self.wait()

    def _work(self, store: Store) -> None:
        while not self._stopped.wait(self.pause_seconds):
            with self._lock:
                if not self._asked:
                    self._thread = None
                    return
                project = self._asked.pop()
            try:
                known = self._kept.setdefault(project, ProjectDemand(project))
                known.catch_up(store, stop=self._stopped.is_set)
            except OverreadError as error:  # the store is busy or full: once more, in a while
                _LOG.error("%s in reads on demand", type(error).__name__)
                if not self._stopped.wait(_AGAIN_SECONDS):
                    with self._lock:
                        self._asked.add(project)
            except Exception as error:  # noqa: BLE001 - one project's fault leaves the others served
                # without its words: they may hold what somebody answered
                self._kept.pop(project, None)
                _LOG.error("%s in reads on demand", type(error).__name__)
