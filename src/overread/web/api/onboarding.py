"""Before somebody may read: where they stand, their dry run, disputes about gold."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from overread.app.quality import dry_run, onboarding
from overread.app.study.submit_read import Work
from overread.web.api.around import At, Who
from overread.web.api.cases import case_value
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_onboarding import DisputeIn, DryRunIn, TrialIn


def standing(project: Id, site: At, who: Who) -> Response:
    """Where I stand before I may read."""
    found = onboarding.standing_for(site.store, project, who.id, role=who.role)
    return json_reply(standing_value(found))


def next_case(project: Id, body: DryRunIn, site: At, who: Who) -> Response:
    """The next case of my dry run, without its answer."""
    trial, stands = dry_run.next_case(site.store, project, who.id, begin=body.begin)
    shown = None if trial is None else _trial_value(trial)
    return json_reply({"trial": shown, "onboarding": standing_value(stands)})


def answer(trial: Id, body: TrialIn, site: At, who: Who) -> Response:
    """My answer to a case of a dry run, given once; the right one comes back."""
    found = dry_run.answer(
        site.store,
        trial,
        who.id,
        read_id=body.read_id,
        work=Work(body.answer, body.flags.model_dump(), body.comment, body.seconds),
        protocol_version=body.protocol_version,
    )
    marks = [{"prompt": m.prompt, "words": m.words, "right": m.right} for m in found.lines]
    return json_reply(
        {
            "trial": found.trial,
            "right": found.right,
            "marks": marks,
            "atlas": list(found.atlas),
            "onboarding": standing_value(found.standing),
        }
    )


def dispute(trial: Id, body: DisputeIn, site: At, who: Who) -> Response:
    """Say that the right answer is not right; a senior decides, blind."""
    dry_run.dispute(site.store, trial, who.id, body.words)
    return json_reply({})


def standing_value(of: onboarding.Standing) -> dict[str, Any]:
    """A standing as JSON."""
    plain = ("demanded", "qualified", "title", "words", "action", "done", "cases", "runs_left")
    return {name: getattr(of, name) for name in plain} | {"misfits": list(of.misfits)}


def _trial_value(trial: dry_run.TrialTask) -> dict[str, Any]:
    plain = ("id", "project", "run", "number", "cases", "protocol_version")
    return {name: getattr(trial, name) for name in plain} | {"case": case_value(trial.case)}
