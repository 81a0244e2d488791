"""Bringing pre-labels beside the pages: a file, a model, a network that is trained, hints."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from overread.app.learning.bring_model import model_called
from overread.app.learning.pre_label_board import PreLabelBoard, pre_label_board
from overread.app.learning.pre_label_earlier import Earlier, bring_earlier
from overread.app.learning.pre_label_files import read_proposals
from overread.app.learning.pre_label_hints import find_hints
from overread.app.learning.pre_label_import import Kept, bring_pre_labels
from overread.app.learning.pre_label_model import Ran, cases_left, run_model, words_of
from overread.app.learning.pre_label_predicted import bring_predicted
from overread.app.learning.pre_label_train import train_pre_label
from overread.app.learning.pre_label_upload import proposals_at
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.store import Blobs, Store
from overread.web.children import in_child
from overread.web.jobs import Job
from overread.web.site import Site

KIND = "pre-label"
OUTCOME, TOTAL, STAYS = "outcome", "of", "stays"
"""Of a job: what came of it, how much there is to do, and whether what it kept so far stays."""
Tick = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form says of a file. Args: reader: whose reads are taken, "" where there is one."""

    question: str
    model: str
    version: str
    reader: str


def bring_file(site: Site, project: str, folder: Path, sent: Sent, by: str) -> Job:
    """Bring what a file proposes; the folder goes with the work."""

    def work(job: Job) -> str:
        try:
            kept = in_child(site.store, job, _file, project, folder, sent, by)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return _told(kept)

    return _begun(site, project, f"A file is read: {sent.model}.", work)


def bring_own(site: Site, project: str, by: str) -> Job:
    """Have the project's own model propose."""

    def work(job: Job) -> str:
        return _told(in_child(site.store, job, _own, project, by))

    return _begun(site, project, "The model of this project is asked.", work)


def bring_others(site: Site, project: str, model: Earlier, networks: Path, by: str) -> Job:
    """Have the model of an earlier project propose."""

    def work(job: Job) -> str:
        given = (site.blobs, project, model, networks, by)
        return _told(in_child(site.store, job, _earlier, *given))

    return _begun(site, project, f"The model of {model.name} is asked.", work)


def run_brought(site: Site, project: str, model: str, by: str, *, idle: bool = False) -> Job | None:
    """Have a model that was brought propose; what it has proposed stays where it is stopped.

    Args:
        model: its id.
        idle: do nothing where no case is left for it.
    Raises:
        NotFoundError: there is none of this id; InputError: something is under way.
    """
    row = model_called(site.store, project, model)
    total = len(cases_left(site.store, project, row))
    if idle and not total:
        return None

    def work(job: Job) -> str:
        return words_of(in_child(site.store, job, _brought, site.blobs, project, model, by))

    words = f"{row.about['name']}, version {row.about['version']}, looks at the unread cases."
    return _begun(site, project, words, work, total=total, stays=True)


def find(site: Site, project: str, by: str) -> Job:
    """Look for places that stand out in every image."""

    def work(job: Job) -> str:
        count = in_child(site.store, job, _hints, site.blobs, project, by)
        return f"{count:,} {'image' if count == 1 else 'images'} looked at."

    words = "Every image is looked at for places that stand out."
    return _begun(site, project, words, work, total=_cases(site, project))


def train(site: Site, project: str, question: str, folder: Path, steps: int, by: str) -> Job:  # noqa: PLR0917
    """Train a network on what was drawn so far."""

    def work(job: Job) -> str:
        given = (site.blobs, project, question, folder, steps, by)
        made = in_child(site.store, job, _train, *given)
        shown = "no labelled case was set apart to test it"
        if made.likeness is not None:
            cases = "case" if made.tested == 1 else "cases"
            shown = f"likeness {made.likeness:.2f} on {made.tested} {cases} set apart"
        return f"Trained on {made.taught} cases; {shown}. {made.proposed:,} unread cases have it."

    words = "A small network learns from what readers drew."
    return _begun(site, project, words, work, total=steps)


def standing(site: Site, project: str) -> tuple[Job | None, Job | None]:
    """The work that is under way, and the last that ended."""
    jobs = site.jobs.of(project, KIND)
    under_way = next((one for one in jobs if not one.done), None)
    return under_way, next((one for one in jobs if one.done), None)


def board_of(site: Site, project: str, others: list[str]) -> PreLabelBoard:
    """The page, with models of other projects that the user may use."""
    return pre_label_board(
        site.store, project, others=others, networks=networks_of(site), blobs=site.blobs
    )


def networks_of(site: Site) -> Path | None:
    """Folder of the networks of all projects; None where the server has no home."""
    return None if site.key_folder is None else site.key_folder / "networks"


def refuse_second(site: Site, project: str) -> None:
    """Refuse what would begin while something is under way.

    Raises:
        InputError: so it is.
    """
    if standing(site, project)[0] is not None:
        remedy = "Wait for the one under way, or stop it."
        raise InputError("pre-labels", "be brought one after the other", "a second", remedy=remedy)


def _begun(
    site: Site, project: str, words: str, work: Callable[[Job], str], *, total: int = 0,
    stays: bool = False,
) -> Job:  # fmt: skip
    refuse_second(site, project)
    what = {"words": words, TOTAL: str(total)} | ({STAYS: "yes"} if stays else {})

    def done(job: Job) -> None:
        job.what[OUTCOME] = work(job)
        # Drawings are asked for by the doubt of pre-labels.
        site.learnings.wake(site.store, project)

    return site.jobs.start_export(project, done, key=str(uuid4()), what=what, kind=KIND)


def _told(kept: Kept) -> str:
    cases = f"{kept.cases:,} {'case has' if kept.cases == 1 else 'cases have'} a pre-label of it."
    if not kept.strange:
        return cases
    return f"{cases} {kept.strange:,} named in the file are no cases of this project."


def _cases(site: Site, project: str) -> int:
    return pre_label_board(site.store, project).cases


# in the child: functions of a module, what they take can go by a pipe


def _file(store: Store, project: str, folder: Path, sent: Sent, by: str, tick: Tick) -> Kept:  # noqa: PLR0917
    question = protocol_of(store, project).protocol.question(sent.question)
    named = read_proposals(proposals_at(folder), question, reader=sent.reader)
    tick("cases read", len(named))
    return bring_pre_labels(store, project, named, model=sent.model, version=sent.version, by=by)


def _own(store: Store, project: str, by: str, _tick: Tick) -> Kept:
    return bring_predicted(store, project, by=by)


def _earlier(  # noqa: PLR0917
    store: Store, blobs: Blobs, project: str, model: Earlier, networks: Path, by: str, tick: Tick
) -> Kept:
    return bring_earlier(store, blobs, project, model, networks, by=by, tick=tick)


def _brought(  # noqa: PLR0917
    store: Store, blobs: Blobs, project: str, model: str, by: str, tick: Tick
) -> Ran:
    return run_model(store, blobs, project, model, by=by, tick=tick)


def _hints(store: Store, blobs: Blobs, project: str, _by: str, tick: Tick) -> int:
    seen = 0

    def told(done: int) -> None:
        nonlocal seen
        tick("images", done - seen)
        seen = done

    return find_hints(store, blobs, project, tick=told)


def _train(  # noqa: PLR0917
    store: Store, blobs: Blobs, project: str, question: str, folder: Path, steps: int, by: str,
    tick: Tick,
) -> Any:  # fmt: skip
    return train_pre_label(
        store, blobs, project, question, folder, steps=steps, by=by,
        tick=lambda _done, _of, _loss: tick("steps", 1),
        proposed=lambda _done: tick("cases looked at", 1),
    )  # fmt: skip
