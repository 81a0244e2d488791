"""The model's answers, beside the pages: what each target would come to, and the freeze."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from overread.app.learning.freeze_labels import TARGETS, auto_label, offers
from overread.app.learning.proposals import proposals
from overread.errors import InputError, MethodError
from overread.store import Store
from overread.web.children import in_child
from overread.web.jobs import Job
from overread.web.offered import Told
from overread.web.site import Site

KIND = "auto-label"
DONE, OF, FREEZING = "steps", "of", "freezing"
Tick = Callable[[str, int], None]


def work_out(site: Site, project: str) -> Job:
    """Ask the model, beside the pages, what each target would come to."""

    def work(job: Job) -> None:
        site.offered.by_project[project] = in_child(site.store, job, told, project)

    return _begun(site, project, work)


def freeze_at(site: Site, project: str, target: float, by: str) -> Job:
    """Freeze what the model said, beside the pages; cases that were read since are left out."""

    def work(job: Job) -> None:
        kept = site.offered.by_project.get(project)
        if kept is None:
            kept = in_child(site.store, job, told, project)
        if job.stop.is_set():
            raise MethodError("it was stopped")
        job.counts[FREEZING] = 1  # from here on it ends by itself
        auto_label(site.store, project, kept.given, target=target, by=by)
        site.offered.by_project.pop(project, None)

    return _begun(site, project, work)


def _begun(site: Site, project: str, work: Callable[[Job], None]) -> Job:
    under_way, _ = site.jobs.standing(project, KIND)
    if under_way is not None:
        return under_way
    return site.jobs.start_export(project, work, key=str(uuid4()), what={}, kind=KIND)


def told(store: Store, project: str, tick: Tick) -> Told:
    """In the child: the model's answers, and what they would come to."""
    tick(OF, 1 + len(TARGETS))
    given = proposals(store, project)
    tick(DONE, 1)
    return Told(given, tuple(offers(store, project, given, told=lambda: tick(DONE, 1))))


def stop(site: Site, project: str) -> None:
    """Stop asking the model; what stood before stands."""
    under_way, _ = site.jobs.standing(project, KIND)
    if under_way is not None:
        under_way.stop.set()


def keys_of(site: Site) -> Path:
    """Folder of the key that signs.

    Raises:
        InputError: this server was started without a home.
    """
    if site.key_folder is None:
        remedy = "Start it with overread serve --home."
        raise InputError("a server that signs", "have a home", "none", remedy=remedy)
    return site.key_folder
