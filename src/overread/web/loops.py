"""Projects that learn while they are read, beside the pages: see :mod:`overread.web.beside`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from overread.app.learning.loop import ProjectLearning
from overread.store import Store
from overread.web.beside import Beside

_IDLE_SECONDS = 10.0


def _nobody_begins(project: str) -> ProjectLearning:
    raise RuntimeError(f"the loop of project {project} has no beginning: attend to the site first")


@dataclass(slots=True, eq=False)
class Learnings:
    """The loops of projects, kept until the server ends; what they know follows from the log.

    Args:
        begin: makes the loop of a project; set once, by :func:`overread.web.learning.attend`.
    """

    begin: Callable[[str], ProjectLearning] = _nobody_begins
    _loops: Beside[ProjectLearning] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wake(self, store: Store, project: str) -> None:
        """Have a project learn what was read, and ask for the next cases, soon."""
        with self._lock:
            if self._loops is None:
                self._loops = Beside(self.begin, "learning", 0.02, again_seconds=10.0)
        self._loops.wake(store, project)

    def after_read(self, store: Store, project: str) -> None:
        """The same after a read or a claim: a project that learns nothing is looked at seldom."""
        loop = self._loops.known(project) if self._loops else None
        idle = loop is not None and loop.setup is None
        if loop is None or not idle or time.monotonic() - loop.looked > _IDLE_SECONDS:
            self.wake(store, project)

    def known(self, project: str) -> ProjectLearning | None:
        """The loop of a project; None before it was first woken, or where it learns nothing."""
        found = self._loops.known(project) if self._loops else None
        return found if found is not None and found.setup is not None else None
