"""Certificates under a new version of the protocol: what was changed of what they were given for.

A certificate is for the questions and classes of the version it was earned under. Where a later
version changes some of these, the protocol says whether the lead is asked (the default), readers
qualify again on the changed part, or certificates stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from overread.app.analysis.disputes import classes_named
from overread.app.analysis.mask_frames import packed
from overread.app.study.project_protocol import parsed, protocol_of
from overread.app.study.protocol_change import touched_by
from overread.labels import Kind
from overread.protocol import Protocol
from overread.store import (
    CertificateRow,
    GoldRow,
    Store,
    get_protocol,
    list_certificates,
    list_gold,
    list_users,
)
from overread.store.quality.requalify import (
    AGAIN,
    RequalificationRow,
    list_requalifications,
    rule_certificates,
)
from overread.store.quality.stale import list_rulings

Part = Mapping[str, tuple[str, ...]]
"""Question -> classes; "" among them is every answer."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Certificates that a later version changed something of.

    Args:
        version: the newest.
        readers: id and name.
        part: what was changed.
        words: the same in a sentence.
    """

    version: int
    readers: tuple[tuple[str, str], ...]
    part: Part
    words: str


def behind(store: Store, project: str) -> Behind | None:
    """Certificates that wait for the lead's word; None where none does."""
    now = protocol_of(store, project)
    asked = now.protocol.qualification
    if asked is None or asked.on_change == "keep" or now.version < 2:
        return None
    ruled = list_requalifications(store, project)
    found: dict[str, Part] = {}
    for who, one in list_certificates(store, project).items():
        since = max(one.protocol_version, ruled[who].version if who in ruled else 0)
        part = changed_since(store, project, since, _held(one))
        if part:
            found[who] = part
    if not found:
        return None
    names = {one.id: one.name for one in list_users(store, keys=sorted(found))}
    whole: dict[str, tuple[str, ...]] = {}
    for part in found.values():
        for name, classes in part.items():
            whole[name] = tuple(sorted({*whole.get(name, ()), *classes}))
    readers = sorted(((who, names.get(who, "")) for who in found), key=lambda one: one[1])
    return Behind(now.version, tuple(readers), whole, part_words(now.protocol, whole))


def _held(one: CertificateRow) -> set[str]:
    """Questions that a certificate was earned on; the lead's own word is for none of them."""
    return {each["id"] for each in one.score.get("questions", ())}


def changed_since(store: Store, project: str, version: int, held: set[str]) -> Part:
    """What versions after one changed of these questions; new questions count as well."""
    now = protocol_of(store, project)
    if version >= now.version or not held:
        return {}
    rulings = list_rulings(store, project)
    old_names = {one.id for one in parsed(get_protocol(store, project, version).text).questions}
    made: dict[str, set[str]] = {}
    for number in range(version + 1, now.version + 1):
        before, after = (
            parsed(get_protocol(store, project, one).text) for one in (number - 1, number)
        )
        ruling = rulings.get(number)
        touched = touched_by(before, after)
        if ruling is not None:
            touched = {**touched, **{name: tuple(of) for name, of in ruling.touched.items() if of}}
        for name, classes in touched.items():
            made.setdefault(name, set()).update(classes, _come(before, after, name))
    part: dict[str, tuple[str, ...]] = {}
    for question in now.protocol.questions:
        left = {one for one in made.get(question.id, ()) if not one or one in question.names}
        if left and (question.id in held or question.id not in old_names):
            part[question.id] = ("",) if "" in left else tuple(sorted(left))
    return part


def _come(before: Protocol, after: Protocol, question: str) -> set[str]:
    was = {one.id: set(one.names) for one in before.questions}.get(question, set())
    return {name for one in after.questions if one.id == question for name in one.names} - was


def part_words(protocol: Protocol, part: Part) -> str:
    """A part in words ("Fracture, Callus of: Draw a box round each")."""
    prompts = {one.id: one.prompt for one in protocol.questions}
    said = [
        prompts[name] if "" in classes else f"{', '.join(classes)} of: {prompts[name]}"
        for name, classes in part.items()
        if name in prompts
    ]
    return "; ".join(said)


def rule(store: Store, project: str, choice: str, words: str, *, by: str) -> int:
    """Say what the newest version means for the certificates behind it; return how many.

    Raises:
        InputError: no reason, or another choice.
    """
    found = behind(store, project)
    if found is None:
        return 0
    rule_certificates(
        store,
        project,
        [who for who, _ in found.readers],
        version=found.version,
        choice=choice,
        touched=found.part,
        words=words.strip(),
        by=by,
    )
    return len(found.readers)


def after_change(store: Store, project: str, *, by: str) -> int:
    """After a version was saved: do at once what the protocol says of certificates."""
    asked = protocol_of(store, project).protocol.qualification
    if asked is None or asked.on_change != "again":
        return 0
    return rule(store, project, AGAIN, "The protocol asks for it when it changes.", by=by)


def pending(store: Store, project: str, reader: str) -> RequalificationRow | None:
    """What a reader qualifies again on; None where nothing waits."""
    return pending_of(list_requalifications(store, project), reader)


def pending_of(asked: Mapping[str, RequalificationRow], reader: str) -> RequalificationRow | None:
    """The same, of what was said of each reader."""
    found = asked.get(reader)
    return found if found is not None and found.choice == AGAIN else None


def restricted(protocol: Protocol, of: RequalificationRow | None) -> Protocol:
    """The protocol with the questions alone that a run is scored on."""
    if of is None:
        return protocol
    return replace(
        protocol, questions=tuple(one for one in protocol.questions if one.id in of.touched)
    )


def gold_for(store: Store, project: str, of: RequalificationRow | None) -> list[str] | None:
    """Ids of the gold that a run may take; None is any.

    Gold of the changed part counts from the version on that changed it: an answer of before may
    be wrong by now. Giving it again (the same answer, too) confirms it.
    """
    if of is None:
        return None
    protocol = protocol_of(store, project).protocol
    gold = list_gold(store, project, pool="training")
    return [
        one.id for one in gold if one.protocol_version >= of.version and _tests(protocol, one, of)
    ]


def _tests(protocol: Protocol, gold: GoldRow, of: RequalificationRow) -> bool:
    for question in protocol.questions:
        classes: Sequence[str] = of.touched.get(question.id, ())
        value = gold.answer.get(question.id)
        if not classes or value is None:
            continue
        packed_ = packed(value) if question.kind is Kind.MASK else value
        if "" in classes or classes_named(question, packed_) & set(classes):
            return True
    return False
