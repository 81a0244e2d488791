"""From a blind audit to a signed certificate, or to a refusal that says what would be needed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overread.app.learning.blind_audit import (
    MANY_LOOKS,
    Population,
    audit_in,
    counted,
    labels_hash,
    population,
    said,
)
from overread.app.learning.send_to_readers import send_to_readers
from overread.app.learning.signing import signed
from overread.app.study.project_protocol import protocol_of
from overread.app.study.software import software
from overread.errors import InputError
from overread.selection.certificate.certify import Certificate, audit_order, certify
from overread.store import Store, get_project, head
from overread.store.audits import (
    AuditRow,
    Heard,
    cases_of_audit,
    end_audit,
    heard,
)
from overread.store.auto_labels import RunRow, get_run


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of an audit.

    Args:
        certificate: id of the one that was issued; None where none was.
        over: the audit has ended; one of many looks can go on after a refusal.
        words: the statement, or the refusal and what to do.
    """

    certificate: str | None
    over: bool
    words: str


def decide(store: Store, project: str, audit: str, *, keys: Path, by: str) -> Decided:
    """Issue the certificate of an audit, or refuse it.

    Args:
        keys: folder of the home, whose key signs.
    Raises:
        InputError: it was planned for one look, and not all of its cases are read.
        ConflictError: it is over.
    """
    row = audit_in(store, project, audit)
    run = get_run(store, row.run)
    asked, told = cases_of_audit(store, audit), heard(store, audit)
    done = counted(asked, told)
    void = _void(store, row, run)
    if void:
        end_audit(store, audit, "refused", void, by, audited=sorted(told))
        return Decided(None, over=True, words=void)
    _require_end(row, len(done))
    of = population(store, run, int(row.settings["as_of"]))
    many = row.settings["mode"] == MANY_LOOKS
    found = _certified(row, run, of, done if many else done[: int(row.settings["planned"])], told)
    if found.granted:
        payload = _payload(store, row, run, of, found)
        text = json.dumps(signed(payload, keys), sort_keys=True, separators=(",", ":"))
        key = end_audit(
            store, audit, "certified", found.words, by, audited=sorted(told), document=text
        )
        certified = certified_labels(of, found.tier)
        rest = [one.case for one in of.standing if one.case not in certified]
        send_to_readers(store, project, rest, by=by)
        return Decided(key, over=True, words=found.words)
    if not many:
        end_audit(store, audit, "refused", found.words, by, audited=sorted(told))
    return Decided(None, over=not many, words=found.words)


def _void(store: Store, audit: AuditRow, run: RunRow) -> str:
    """Why an audit says nothing any more; "" where it does."""
    question = {one.id: one for one in protocol_of(store, run.project).protocol.questions}.get(
        run.question
    )
    classes = list(audit.settings["classes"])
    if question is None or list(question.names) != classes or classes != run.settings["classes"]:
        return (
            "Not certified: the classes of the question were changed after the freeze, so that the "
            "audited labels are not those of now. Let the model learn anew, freeze and audit anew."
        )
    of = population(store, run, int(audit.settings["as_of"]))
    if of.digest != audit.frozen:
        return (
            "Not certified: the labels or their thresholds are not those that were frozen before "
            "the audit. Freeze anew and audit anew."
        )
    return ""


def _require_end(audit: AuditRow, done: int) -> None:
    planned = int(audit.settings["planned"])
    if audit.settings["mode"] == MANY_LOOKS:
        if not done:
            raise InputError("the audit", "have a case that was read", "none")
        return
    if done < planned:
        remedy = (
            "Its bound holds at the planned size alone. Let the rest be read; next time plan an "
            "audit of many looks, which may be stopped early."
        )
        rule = f"be read to its planned end, {planned:,} cases"
        raise InputError("the audit", rule, f"{done:,}", remedy=remedy)


def _certified(
    audit: AuditRow, run: RunRow, of: Population, done: list[str], told: dict[str, Heard]
) -> Certificate:
    classes = tuple(run.settings["classes"])
    code = {name: at for at, name in enumerate(classes)}
    place = {one.case: at for at, one in enumerate(of.rows)}
    heard_codes: dict[int, int | None] = {}
    for case in done:
        answer = said(told[case], run.question)
        heard_codes[place[case]] = None if answer is None else code.get(answer, -1)
    return certify(
        of.frozen,
        heard_codes,
        audit_order(of.frozen, seed=int(audit.settings["seed"])),
        target=float(audit.settings["target"]),
        class_names=classes,
        confidence=float(audit.settings["confidence"]),
        anytime=audit.settings["mode"] == MANY_LOOKS,
    )


def certified_labels(of: Population, tier: int) -> dict[str, str]:
    """Case -> label, of all that a certificate of this tier is about."""
    steps = of.frozen.tier.tolist()
    return {
        one.case: one.label for one, step in zip(of.rows, steps, strict=True) if 0 <= step <= tier
    }


def _payload(
    store: Store, audit: AuditRow, run: RunRow, of: Population, found: Certificate
) -> dict[str, Any]:
    row, last = get_project(store, run.project), head(store)
    text = protocol_of(store, run.project)
    question = text.protocol.question(run.question)
    labels = certified_labels(of, found.tier)
    return found.to_value() | {
        "id": store.new_id(),
        "project": {"id": row.id, "name": row.name},
        "question": {"id": question.id, "prompt": question.prompt, "classes": list(question.names)},
        "made": store.now(),
        "model": run.model,
        "auto_labels": {
            "run": run.id,
            "number": run.number,
            "made": run.made,
            "protocol_version": run.protocol_version,
            "reviewed": sum(bool(one.who) for one in of.standing),
            "sha256": labels_hash(labels),
        },
        "audit_record": {
            "id": audit.id,
            "number": audit.number,
            "earlier": audit.settings["earlier"],
            "begun": audit.begun,
            "mode": audit.settings["mode"],
            "planned": audit.settings["planned"],
            "seed": audit.settings["seed"],
            "frozen": audit.frozen,
            "as_of": audit.settings["as_of"],
            "event": audit.event,
        },
        "protocol": {
            "version": text.version,
            "sha256": hashlib.sha256(text.text.encode()).hexdigest(),
        },
        "log": {"events": last.n, "head": last.hash},
        "software": software(),
    }
