"""Gold cases as the lead keeps them: made of a read or a table, hidden in the queue, retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from overread.app.quality.gold_disputes import settle_wrong
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.errors import InputError
from overread.protocol import Protocol, check_answer
from overread.store import (
    CaseRow,
    GoldRow,
    NewGold,
    Slot,
    Store,
    add_gold,
    get_case,
    get_gold,
    get_read,
    gold_had,
    left_of_readers,
    list_cases,
    list_disputes,
    list_gold,
    list_members,
    plan_slots,
    reads_of_case,
    retire_gold,
    settle_dispute,
)
from overread.store.errors import NotFoundError

POOLS = ("training", "hidden")
_MOST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Planned:
    """Hidden gold that was planned. Args: wanted: as many as the share asks for; slots: planned."""

    wanted: int
    slots: int


def gold_from_read(
    store: Store, case: str, read: str, *, pool: str, atlas: str | None, by: str
) -> None:
    """Make a case gold, with the answer of a read that the lead holds to be right.

    Raises:
        NotFoundError: no such case, or a read of another.
        InputError: the read says "cannot be read", or does not fit the protocol of now.
    """
    row = get_case(store, case)
    chosen = get_read(store, read)
    if chosen.case != case:
        raise NotFoundError("read", read)
    if chosen.cannot_be_read:
        raise InputError("gold", "have an answer", "a read that says: cannot be read")
    now = protocol_of(store, row.project)
    _check(now.protocol, chosen.answer, row, atlas)
    new = NewGold(case, chosen.answer, now.version, pool, read, atlas or None)
    add_gold(store, row.project, [new], by)


def project_of(store: Store, case: str) -> str:
    """The project of a case."""
    return get_case(store, case).project


def gold_choices(store: Store, project: str, case: str) -> dict[str, Any]:
    """What a lead may choose on the page of a case: gold (or None), goldable reads, atlas."""
    names = {one.reader: one.name for one in list_members(store, project)}
    reads = [
        {"read_id": one.id, "reader_name": names.get(one.reader, "former reader")}
        for one in reads_of_case(store, case)
        if not one.cannot_be_read and one.round == 0
    ]
    gold = next((one for one in list_gold(store, project) if one.case == case), None)
    return {"gold": gold, "goldable": reads, "atlas": protocol_of(store, project).protocol.atlas}


def gold_from_answers(
    store: Store, project: str, answers: Mapping[str, Mapping[str, Any]], *, pool: str, by: str
) -> int:
    """Make cases gold by their names or ids, all of them or none; return how many there are.

    Raises:
        InputError: a case that is not there (or a name that two have), an answer that does not
            fit the protocol.
    """
    now = protocol_of(store, project)
    found = _cases_called(store, project, set(answers))
    new: list[NewGold] = []
    for name, answer in answers.items():
        case = found[name]
        try:
            _check(now.protocol, answer, case, None)
        except InputError as error:
            where = f"gold of case {name}: {error.name}"
            raise InputError(where, error.rule, error.got, remedy=error.remedy) from error
        new.append(NewGold(case.id, answer, now.version, pool, "table"))
    add_gold(store, project, new, by)
    return len(new)


def _check(protocol: Protocol, answer: Mapping[str, Any], case: CaseRow, atlas: str | None) -> None:
    if not answer:
        raise InputError("gold", "answer a question", "no answer")
    if atlas and atlas not in {one.id for one in protocol.atlas}:
        raise InputError("atlas entry", "be one of the protocol", atlas)
    size = {key: case.image[key] for key in ("rows", "columns", "frames")}
    check_answer(protocol, answer, **size, complete=False)


def _cases_called(store: Store, project: str, wanted: set[str]) -> dict[str, CaseRow]:
    """Cases by name or id."""
    found: dict[str, CaseRow] = {}
    after = 0
    while page := list_cases(store, project, after=after, limit=500):
        for one in page:
            for key in {one.case.id, one.case.name} & wanted:
                if key in found:
                    raise InputError("case", "have a name of its own", key, remedy="Use its id.")
                found[key] = one.case
        after = page[-1].case.number
    missing = sorted(wanted - found.keys())
    if missing:
        rule = "be the name or id of a case of the project"
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError("case", rule, f"{missing[0]}{more}")
    return found


def retire(store: Store, project: str, gold: str, reason: str, *, by: str) -> None:
    """Retire a gold case of a project, with a reason."""
    _of_project(store, project, gold)
    retire_gold(store, gold, reason.strip(), by)


def _of_project(store: Store, project: str, gold: str) -> GoldRow:
    row = get_gold(store, gold)
    if row.project != project:
        raise NotFoundError("gold case", gold)
    return row


def settle(store: Store, project: str, dispute: str, state: str, decision: str, *, by: str) -> None:
    """Settle a dispute of a project, with words that the reader may be told."""
    if dispute not in {one.id for one in list_disputes(store, project, settled=True)}:
        raise NotFoundError("dispute", dispute)
    if state == "wrong" and dispute in {one.id for one in list_disputes(store, project)}:
        settle_wrong(store, project, dispute, decision.strip(), by=by)
        return
    settle_dispute(store, dispute, state, decision.strip(), by)


def plan_hidden_gold(
    store: Store, project: str, share: float, *, by: str, random: Random
) -> Planned:
    """Put hidden gold among the cases that readers have left, so that it is this share of them.

    Each reader gets each gold case at most once, the least exposed first, and none that they saw
    in a dry run. May be called again: what is planned already counts.

    Args:
        share: of each reader's outstanding cases, above 0 and at most 0.5.
        random: draws the places in the queue.
    Raises:
        InputError: a share out of range, or no hidden gold.
    """
    if not 0 < share <= _MOST_SHARE:
        raise InputError("share of gold", f"be above 0 and at most {_MOST_SHARE:g}", share)
    gold = list_gold(store, project, pool="hidden")
    if not gold:
        raise InputError("hidden gold", "be there", "none", remedy="Mark cases as hidden gold.")
    left, had = left_of_readers(store, project), gold_had(store, project)
    seen = {one.case: one.exposures for one in gold}
    slots: list[Slot] = []
    wanted = 0
    for reader in who_reads(store, project):
        mine = had.get(reader, {})
        outstanding = sum(left_ for case, left_ in mine.items() if case in seen)
        more = max(0, round(share * left.get(reader, 0)) - outstanding)
        free = sorted((one for one in seen if one not in mine), key=seen.__getitem__)
        wanted += more
        for case in free[:more]:
            seen[case] += 1
            slots.append(Slot(case, reader))
    random.shuffle(slots)
    return Planned(wanted, plan_slots(store, project, slots, by, among=random) if slots else 0)
