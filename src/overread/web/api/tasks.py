"""A reader's work on one task: lease, draft, submission."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from overread.app.study import next_tasks, submit_read
from overread.store.errors import ConflictError
from overread.store.quality.advice import Advice, keep_advice
from overread.web.api.around import At, Who
from overread.web.replies import error_reply, json_reply
from overread.web.schemas import DraftIn, Id, Skip, SubmitIn
from overread.web.schemas_check import CheckIn


def heartbeat(task: Id, site: At, who: Who) -> Response:
    """Keep the lease."""
    return json_reply({"lease_expires": next_tasks.keep_lease(site.store, task, who.id)})


def release(task: Id, site: At, who: Who) -> Response:
    """Give the case back; the draft is kept."""
    next_tasks.give_back(site.store, task, who.id)
    return json_reply({})


def skip(task: Id, body: Skip, site: At, who: Who) -> Response:
    """Skip the case, with a reason."""
    next_tasks.skip(site.store, task, who.id, reason=body.reason)
    return json_reply({})


def draft(task: Id, body: DraftIn, site: At, who: Who) -> Response:
    """Keep a draft; 409 with the newer one where it builds on an old version."""
    work = submit_read.Work(body.answer, body.flags.model_dump(), body.comment, body.seconds)
    try:
        version = submit_read.save_draft(site.store, task, who.id, version=body.version, work=work)
    except ConflictError as error:
        current = next_tasks.draft_of(site.store, task, who.id)
        return error_reply(409, error.what, error.rule, body.version, current=current)
    return json_reply({"version": version})


def check(task: Id, body: CheckIn, site: At, who: Who) -> Response:
    """Look at an answer before it is sent; within half a second, or not at all."""
    hints = site.checks.told(
        site.store,
        site.blobs,
        task,
        who.id,
        answer=body.answer,
        protocol_version=body.protocol_version,
    )
    found = [asdict(one) for one in hints or ()]
    return json_reply({"looked": hints is not None, "hints": found})


def submit(task: Id, body: SubmitIn, site: At, who: Who) -> Response:
    """Submit a read, or a correction of it; sent twice it is kept once."""
    work = submit_read.Work(body.answer, body.flags.model_dump(), body.comment, body.seconds)
    try:
        receipt = submit_read.submit_read(
            site.store,
            task,
            who.id,
            read_id=body.read_id,
            base_revision=body.base_revision,
            work=work,
            protocol_version=body.protocol_version,
        )
    except ConflictError as error:
        current = submit_read.latest(site.store, task, who.id)
        return error_reply(409, error.what, error.rule, body.base_revision, current=current)
    advice = [Advice(**one.model_dump()) for one in body.advice]
    keep_advice(site.store, receipt.read_id, who.id, advice)
    site.watches.wake(site.store, receipt.project)
    site.demands.wake(site.store, receipt.project)
    site.learnings.after_read(site.store, receipt.project)
    return json_reply(
        {"read_id": receipt.read_id, "revision": receipt.revision, "surplus": receipt.surplus}
    )
