"""Work that reads wake: project by project, in one thread beside the pages; nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from overread.errors import OverreadError
from overread.store import Store

_LOG = logging.getLogger("overread.web")


class Follows(Protocol):
    """What is known of one project, and follows from its log."""

    def catch_up(self, store: Store) -> object:
        """Take in what was read since."""


Known = TypeVar("Known", bound=Follows)


@dataclass(slots=True, eq=False)
class Beside(Generic[Known]):
    """What is known of each project, kept until the server ends.

    All of it follows from the log: a server that starts again looks at all that it needs of a
    project when that is first woken.

    Args:
        begin: makes what is known of a project, by its id, before anything was taken in.
        what: it is, for the log of errors.
        pause_seconds: reads that come within them are taken in together.
        again_seconds: until another try where the store refused; None waits for the next read.
    """

    begin: Callable[[str], Known]
    what: str
    pause_seconds: float
    again_seconds: float | None = None
    _kept: dict[str, Known] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def wake(self, store: Store, project: str) -> None:
        """Have a project looked at soon."""
        with self._lock:
            self._asked.add(project)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, args=(store,), daemon=True)
                self._thread.start()

    def known(self, project: str) -> Known | None:
        """What is known of a project by now; None before it was looked at."""
        return self._kept.get(project)

    def _work(self, store: Store) -> None:
        while True:
            time.sleep(self.pause_seconds)
            with self._lock:
                if not self._asked:
                    self._thread = None
                    return
                project = self._asked.pop()
            try:
                self._kept.setdefault(project, self.begin(project)).catch_up(store)
            except OverreadError as error:  # the store is busy or full
                _LOG.error("%s in %s", type(error).__name__, self.what)
                if self.again_seconds is not None:
                    time.sleep(self.again_seconds)
                    with self._lock:
                        self._asked.add(project)
            except Exception as error:  # noqa: BLE001 - one project's fault leaves the others served
                # without its words: they may hold what somebody answered
                self._kept.pop(project, None)
                _LOG.error("%s in %s", type(error).__name__, self.what)
