"""Protocol versions for leads by a program: what a text would change, saving, ruling, the proof."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from fastapi import Response

from overread.app.quality import requalify
from overread.app.study import conformity, project_overview, project_protocol, protocol_change
from overread.errors import InputError
from overread.protocol import ProtocolError, read_protocol
from overread.store.quality.stale import Ruling
from overread.web.api.around import At, Who
from overread.web.replies import error_reply, json_reply
from overread.web.schemas import Id
from overread.web.schemas_quality import ProtocolIn, RulingIn, VersionIn, VersionNumber


def effect(project: Id, body: ProtocolIn, site: At) -> Response:
    """What a protocol file would change, and how many labels of each class there are."""
    now = project_protocol.protocol_of(site.store, project)
    try:
        new = read_protocol(body.protocol)
    except ProtocolError as error:
        return _faulty(error)
    found = protocol_change.effect(site.store, project, new, version=now.version + 1)
    return json_reply(effect_value(found, now.version))


def _faulty(error: ProtocolError) -> Response:
    problems = [asdict(one) for one in error.problems]
    words = (error.name, error.rule, error.got, error.remedy)
    return error_reply(422, *words, problems=problems)


def save(project: Id, body: VersionIn, site: At, who: Who) -> Response:
    """Save the next version, and say what it means for the labels before it."""
    now = project_protocol.protocol_of(site.store, project)
    try:
        new = read_protocol(body.protocol)
    except ProtocolError as error:
        return _faulty(error)
    found = protocol_change.effect(site.store, project, new, version=now.version + 1)
    said = None if body.ruling is None else ruling_of(body.ruling, now.version + 1)
    if found.asks and said is None:
        rule = "say what happens to the labels made before"
        raise InputError("ruling", rule, "nothing", remedy="Ask for the changes first.")
    if said is not None and found.asks:
        protocol_change.check_ruling(said)
    made = project_protocol.new_version(
        site.store, project, body.protocol, base=body.base, by=who.id
    )
    planned = 0
    if said is not None and found.asks:
        ruling = replace(said, version=made)
        planned = protocol_change.rule(site.store, project, ruling, by=who.id)
    requalify.after_change(site.store, project, by=who.id)
    return json_reply({"version": made, "planned": planned}, 201)


def rule(project: Id, version: VersionNumber, body: RulingIn, site: At, who: Who) -> Response:
    """Say what a version that stands means for the labels before it."""
    said = ruling_of(body, version)
    protocol_change.check_ruling(said)
    planned = protocol_change.rule(site.store, project, said, by=who.id)
    return json_reply({"version": version, "planned": planned})


def proof(project: Id, site: At) -> Response:
    """How many exported labels conform to the newest version, and which do not.

    Of a large project it is worked out beside the requests; until then it is not ready.
    """
    project_overview.named(site.store, project)
    model = site.models.of(site.store, project)
    kept = conformity.conformity_now(site.store, project, model.conformity if model else None)
    version = project_protocol.protocol_of(site.store, project).version
    found = kept or conformity.Conformity(version, 0, 0)
    told = found.document() | {
        "ready": kept is not None and kept.version == version,
        "unruled": list(found.unruled),
        "first": [asdict(one) for one in found.first],
    }
    return json_reply(told)


def ruling_of(body: RulingIn, version: int) -> Ruling:
    """A ruling as it came."""
    return Ruling(
        version, body.choice, body.reason, body.touched, body.until_replaced, body.readers
    )


def effect_value(found: protocol_change.Effect, base: int) -> dict[str, Any]:
    """What would change, as JSON."""
    return {
        "base": base,
        "reads": found.reads,
        "asks": found.asks,
        "differences": [asdict(one) for one in found.differences],
        "questions": [
            {
                "question": one.question,
                "classes": [
                    {"name": row.name, "labels": row.labels, "touched": row.ticked}
                    for row in one.rows
                ],
            }
            for one in found.questions
        ],
    }
