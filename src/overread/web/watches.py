"""Projects watched while they are read: woken by each read, in a thread beside the pages."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from overread.app.quality.watch_project import ProjectWatch
from overread.errors import OverreadError
from overread.store import Store, last_read

_LOG = logging.getLogger("overread.web")
_PAUSE_SECONDS = 0.2  # reads that come together are taken in together


@dataclass(slots=True, eq=False)
class Watches:
    """Watches by project, each kept until the server ends.

    What they know follows from the log: after a start the first read, or the first look at the
    page, replays it.
    """

    pause_seconds: float = _PAUSE_SECONDS
    _kept: dict[str, ProjectWatch] = field(default_factory=dict[str, ProjectWatch])
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

    def of(self, store: Store, project: str) -> ProjectWatch | None:
        """The watch as it is; brought up to date beside the page where it is behind."""
        kept = self._kept.get(project)
        if kept is None or kept.until < last_read(store, project)[0]:
            self.wake(store, project)
        return kept

    def wait(self) -> None:
        """Wait for what is under way (for tests, and before a picture is taken)."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """End the thread after the page it is at."""
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
                watch = self._kept.setdefault(project, ProjectWatch(project))
                watch.catch_up(store, stop=self._stopped.is_set)
            except OverreadError as error:
                _LOG.error("%s in a watch", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - one project's fault leaves the others watched
                # without its words: they may hold what somebody answered
                self._kept.pop(project, None)
                _LOG.error("%s in a watch", type(error).__name__)
