"""Long work of this process that a page can watch and stop: imports and exports."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from overread.errors import InputError, OverreadError
from overread.store.errors import NotFoundError

_LOG = logging.getLogger("overread.web")
_KEPT = 50


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work, under way or done.

    Args:
        project: what it works on.
        kind: "import", "export", "report" or "label check".
        counts: words -> numbers, as the page shows them.
        error: why it ended before its end; "" while it goes well.
        what: of an export: what and in which form.
        conformity: of an export: how many labels conform to the protocol.
        file: what an export made; None until then.
    """

    id: str
    project: str
    kind: str = "import"
    counts: dict[str, int] = field(default_factory=dict)
    done: bool = False
    error: str = ""
    what: dict[str, str] = field(default_factory=dict)
    conformity: str | None = None
    file: Path | None = None
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
    """Jobs by id; one import of a project at a time, one export or report of the server."""

    by_id: dict[str, Job] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    exporting: threading.Lock = field(default_factory=threading.Lock)
    turns: dict[str, threading.Lock] = field(default_factory=dict[str, threading.Lock])

    def start(self, project: str, work: Callable[[Job], None], *, key: str = "") -> Job:
        """Begin an import in a thread of its own.

        Args:
            key: id of the job; the same again is the same job, unless it ended with an error.
        Raises:
            InputError: another import of this project is under way.
        """
        with self.lock:
            again = self._again(key, project)
            if again is not None:
                return again
            if any(not one.done for one in self._of(project, "import")):
                remedy = "Wait for it, or stop it."
                raise InputError(
                    "import", "be the only one of its project", "a second", remedy=remedy
                )
            job = self._keep(Job(key or str(uuid4()), project))
        threading.Thread(target=_run, args=(job, work), daemon=True).start()
        return job

    def start_export(
        self,
        project: str,
        work: Callable[[Job], None],
        *,
        key: str,
        what: dict[str, str],
        kind: str = "export",
        turn: str = "",
    ) -> Job:
        """Begin an export, or let it wait for those before it: each may need much memory.

        Args:
            key: id of the job, made by who asks; the same again is the same job.
            what: as the page shows it.
            kind: of the work, for people: "export", "report" ...
            turn: work of the same turn waits for what came before it, on the whole server; "" is
                that of exports and reports.
        Raises:
            InputError: too many are waiting, or the id was used for something else.
        """
        with self.lock:
            again = self._again(key, project)
            if again is not None and again.what == what:
                return again
            if again is not None:
                raise InputError(f"{kind}_id", "be new", f"one that was used for another {kind}")
            if sum(not one.done for one in self._of(project, kind)) >= _KEPT // 5:
                remedy = "Wait until they are done."
                raise InputError(f"{kind}s", "be 10 at a time at most", "one more", remedy=remedy)
            job = self._keep(Job(key, project, kind, what=what))
            lock = self.turns.setdefault(turn, threading.Lock()) if turn else self.exporting
        threading.Thread(target=_in_turn, args=(lock, job, work), daemon=True).start()
        return job

    def of(self, project: str, kind: str = "import") -> list[Job]:
        """Jobs of a project, the newest first."""
        with self.lock:
            return self._of(project, kind)[::-1]

    def called(self, project: str, kind: str, key: str) -> Job:
        """The job of this id.

        Raises:
            NotFoundError: the project has none of this kind and id.
        """
        for one in self.of(project, kind):
            if one.id == key:
                return one
        raise NotFoundError(kind, key)

    def standing(self, project: str, kind: str) -> tuple[Job | None, str]:
        """The job that is under way, None where none is; and why the last one failed, or ""."""
        jobs = self.of(project, kind)
        under_way = next((one for one in jobs if not one.done), None)
        return under_way, jobs[0].error if jobs and jobs[0].done else ""

    def _of(self, project: str, kind: str) -> list[Job]:
        every = self.by_id.values()
        return [one for one in every if one.project == project and one.kind == kind]

    def _again(self, key: str, project: str) -> Job | None:
        """The job of this id; one that ended with an error may begin anew."""
        found = self.by_id.get(key)
        if found is not None and found.project != project:
            raise InputError("id of the job", "be new", "one that was used before")
        return None if found is None or (found.done and found.error) else found

    def _keep(self, job: Job) -> Job:
        self.by_id.pop(job.id, None)
        self.by_id[job.id] = job
        for old in [one for one in self.by_id.values() if one.done][:-_KEPT]:
            del self.by_id[old.id]
            if old.file is not None:
                old.file.unlink(missing_ok=True)
        return job


def _in_turn(turn: threading.Lock, job: Job, work: Callable[[Job], None]) -> None:
    with turn:
        _run(job, work)


def _run(job: Job, work: Callable[[Job], None]) -> None:
    try:
        work(job)
    except OverreadError as error:
        job.error = str(error)
    except OSError as error:
        job.error = f"The {job.kind} stopped: {error.strerror or type(error).__name__}."
    except Exception as error:  # noqa: BLE001 - the thread's last place; its words may tell of files
        _LOG.error("%s in an %s", type(error).__name__, job.kind)
        kept = " the cases before it are kept." if job.kind == "import" else ""
        job.error = f"The {job.kind} stopped unexpectedly;{kept} Start it again."
    finally:
        job.done = True
