"""How a project begins to learn beside the pages, and how its images are encoded.

Images are encoded in a process of their own; a read moves the model in a thread, in the project's
turn (:mod:`overread.web.loops`). A reader waits for neither.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from overread.app.learning.case_latents import embed
from overread.app.learning.loop import ProjectLearning
from overread.errors import MethodError
from overread.store import Blobs, Store, project_progress
from overread.store.learning.encoders import kept_encoders
from overread.web.children import in_child
from overread.web.jobs import Job, Jobs
from overread.web.site import Site
from overread.web.training import compare, go_on, learned_anew

KIND = "encoding of images"


def attend(site: Site) -> None:
    """Tell the loops of a server how one of them begins; once, when the server is made."""
    site.learnings.begin = partial(_begun, site)


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
    count = embed(store, blobs, project, tick)
    cases = project_progress(store, project).cases
    if cases > 1 and not kept_encoders(store, project):
        raise MethodError(
            f"fewer than two images of the {cases:,} cases can be had. Restore the server's folder "
            "of images (blobs) from a backup, then try again; reads and labels are not touched"
        )
    return count
