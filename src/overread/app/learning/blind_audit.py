"""The blind audit: labels frozen, cases drawn by lot, read through the ordinary page, counted.

What decides (target, confidence, size, one look or many, the seed of the draw) is written into
the log before the first case is read. The draw is counted in its order: a case that somebody is
slow with holds up those behind it, and is never left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from overread.app.analysis.set_labels import set_text
from overread.app.learning.freeze_labels import (
    Offer,
    confidence_of_next,
    offer_of,
    require_question,
    tries,
    wager_of,
)
from overread.app.learning.send_to_readers import learns, rest_of_loop, send_to_readers
from overread.app.study.project_readers import who_reads
from overread.arrays import Ints
from overread.errors import InputError
from overread.selection.certificate.betting import anytime_upper
from overread.selection.certificate.certify import audit_order
from overread.selection.certificate.freeze import Frozen
from overread.store import Store, head
from overread.store.errors import NotFoundError
from overread.store.learning.audits import (
    GIVEN_UP,
    RUNNING,
    AuditRow,
    Heard,
    begin_audit,
    cases_of_audit,
    end_audit,
    get_audit,
    heard,
    list_audits,
    prolong_audit,
)
from overread.store.learning.auto_labels import (
    LabelRow,
    RunRow,
    get_run,
    labels_unread_at,
    review_seconds,
    tier_of,
)

ONE_LOOK, MANY_LOOKS = "one look", "many looks"


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The labels that a certificate would be about.

    Args:
        rows: of the store, cases that were read before left out.
        frozen: the same for the bounds: what somebody reviewed stands, whatever its threshold.
        digest: of cases, labels, which of them stand, and thresholds.
    """

    rows: tuple[LabelRow, ...]
    frozen: Frozen
    digest: str

    @property
    def standing(self) -> list[LabelRow]:
        """Those whose label stands."""
        return [one for one, tier in zip(self.rows, self.frozen.tier, strict=True) if tier >= 0]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How far an audit is.

    Args:
        asked: cases that readers were asked for; read: of them; counted: in the order of the draw.
        errors: among those counted.
        trail: upper bound on the share of errors after each, valid however often one looks.
        planned: size that was decided before.
        ready: a certificate can be decided on now.
    """

    audit: AuditRow
    asked: int
    read: int
    counted: int
    errors: int
    trail: tuple[float, ...]
    planned: int
    ready: bool

    @property
    def target(self) -> float:
        """Share of errors that is to be shown."""
        return float(self.audit.settings["target"])

    @property
    def many_looks(self) -> bool:
        """Planned to be looked at, stopped and prolonged at will."""
        return bool(self.audit.settings["mode"] == MANY_LOOKS)


def population(store: Store, run: RunRow, as_of: int) -> Population:
    """Labels of a run as they are now, of the cases that nobody had read at an event."""
    rows = tuple(labels_unread_at(store, run.id, as_of))
    names = classes_of(run, rows)
    code = {name: at for at, name in enumerate(names)}
    label: Ints = np.array([code[one.label] for one in rows], dtype=np.int64)
    tier: Ints = np.array([tier_of(one) for one in rows], dtype=np.int64)
    thresholds = np.array(run.settings["thresholds"], dtype=float)
    if run.settings.get("findings"):  # one for all sets
        thresholds = np.repeat(thresholds[:, :1], len(names), axis=1)
    made = hashlib.sha256(repr(run.settings["thresholds"]).encode())
    for one, step in zip(rows, tier.tolist(), strict=True):
        made.update(f"{one.case}\t{one.label}\t{step}\n".encode())
    places: Ints = np.array([one.place for one in rows], dtype=np.int64)
    frozen = Frozen(places, label, tier, thresholds, made.hexdigest())
    return Population(rows, frozen, made.hexdigest())


def asked_classes(run: RunRow) -> list[str]:
    """The classes of the question when a run was frozen."""
    return list(run.settings.get("findings") or run.settings["classes"])


def classes_of(run: RunRow, rows: Sequence[LabelRow]) -> list[str]:
    """The labels of a run: its classes; of sets also those that reviewers made of them."""
    classes = list(run.settings["classes"])
    if not run.settings.get("findings"):
        return classes
    return classes + sorted({one.label for one in rows} - set(classes))


def labels_hash(labels: Mapping[str, str]) -> str:
    """SHA-256 over lines "case TAB label", cases in order: what a certificate is about."""
    made = hashlib.sha256()
    for case in sorted(labels):
        made.update(f"{case}\t{labels[case]}\n".encode())
    return made.hexdigest()


def audit_offer(store: Store, run: RunRow) -> Offer:
    """What an audit of a run would take, told before it begins."""
    found = population(store, run, head(store).n)
    target = float(run.settings["target"])
    confidence = confidence_of_next(store, run.project)
    unseen = sum(not one.who for one in found.standing)
    # what somebody looked at is taken for right; the audit tells whether it is
    expected = float(run.settings["expected"]) * unseen / max(len(found.standing), 1)
    wager = wager_of(run.settings)
    offer = offer_of(found.frozen, expected, target=target, confidence=confidence)
    if wager is None or wager.cases > offer.accepted:
        return offer
    return replace(offer, plans=(wager,))  # labels that were looked at since can only help it


def begin(
    store: Store, project: str, run: str, *, cases: int, mode: str, seed: int, by: str
) -> str:
    """Freeze the labels and ask readers for the cases of the audit; return its id.

    Args:
        cases: to read; with one look the audit is decided on when just so many are read.
        mode: :data:`ONE_LOOK` (exact bound) or :data:`MANY_LOOKS` (anytime-valid bound).
        seed: of the draw; kept in the log and in the certificate.
    Raises:
        InputError: more cases than labels that stand; nobody could read them blind.
        ConflictError: the labels changed meanwhile, or are under audit already.
    """
    found = get_run(store, run)
    if found.project != project:
        raise NotFoundError("auto-labels", run)
    if mode not in {ONE_LOOK, MANY_LOOKS}:
        raise InputError("mode of the audit", f"be {ONE_LOOK} or {MANY_LOOKS}", mode[:40])
    require_question(store, project, found.question)
    as_of = head(store).n
    of = population(store, found, as_of)
    standing = of.standing
    if not 1 <= cases <= len(standing):
        rule = f"be 1 to {len(standing):,}, the labels that stand"
        raise InputError("cases to audit", rule, cases)
    order = audit_order(of.frozen, seed=seed)
    readers = blind_readers(store, project)
    rest_of_loop(store, project, by=by)
    unsure = [one.case for one, step in zip(of.rows, of.frozen.tier, strict=True) if step < 0]
    send_to_readers(store, project, unsure, by=by)  # the audit goes among them
    settings = {
        "target": float(found.settings["target"]), "mode": mode, "planned": cases, "seed": seed,
        "confidence": confidence_of_next(store, project), "labels": len(standing),
        "earlier": tries(store, project), "classes": asked_classes(found),
    }  # fmt: skip
    return begin_audit(
        store, run, [of.rows[at].case for at in order[:cases].tolist()], by,
        frozen=of.digest, as_of=as_of, settings=settings,
        spared=[one.case for one in standing], readers=readers,
        among=Random(seed),  # noqa: S311 - kept, so that the draw can be repeated
    )  # fmt: skip


def blind_readers(store: Store, project: str) -> list[str | None]:
    """Who may read the cases of an audit: [None] for whoever comes; never who saw the labels.

    Raises:
        InputError: everybody who reads reviewed auto-labels.
    """
    readers, saw = who_reads(store, project), review_seconds(store, project)
    blind = [one for one in readers if one not in saw]
    if not blind:
        remedy = "Add a reader to the project."
        rule = "be there who did not review auto-labels"
        raise InputError("a reader", rule, "none", remedy=remedy)
    anybody = len(blind) == len(readers) and not learns(store, project)
    return [None] if anybody else list(blind)


def prolong(store: Store, project: str, audit: str, *, cases: int, by: str) -> None:
    """Ask for more cases of the draw; for audits that were planned to be looked at.

    Raises:
        InputError: the audit was planned for one look; no so many labels are left.
    """
    row = audit_in(store, project, audit)
    if row.settings["mode"] != MANY_LOOKS:
        remedy = "Freeze anew, and plan an audit of many looks."
        raise InputError("an audit of one look", "end at its planned size", "more", remedy=remedy)
    run = get_run(store, row.run)
    of = population(store, run, int(row.settings["as_of"]))
    order = audit_order(of.frozen, seed=int(row.settings["seed"]))
    asked = len(cases_of_audit(store, audit))
    more = order[asked : asked + max(cases, 0)].tolist()
    if not more:
        raise InputError("more cases", f"be left of the {len(order):,} that stand", "none")
    prolong_audit(
        store, audit, [of.rows[at].case for at in more], by,
        readers=blind_readers(store, project), among=Random(asked),  # noqa: S311 - as above
    )  # fmt: skip


def give_up(store: Store, project: str, audit: str, *, by: str) -> None:
    """End an audit without a certificate; what was read stays, and the labels can be reviewed."""
    audit_in(store, project, audit)
    read = sorted(heard(store, audit))
    words = f"Given up after {len(read):,} cases; it counts as a try if any was read."
    end_audit(store, audit, GIVEN_UP, words, by, audited=read)


def audit_in(store: Store, project: str, audit: str) -> AuditRow:
    """An audit of a project.

    Raises:
        NotFoundError: there is none of the id.
    """
    row = get_audit(store, audit)
    if row.project != project:
        raise NotFoundError("audit", audit)
    return row


def running(store: Store, project: str) -> AuditRow | None:
    """The audit under way; None where none is."""
    return next((one for one in list_audits(store, project) if one.state == RUNNING), None)


def standing(store: Store, audit: AuditRow) -> Standing:
    """How far an audit is, with the bound that holds at any time."""
    asked, told = cases_of_audit(store, audit.id), heard(store, audit.id)
    run = get_run(store, audit.run)
    of = population(store, run, int(audit.settings["as_of"]))
    label = {one.case: one.label for one in of.rows}
    done = counted(asked, told)
    wrong = [said(told[case], run) != label.get(case) for case in done]
    accepted = int(audit.settings["labels"])
    trail = anytime_upper(
        np.array(wrong, dtype=bool), accepted, confidence=float(audit.settings["confidence"])
    )
    planned = int(audit.settings["planned"])
    many = audit.settings["mode"] == MANY_LOOKS
    return Standing(
        audit, len(asked), len(told), len(done), sum(wrong), tuple(trail.tolist()), planned,
        ready=bool(done) if many else len(done) >= planned,
    )  # fmt: skip


def counted(asked: Sequence[str], told: Mapping[str, Heard]) -> list[str]:
    """The first cases of the draw, up to the first that is not read yet."""
    done = []
    for case in asked:
        if case not in told:
            break
        done.append(case)
    return done


def said(one: Heard, run: RunRow) -> str | None:
    """The label that a blind reader gave; None for "cannot be read"."""
    value = None if one.answer is None else one.answer.get(run.question)
    findings = run.settings.get("findings")
    if findings and isinstance(value, list):
        return set_text(value, findings)
    return value if isinstance(value, str) and not findings else None
