"""Pre-labels: what a reader asks for, and what a lead brings."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from fastapi import Response

from overread.app.learning import pre_label
from overread.app.learning.pre_label_import import Named, bring_pre_labels
from overread.app.study.project_protocol import protocol_of
from overread.web.anchorings import anchoring_now
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import Id
from overread.web.schemas_pre_label import AskIn, PreLabelsIn


def ask(task: Id, body: AskIn, site: At, who: Who) -> Response:
    """Be shown the pre-label of my task, where the protocol lets me; it is logged."""
    found = pre_label.ask_pre_label(site.store, task, who.id, marked=body.marked)
    if found is None:
        return json_reply({"answer": None, "by": []})
    return json_reply({"answer": found.answer, "by": list(found.by)})


def hints(task: Id, body: AskIn, site: At, who: Who) -> Response:
    """Be shown places of my case that stand out, where the protocol lets me; it is logged."""
    found = pre_label.ask_hints(site.store, task, who.id, marked=body.marked)
    return json_reply({"hints": [dict(one) for one in found]})


def bring(project: Id, body: PreLabelsIn, site: At, who: Who) -> Response:
    """Bring what a model proposes, for cases by name or id; all of it or nothing."""
    named = [Named(one.case, one.answer, one.confidence) for one in body.proposals]
    about = {"model": body.model, "version": body.version}
    kept = bring_pre_labels(site.store, project, named, **about, by=who.id)
    return json_reply({"cases": kept.cases, "strange": kept.strange}, 201)


def pre_labels(project: Id, site: At) -> Response:
    """Which models have proposed what, and how far it and hints draw readers."""
    protocol = protocol_of(site.store, project).protocol
    known = anchoring_now(site.anchorings, site.store, project)
    told = [] if known is None else known.told(protocol)
    hints = [] if known is None else known.told_of_hints(protocol)
    return json_reply(
        {
            "show": protocol.pre_label.show,
            "keep_hidden": protocol.pre_label.keep_hidden,
            "looked": known is not None and known.until > 0,
            "models": [] if known is None else [asdict(one) for one in known.models],
            "anchoring": [_plain(asdict(one)) for one in told],
            "hints": [_plain(asdict(one)) for one in hints],
        }
    )


def _plain(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
