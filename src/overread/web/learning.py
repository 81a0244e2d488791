"""Projects that learn while they are read, beside the pages: see :mod:`overread.web.beside`.

Images are encoded in a process of their own; a read moves the model in a thread, in the project's
turn. A reader waits for neither.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overread.app.learning.case_latents import embed
from overread.app.learning.loop import ProjectLearning
from overread.store import Blobs, Store
from overread.web.beside import Beside
from overread.web.children import in_child
from overread.web.jobs import Job, Jobs
from overread.web.training import compare, go_on, learned_anew

if TYPE_CHECKING:
    from overread.web.site import Site

KIND = "encoding of images"
_IDLE_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Learnings:
    """The loops of projects, kept until the server ends; what they know follows from the log."""

    _loops: Beside[ProjectLearning] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wake(self, site: Site, project: str) -> None:
        """Have a project learn what was read, and ask for the next cases, soon."""
        self._of(site).wake(site.store, project)

    def after_read(self, site: Site, project: str) -> None:
        """The same after a read or a claim: a project that learns nothing is looked at seldom."""
        loop = self._loops.known(project) if self._loops else None
        idle = loop is not None and loop.setup is None
        if loop is None or not idle or time.monotonic() - loop.looked > _IDLE_SECONDS:
            self.wake(site, project)

    def known(self, project: str) -> ProjectLearning | None:
        """The loop of a project; None before it was first woken, or where it learns nothing."""
        found = self._loops.known(project) if self._loops else None
        return found if found is not None and found.setup is not None else None

    def _of(self, site: Site) -> Beside[ProjectLearning]:
        with self._lock:
            if self._loops is None:
                begin = partial(_begun, site)
                self._loops = Beside(begin, "learning", 0.02, again_seconds=10.0)
            return self._loops


def _begun(site: Site, project: str) -> ProjectLearning:
    go_on(site, project)
    return ProjectLearning(
        project, lambda _store, one: encode(site, one) is not None,
        lambda _store, one: compare(site, one),
    )  # fmt: skip


def encode(site: Site, project: str) -> Job | None:
    """Begin to encode the images of a project; None where that is under way."""
    under_way, _ = site.jobs.standing(project, KIND)
    if under_way is not None:
        return None

    def work(job: Job) -> None:
        job.counts["images"] = 0
        in_child(site.store, job, _embed, site.blobs, project)
        learned_anew(site, project)

    return site.jobs.start_export(project, work, key=str(uuid4()), what={}, kind=KIND)


def encoding(jobs: Jobs, project: str) -> tuple[Job | None, str]:
    """The encoding that is under way, None where none is; and why the last one failed, or ""."""
    return jobs.standing(project, KIND)


def _embed(store: Store, blobs: Blobs, project: str, tick: Any) -> int:
    return embed(store, blobs, project, tick)
