"""Label rules over a project: asked, watched, told."""

from __future__ import annotations

from fastapi import Response

from overread.store.errors import NotFoundError
from overread.store.quality.advice import count_advice
from overread.web.api.around import At, Who
from overread.web.label_rules import (
    begin_label_check,
    found_by,
    label_check_called,
    label_checks,
)
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_rules import LabelCheckIn


def begin(project: Id, body: LabelCheckIn, site: At, who: Who) -> Response:
    """Ask all label rules over the reads that count; the same ``check_id`` is the same check."""
    job = begin_label_check(site, project, body.check_id, by=who.id)
    return json_reply(job.told(), 202)


def checks(project: Id, site: At) -> Response:
    """The last check in a sentence, and the one under way; how often hints were followed."""
    found = label_checks(site, project)
    row = found.latest
    latest = None if row is None else {"id": row.id, "made": row.made, "words": row.words}
    told = [
        {"rule": one.rule, "shown": one.shown, "followed": one.followed, "reads": one.reads}
        for one in count_advice(site.store, project)
    ]
    under_way = None if found.under_way is None else found.under_way.told()
    value = {"latest": latest, "under_way": under_way, "failed": found.failed or None}
    return json_reply({**value, "before_sending": told})


def found(project: Id, site: At) -> Response:
    """What the last check found: by question reads, balance of classes, and hints by rule."""
    latest = label_checks(site, project).latest
    if latest is None:
        raise NotFoundError("label check", "yet")
    return json_reply({"id": latest.id, "made": latest.made, "found": found_by(site, latest)})


def stop(project: Id, check: Id, site: At) -> Response:
    """Stop a check that is under way; the one before it is kept."""
    job = label_check_called(site, project, check)
    job.stop.set()
    return json_reply(job.told())
