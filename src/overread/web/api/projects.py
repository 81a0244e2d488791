"""Projects as readers see them: what is asked, how far I am."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Response

from overread.app.learning.board import left_of_reader
from overread.app.quality import feedback
from overread.app.study import next_tasks, project_overview, project_protocol
from overread.app.study.before_sending import asked_of
from overread.protocol import AtlasEntry, Protocol, ProtocolError
from overread.web.api.around import At, Who
from overread.web.api.cases import case_value
from overread.web.rendering import markdown
from overread.web.replies import error_reply, json_reply
from overread.web.schemas import Before, Claim, Id, Limit
from overread.web.schemas_lead import ProjectIn


def projects(site: At, who: Who) -> Response:
    """My projects: those I read, with my own numbers; leads see all."""
    found = project_overview.projects_of(site.store, who.id, role=who.role)
    return json_reply(
        [
            {
                "id": one.id,
                "name": one.name,
                "kinds": one.kinds,
                "done": one.done,
                "total": one.total,
            }
            for one in found
        ]
    )


def create(body: ProjectIn, site: At, who: Who) -> Response:
    """Make a project from a protocol file; every fault of the file is told with its line."""
    try:
        made = project_protocol.new_project(site.store, body.name, body.protocol, by=who.id)
    except ProtocolError as error:
        problems = [asdict(one) for one in error.problems]
        words = (error.name, error.rule, error.got, error.remedy)
        return error_reply(422, *words, problems=problems)
    return json_reply({"id": made}, 201)


def protocol(project: Id, site: At, who: Who) -> Response:
    """The protocol, its guideline as HTML without scripts, and its atlas."""
    found = project_protocol.protocol_for(site.store, project, who.id, role=who.role)
    return json_reply(protocol_value(project, found.version, found.protocol))


def progress(project: Id, site: At, who: Who) -> Response:
    """My progress."""
    found = next_tasks.progress(site.store, project, who.id, role=who.role)
    paused = next_tasks.why_paused(site.store, project, who.id)
    loop = site.learnings.known(project)
    left = left_of_reader(site.store, project, loop, done=found.done, total=found.total)
    pace = found.median_seconds
    return json_reply(
        {
            "done": found.done,
            "total": left.total,
            "about": left.about,
            "median_seconds": pace,
            "left_seconds": None if pace is None else pace * (left.total - found.done),
            "paused": paused,
            "feedback": feedback.waits_for(site.store, project, who.id) if paused else 0,
        }
    )


def claim(project: Id, body: Claim, site: At, who: Who) -> Response:
    """My next tasks, leased to me; those that I hold already come first."""
    found = next_tasks.next_tasks(site.store, project, who.id, count=body.count)
    site.learnings.after_read(site.store, project)
    return json_reply({"tasks": [task_value(one) for one in found]})


def mine(
    project: Id, site: At, who: Who, before: Before | None = None, limit: Limit = 20
) -> Response:
    """My last reads, the newest first."""
    found = next_tasks.own_reads(
        site.store, project, who.id, role=who.role, before=before, limit=limit
    )
    return json_reply(
        [
            {
                "read_id": one.read_id,
                "event": one.event,
                "task": one.task,
                "case": case_value(one.case),
                "revision": one.revision,
                "answer": one.answer,
                "flags": one.flags,
                "comment": one.comment,
                "submitted": one.submitted,
            }
            for one in found
        ]
    )


def task_value(task: next_tasks.ReaderTask) -> dict[str, Any]:
    """A task as JSON."""
    return {
        "id": task.id,
        "project": task.project,
        "lease_expires": task.lease_expires,
        "protocol_version": task.protocol_version,
        "case": case_value(task.case),
        "draft": task.draft,
        "revision": task.revision,
        "asked": task.asked,
    }


def protocol_value(project: str, version: int, protocol: Protocol) -> dict[str, Any]:
    """A protocol as JSON."""
    return {
        "version": version,
        "title": protocol.title,
        "questions": [
            {
                "id": one.id,
                "prompt": one.prompt,
                "kind": str(one.kind),
                "classes": [
                    {"name": each.name, "code": each.code, "key": each.key, "colour": each.colour}
                    for each in one.classes
                ],
                "low": one.low,
                "high": one.high,
                "required": one.required,
            }
            for one in protocol.questions
        ],
        "guideline_html": str(markdown(protocol.guideline)),
        "atlas": [_atlas_value(project, one) for one in protocol.atlas],
        "looked_at": list(asked_of(protocol)),
        "pre_label": protocol.pre_label.show,
        "hints": protocol.pre_label.hints,
    }


def _atlas_value(project: str, one: AtlasEntry) -> dict[str, Any]:
    return {
        "id": one.id,
        "class": one.class_name,
        "do": one.do,
        "why": one.why,
        "image_url": f"/api/projects/{project}/atlas/{one.id}/image",
        "drawing": None if one.drawing is None else dict(one.drawing),
    }
