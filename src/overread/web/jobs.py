"""Long work of this process that a page can watch and stop: imports."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from overread.errors import InputError, OverreadError

_LOG = logging.getLogger("overread.web")
_KEPT = 50


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work, under way or done.

    Args:
        project: what it works on.
        counts: words -> numbers, as the page shows them.
        error: why it ended before its end; "" while it goes well.
    """

    id: str
    project: str
    counts: dict[str, int] = field(default_factory=dict)
    done: bool = False
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def told(self) -> dict[str, object]:
        """For the page that watches."""
        stopping = self.stop.is_set()
        return {
            "id": self.id,
            "counts": dict(self.counts),
            "done": self.done,
            "stopping": stopping and not self.done,
            "error": self.error or None,
        }


@dataclass(slots=True, eq=False)
class Jobs:
    """Jobs by id; one of a project at a time."""

    by_id: dict[str, Job] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, project: str, work: Callable[[Job], None]) -> Job:
        """Begin work in a thread of its own.

        Raises:
            InputError: work on this project is under way already.
        """
        with self.lock:
            if any(one.project == project and not one.done for one in self.by_id.values()):
                remedy = "Wait for it, or stop it."
                raise InputError(
                    "import", "be the only one of its project", "a second", remedy=remedy
                )
            job = Job(str(uuid4()), project)
            self.by_id[job.id] = job
            for old in [one for one in self.by_id.values() if one.done][:-_KEPT]:
                del self.by_id[old.id]
        threading.Thread(target=_run, args=(job, work), daemon=True).start()
        return job

    def of(self, project: str) -> list[Job]:
        """Jobs of a project, the newest first."""
        with self.lock:
            return [one for one in self.by_id.values() if one.project == project][::-1]


def _run(job: Job, work: Callable[[Job], None]) -> None:
    try:
        work(job)
    except OverreadError as error:
        job.error = str(error)
    except Exception as error:  # noqa: BLE001 - the thread's last place; its words may tell of files
        _LOG.error("%s in an import", type(error).__name__)
        job.error = "The import stopped unexpectedly; the cases before it are kept. Start it again."
    finally:
        job.done = True
