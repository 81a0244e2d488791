"""Encoders trained on a project's images, or brought, and compared on its labels, beside the pages.

Each step is a child process that can be stopped. A training that was under way when the server
ended goes on from its last checkpoint when the project is next looked at.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from overread.app.learning.bring_encoder import bring_encoder, retire
from overread.app.learning.case_latents import embed, parts_of
from overread.app.learning.encoder_choice import choose_for_project
from overread.app.learning.train_encoders import Wish, train_encoder, wish_of
from overread.errors import InputError, MethodError, MissingExtraError, OverreadError
from overread.store import Blobs, Store
from overread.store.learning.encoders import (
    BEGUN,
    DONE,
    FAILED,
    HALTED,
    last_choice,
    list_trained,
    list_trainings,
    set_training,
)
from overread.web.children import in_child
from overread.web.jobs import Job, Jobs
from overread.web.site import Site

TRAINING, CHOICE = "training of an encoder", "choice of the encoder"
_TURN = "encoders"


def train(site: Site, project: str, kind: str, given: Mapping[str, Any], *, by: str) -> Job:
    """Begin to train an encoder of a project, or go on where it was stopped.

    Raises:
        InputError: one is being trained already; settings out of bounds.
    """
    if site.jobs.standing(project, TRAINING)[0] is not None:
        remedy = "Wait for it, or stop it."
        raise InputError("training", "be the only one of its project", "a second", remedy=remedy)
    wish = wish_of(site.store, project, kind, given)
    set_training(site.store, project, kind, BEGUN, by, settings=wish.to_value())
    return _begin(site, project, wish, by)


def require_learn() -> None:
    """Refuse at once, not in the background, where the packages that train are missing.

    Raises:
        MissingExtraError: torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("Training encoders", "learn")


def go_on(site: Site, project: str) -> None:
    """Take up what was under way when the server ended."""
    if site.jobs.standing(project, TRAINING)[0] is not None:
        return
    under_way = [one for one in list_trainings(site.store, project) if one.state == BEGUN]
    for one in under_way[-1:]:
        wish = wish_of(site.store, project, one.kind, one.settings)
        _begin(site, project, wish, one.set_by)
        return
    chosen = last_choice(site.store, project)
    newest = max((one.event for one in list_trained(site.store, project)), default=0)
    if newest > (chosen.event if chosen else 0):  # it was trained, and not compared yet
        _choice(site, project)


def compare(site: Site, project: str) -> Job | None:
    """Have the encoders compared; None where there is one alone, or that is under way."""
    busy = any(site.jobs.standing(project, kind)[0] for kind in (TRAINING, CHOICE))
    if busy or len(parts_of(site.store, project)) < 2:
        return None
    return _choice(site, project)


def bring(site: Site, project: str, path: Path, name: str, scale: str, *, by: str) -> Job:
    """Keep an encoder that a lead brings; beside the page it encodes all images and is compared.

    Raises:
        InputError: what :func:`overread.app.learning.bring_encoder.bring_encoder` refuses.
        MissingExtraError: onnxruntime is not installed.
    """
    bring_encoder(site.store, site.blobs, project, path, name=name, scale=scale, by=by)
    return _choice(site, project)


def remove(site: Site, project: str, kind: str, *, by: str) -> None:
    """Take an encoder that was brought off the list.

    What encodes images with it at the time stops with that.

    Raises:
        NotFoundError: there is none of this kind.
    """
    if retire(site.store, project, kind, by=by):
        learned_anew(site, project)


def training(jobs: Jobs, project: str) -> tuple[Job | None, Job | None, str]:
    """The training and the comparison under way, None where none is; why the last one failed."""
    trained, why = jobs.standing(project, TRAINING)
    compared, why_not = jobs.standing(project, CHOICE)
    return trained, compared, why or why_not


def learned_anew(site: Site, project: str) -> None:
    """Latents, or the chain of encoders in use, changed: the loop looks at them."""
    loop = site.learnings.known(project)
    if loop is not None:
        loop.images_came()
    site.learnings.wake(site.store, project)


def _begin(site: Site, project: str, wish: Wish, by: str) -> Job:
    folder = _folder(site, project)

    def work(job: Job) -> None:
        try:
            in_child(site.store, job, _train, site.blobs, project, folder, wish, by)
        except OverreadError as error:
            if not _is_done(site.store, project, wish.kind):  # else only the comparison failed
                state = HALTED if job.stop.is_set() else FAILED
                set_training(site.store, project, wish.kind, state, by, words=str(error)[:1_000])
            raise
        finally:
            learned_anew(site, project)

    return _start(site, project, TRAINING, work)


def _is_done(store: Store, project: str, kind: str) -> bool:
    return any(one.kind == kind and one.state == DONE for one in list_trainings(store, project))


def _choice(site: Site, project: str) -> Job:
    def work(job: Job) -> None:
        in_child(site.store, job, _choose, site.blobs, project)
        learned_anew(site, project)

    return _start(site, project, CHOICE, work)


def _start(site: Site, project: str, kind: str, work: Any) -> Job:
    return site.jobs.start_export(project, work, key=str(uuid4()), what={}, kind=kind, turn=_TURN)


def _folder(site: Site, project: str) -> Path:
    """Where checkpoints lie: in the home, so that a restarted server finds them."""
    place = site.key_folder or site.upload_folder or Path(tempfile.gettempdir()) / "overread"
    return place / "encoders" / project


def _train(  # noqa: PLR0917 - as the child gets them
    store: Store, blobs: Blobs, project: str, folder: Path, wish: Wish, by: str, tick: Any
) -> None:
    train_encoder(store, blobs, project, folder, wish, by=by, tick=tick)
    tick("encoding", 1)
    _choose(store, blobs, project, tick)


def _choose(store: Store, blobs: Blobs, project: str, tick: Any) -> None:
    """Encode what has no latents of a part yet, then compare."""
    failed: list[str] = []
    embed(store, blobs, project, tick, failed=failed)
    tick("comparing", 1)
    choose_for_project(store, project)
    if failed:  # the others were compared all the same
        raise MethodError(failed[0])
