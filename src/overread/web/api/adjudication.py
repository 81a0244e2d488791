"""Adjudication for seniors: what waits, one case without names, the decision."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from overread.app.quality import adjudicate, adjudication_queue
from overread.store.errors import NotFoundError
from overread.store.quality.adjudications import project_of_adjudication
from overread.web.access.sessions import Signed
from overread.web.api.around import At, Who
from overread.web.api.cases import case_value
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_quality import DecisionIn, OpenIn, SendBackIn
from overread.web.site import Site


def waiting(project: Id, site: At, who: Who) -> Response:
    """What waits for a decision of mine."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    return json_reply(queue_value(_queue(site, project, who)))


def open_(project: Id, body: OpenIn, site: At, who: Who) -> Response:
    """Open a case, or the first that waits; what I have open already comes as it was."""
    adjudicate.require_senior(site.store, project, who.id, role=who.role)
    case = body.case
    if case is None:
        first = next(iter(_queue(site, project, who).waiting), None)
        if first is None:
            raise NotFoundError("case", "that waits")
        case = first.case
    _of_project(site, project, case)
    return json_reply(opened_value(adjudicate.open_case(site.store, case, who.id)))


def adjudication(adjudication: Id, site: At, who: Who) -> Response:
    """A case that I opened."""
    _allowed(site, adjudication, who)
    return json_reply(opened_value(adjudicate.opened(site.store, adjudication, who.id)))


def decide(adjudication: Id, body: DecisionIn, site: At, who: Who) -> Response:
    """My decision: the reference standard of the case."""
    _allowed(site, adjudication, who)
    said = adjudicate.Decision(
        body.reason, body.pick, body.answer, body.cannot_be_read, body.seconds
    )
    adjudicate.decide(site.store, adjudication, who.id, said)
    return json_reply({})


def send_back(adjudication: Id, body: SendBackIn, site: At, who: Who) -> Response:
    """A question to the readers of the case, who read it again."""
    _allowed(site, adjudication, who)
    asked = adjudicate.send_back(
        site.store, adjudication, who.id, words=body.question, seconds=body.seconds
    )
    return json_reply({"asked": asked})


def _queue(site: Site, project: str, who: Signed) -> adjudication_queue.Queue:
    model = site.models.of(site.store, project)
    return adjudication_queue.queue(site.store, project, who.id, model)


def _allowed(site: Site, adjudication: str, who: Signed) -> None:
    project = project_of_adjudication(site.store, adjudication)
    adjudicate.require_senior(site.store, project, who.id, role=who.role)


def _of_project(site: Site, project: str, case: str) -> None:
    if adjudicate.project_of_case(site.store, case) != project:
        raise NotFoundError("case", case)


def queue_value(found: adjudication_queue.Queue) -> dict[str, Any]:
    """The queue as JSON."""
    rows = [
        {
            "case": one.case,
            "name": one.name,
            "why": list(one.why),
            "entropy": one.entropy,
            "weight": one.weight,
            "answered": one.answered,
            "thumbnail_url": f"/api/cases/{one.case}/thumbnail",
        }
        for one in found.waiting
    ]
    counts = {name: getattr(found, name) for name in ("count", "own", "sent_back", "decided")}
    return {"waiting": rows, **counts, "ready": found.ready}


def opened_value(found: adjudicate.Opened) -> dict[str, Any]:
    """A case under adjudication as JSON."""
    return {
        "id": found.id,
        "project": found.case.project,
        "case": case_value(found.case),
        "protocol_version": found.protocol_version,
        "reads": [
            {
                "letter": one.letter,
                "answer": one.answer,
                "flags": one.flags,
                "comment": one.comment,
            }
            for one in found.reads
        ],
        "why": list(found.why),
        "asked": list(found.asked),
        "returnable": found.returnable,
    }
