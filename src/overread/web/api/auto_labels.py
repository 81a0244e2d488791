"""Auto-labels: the film strip, what reviewers say, and certificates."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from overread.app.learning import film_strip, signing
from overread.app.learning.auto_label_board import board
from overread.app.quality import adjudicate
from overread.store import Store
from overread.store.errors import NotFoundError
from overread.store.learning.audits import get_label_certificate
from overread.store.learning.auto_labels import OPEN, REFUSED, RunRow, standing_run
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_auto_labels import RestIn, ReviewIn

_CLASS = Annotated[int, Query(ge=0, le=10_000, description="Number of the class, from 0.")]
_MOST = Annotated[int, Query(ge=1, le=film_strip.MOST)]


def run_of_strip(store: Store, project: str) -> RunRow:
    """The auto-labels that can be reviewed.

    Raises:
        NotFoundError: there are none.
    """
    run = standing_run(store, project)
    if run is None:
        raise NotFoundError("auto-labels of project", project)
    return run


def strip(project: Id, site: At, who: Who, label: _CLASS = 0, limit: _MOST = 200) -> Response:
    """Labels of a class that nobody looked at, most doubtful first."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    run = run_of_strip(site.store, project)
    classes = run.settings["classes"]
    if label >= len(classes):
        raise NotFoundError("class", label)
    frames = film_strip.strip(site.store, run, classes[label], limit=limit)
    told = {
        "run": run.id,
        "label": classes[label],
        "classes": classes,
        "left": film_strip.left_of(site.store, run, classes[label]),
        "frozen": run.state not in {OPEN, REFUSED},
        "frames": [
            {
                "case": one.case,
                "name": one.name,
                "label": one.label,
                "probability": one.probability,
                "thumbnail_url": f"/api/cases/{one.case}/thumbnail",
                "picture_url": f"/api/cases/{one.case}/pictures/{one.middle}",
            }
            for one in frames
        ],
    }
    return json_reply(told)


def review(project: Id, body: ReviewIn, site: At, who: Who) -> Response:
    """What I say of some labels, all of it or nothing."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    run = film_strip.run_in(site.store, project, body.run)
    words = [film_strip.Word(one.case, one.label) for one in body.words]
    changed = film_strip.say(site.store, run, words, seconds=body.seconds, by=who.id)
    return json_reply({"changed": changed})


def accept_rest(project: Id, body: RestIn, site: At, who: Who) -> Response:
    """Accept the rest of a class; refused where they are more or fewer than was said."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    run = film_strip.run_in(site.store, project, body.run)
    changed = film_strip.accept_all(site.store, run, body.label, body.count, body.seconds, who.id)
    return json_reply({"changed": changed})


def certificates(project: Id, site: At) -> Response:
    """Certificates of this project's auto-labels."""
    found = board(site.store, project)
    rows = [
        {"id": one.id, "made": one.made, "words": one.words, "stands": one.stands}
        for one in found.papers
    ]
    own = None if site.key_folder is None else signing.own_fingerprint(site.key_folder)
    return json_reply({"certificates": rows, "fingerprint": own})


def certificate(project: Id, certificate: Id, site: At) -> Response:
    """The signed document, as ``overread verify`` takes it."""
    found = get_label_certificate(site.store, project, certificate)
    kept = {"content-disposition": f'attachment; filename="certificate-{found.id[:8]}.json"'}
    return Response(found.document, headers=kept, media_type="application/json")
