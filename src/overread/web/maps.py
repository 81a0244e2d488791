"""Maps of images, worked out in a child process when somebody looks, and kept by their latents."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from overread.app.learning.case_latents import latents_of
from overread.app.learning.case_map import NearMap, near_map_of, packed_map, unpacked_map
from overread.app.learning.loop import ProjectLearning
from overread.errors import MethodError
from overread.store import Store
from overread.web.children import in_child
from overread.web.jobs import Job
from overread.web.site import Site

KIND = "map of the images"
_LEAST = 8  # cases: fewer have no neighbours to speak of


def draw_map(site: Site, project: str, loop: ProjectLearning, *, again: bool = False) -> str:
    """Have the map of a project worked out where it is not there; the page does not wait.

    Args:
        again: also where it failed before.
    Returns:
        Why it failed, "" where it did not.
    """
    learner, near = loop.learner, loop.near
    if learner is None or len(learner.latents.cases) < _LEAST:
        return ""
    latents = learner.latents
    if near is not None and near.serves(latents):
        return ""
    file = _file(site, project, latents.version)
    with contextlib.suppress(OSError, ValueError, KeyError):  # none, or cut: worked out anew
        kept = unpacked_map(file.read_bytes())
        if kept.serves(latents):
            loop.near = kept
            return ""
    under_way, failed = site.jobs.standing(project, KIND)
    if under_way is not None or (failed and not again):
        return failed

    def work(job: Job) -> None:
        made: NearMap = in_child(site.store, job, _draw, project)
        loop.near = made
        file = _file(site, project, made.version)
        with contextlib.suppress(OSError):  # it is worked out again, then
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = file.with_suffix(f".{uuid4().hex}.part")
            part.write_bytes(packed_map(made))
            part.replace(file)

    site.jobs.start_export(project, work, key=str(uuid4()), what={}, kind=KIND, turn=KIND)
    return ""


def _file(site: Site, project: str, version: str) -> Path:
    place = site.key_folder or site.upload_folder or Path(tempfile.gettempdir()) / "overread"
    name = hashlib.sha256(version.encode()).hexdigest()[:16]
    return place / "encoders" / project / f"map-{name}.npz"


def _draw(store: Store, project: str, _tick: Any) -> NearMap:
    latents = latents_of(store, project)
    if latents is None or not latents.cases:
        raise MethodError("no image is encoded yet")
    return near_map_of(latents)
