"""From a blind audit to a signed certificate, or to a refusal that says what would be needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overread.app.analysis.set_labels import names_in
from overread.app.learning.blind_audit import (
    MANY_LOOKS,
    Population,
    asked_classes,
    audit_in,
    classes_of,
    counted,
    labels_hash,
    population,
    said,
)
from overread.app.learning.send_to_readers import send_to_readers
from overread.app.learning.signing import signed
from overread.app.study.project_protocol import protocol_of
from overread.app.study.software import software
from overread.arrays import Bools
from overread.errors import InputError
from overread.labels import Kind
from overread.selection.certificate.certify import Certificate, audit_order, certify
from overread.selection.certificate.sets import certify_sets
from overread.store import Store, get_project, head
from overread.store.learning.audits import (
    AuditRow,
    cases_of_audit,
    end_audit,
    heard,
)
from overread.store.learning.auto_labels import RunRow, get_run


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
    kind = protocol_of(store, project).protocol.question(run.question).kind
    counts = done if many else done[: int(row.settings["planned"])]
    found = _certified(kind, row, run, of, {case: said(told[case], run) for case in counts})
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
    if question is None or list(question.names) != classes or classes != asked_classes(run):
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
    kind: Kind, audit: AuditRow, run: RunRow, of: Population, heard_of: Mapping[str, str | None]
) -> Certificate:
    names = classes_of(run, of.rows)
    order = audit_order(of.frozen, seed=int(audit.settings["seed"]))
    about: dict[str, Any] = {
        "target": float(audit.settings["target"]),
        "confidence": float(audit.settings["confidence"]),
        "anytime": audit.settings["mode"] == MANY_LOOKS,
    }
    place = {one.case: at for at, one in enumerate(of.rows)}
    said_at = {place[case]: one for case, one in heard_of.items()}
    if findings := run.settings.get("findings"):
        sets = np.array([_holds(one, findings) for one in names], dtype=np.bool_)
        found = {at: None if one is None else _holds(one, findings) for at, one in said_at.items()}
        return certify_sets(of.frozen, sets, found, order, class_names=tuple(findings), **about)
    code = {name: at for at, name in enumerate(names)}
    codes = {at: None if one is None else code.get(one, -1) for at, one in said_at.items()}
    grades = kind is Kind.ORDINAL
    return certify(of.frozen, codes, order, class_names=tuple(names), grades=grades, **about)


def _holds(text: str, findings: Sequence[str]) -> Bools:
    there = names_in(text)
    return np.array([one in there for one in findings], dtype=np.bool_)


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
        "question": {
            "id": question.id,
            "prompt": question.prompt,
            "kind": str(question.kind),
            "classes": list(question.names),
        },
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
