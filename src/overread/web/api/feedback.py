"""Re-alignment: what a reader is shown again after an alarm about them."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from overread.app.quality import feedback
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import Id


def mine(project: Id, site: At, who: Who) -> Response:
    """My worst cases beside what the others say together, where they are let out."""
    found = feedback.feedback_of(site.store, project, who.id, role=who.role)
    return json_reply(
        {
            "words": found.words,
            "question": found.question.id if found.question else "",
            "cases": [case_value(one) for one in found.cases],
            "left": found.left,
            "atlas": [one.id for one in found.atlas],
            "guideline": found.guideline,
        }
    )


def seen(project: Id, case: Id, site: At, who: Who) -> Response:
    """Say that I have seen a case; the log keeps it."""
    feedback.seen(site.store, project, case, who.id, role=who.role)
    return json_reply({})


def case_value(one: feedback.Shown) -> dict[str, Any]:
    """A case as JSON."""
    return {
        "case": one.case,
        **{key: one.image[key] for key in ("rows", "columns", "frames")},
        "frame": one.frame,
        "mine": one.mine,
        "others": one.others,
        "count": one.count,
        "words": one.words,
        "seen": one.seen,
    }
