"""What a plan stands on: the cases, gold and readers of a project, and what is read already.

In a plan a case is called by its number and a reader by their address, so that the same images
and the same people give the same plan in another home, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.errors import InputError
from overread.planning.plan import PlanCases, PlanReader
from overread.store import Store, list_gold, list_users
from overread.store.work.plan_view import CaseFacts, ViewedTask, barred, list_facts, view_tasks

MODALITY = "modality"
_TAGS = (MODALITY, "site")


@dataclass(frozen=True, slots=True)
class ReaderWish:
    """What is wished of a reader.

    Args:
        id: who.
        most: first reads at most; None is no limit.
        not_modalities: that they are not to read.
    """

    id: str
    most: int | None = None
    not_modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a plan stands on.

    Args:
        cases, gold: as the planner knows them; no gold where none is wished.
        case_ids: name in the plan -> id, gold too.
        readers: who read from now on.
        reader_ids: name in the plan -> id, also of those who left.
        tasks: of the project.
        barred: (case, reader) by their names who is given no read of it.
        case_names, reader_names: id -> name in the plan.
    """

    cases: PlanCases
    gold: PlanCases
    case_ids: dict[str, str]
    readers: tuple[PlanReader, ...]
    reader_ids: dict[str, str]
    tasks: Sequence[ViewedTask]
    barred: frozenset[tuple[str, str]]
    case_names: dict[str, str]
    reader_names: dict[str, str]

    def with_seen(self, seen: set[tuple[str, str]]) -> tuple[PlanReader, ...]:
        """The readers, each with the cases that they are not to be given."""
        all_ = seen | self.barred
        of = {one.name: frozenset(c for c, who in all_ if who == one.name) for one in self.readers}
        return tuple(replace(one, seen=of[one.name]) for one in self.readers)


def ground_of(
    store: Store, project: str, wishes: Sequence[ReaderWish], *, gold: bool, grouped: bool
) -> Ground:
    """Gather what a plan stands on.

    Args:
        wishes: who is to read.
        gold: hidden gold is dealt; else its cases are read like any other.
        grouped: patients matter.
    Raises:
        InputError: no case to read, no reader, somebody who does not read here, no hidden gold.
    """
    tasks = view_tasks(store, project)
    kept_as_cases = {one.case for one in tasks if one.role in {"only", "overlap"}}
    pools = {one.case: one.pool for one in list_gold(store, project)}
    rows = [one for one in list_facts(store, project) if pools.get(one.id) != "training"]
    hidden = {key for key, pool in pools.items() if pool == "hidden"} - kept_as_cases
    if gold and not hidden:
        remedy = "Mark cases as hidden gold, or ask for a rate of 0."
        raise InputError(
            "gold rate", "be 0 where there is no hidden gold", "above 0", remedy=remedy
        )
    ordinary = [one for one in rows if not gold or one.id not in hidden]
    known = [one for one in rows if gold and one.id in hidden]
    readers, ids = _readers(store, project, wishes, tasks)
    tags = _tags(store, project, ordinary, wishes)
    names = {ids_: name for name, ids_ in ids.items()}
    name_of = {one.id: name_in_plan(one) for one in rows}
    return Ground(
        _plan_cases(ordinary, tags, grouped=grouped),
        _plan_cases(known, tags, grouped=False),
        {name_of[one.id]: one.id for one in rows},
        readers,
        ids,
        tasks,
        frozenset(
            (name_of[case], names[reader])
            for case, reader in barred(store, project)
            if case in name_of and reader in names
        ),
        name_of,
        names,
    )


def name_in_plan(case: CaseFacts) -> str:
    """What a plan calls a case: its number, in an order that texts keep."""
    return f"{case.number:09d}"


def _readers(
    store: Store, project: str, wishes: Sequence[ReaderWish], tasks: Sequence[ViewedTask]
) -> tuple[tuple[PlanReader, ...], dict[str, str]]:
    there = set(who_reads(store, project))
    strange = [one for one in wishes if one.id not in there]
    if strange:
        raise InputError("readers", "read in the project", f"{len(strange)} who do not")
    if not wishes:
        raise InputError("readers", "be 1 or more", 0, remedy="Choose who reads.")
    known = {one for task in tasks for one in (task.reader, task.planned_for) if one}
    users = list_users(store, keys=sorted(known | there))
    ids = {one.email: one.id for one in users}
    email = {key: name for name, key in ids.items()}
    readers = tuple(
        PlanReader(
            email[one.id],
            one.most,
            {MODALITY: frozenset(one.not_modalities)} if one.not_modalities else {},
        )
        for one in wishes
    )
    return readers, ids


def _tags(
    store: Store, project: str, rows: Sequence[CaseFacts], wishes: Sequence[ReaderWish]
) -> tuple[str, ...]:
    """What is balanced: modality, site, and what the protocol wishes groups of, where it varies."""
    diversity = protocol_of(store, project).protocol.diversity
    found = [
        name
        for name in dict.fromkeys((*_TAGS, *(one.by for one in diversity)))
        if len({value_of(one, name) for one in rows}) > 1
    ]
    if MODALITY not in found and any(one.not_modalities for one in wishes):
        found.append(MODALITY)
    return tuple(found)


def value_of(case: CaseFacts, name: str) -> str:
    """What is known of a case: modality, site, sex, age band ...; "" where nothing is."""
    return case.modality if name == MODALITY else str(case.meta.get(name) or "")


def _plan_cases(rows: Sequence[CaseFacts], tags: Sequence[str], *, grouped: bool) -> PlanCases:
    return PlanCases(
        tuple(name_in_plan(one) for one in rows),
        {name: tuple(value_of(one, name) for one in rows) for name in tags},
        tuple(one.group or f"case {one.number}" for one in rows) if grouped else None,
    )
