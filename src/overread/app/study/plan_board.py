"""The page of a project's plan: what is planned and done, who came and went, the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overread.app.study.case_browser import reader_colours
from overread.app.study.more_reads import Demanded, demanded
from overread.app.study.plan_counts import Counts
from overread.app.study.plan_ground import ReaderWish
from overread.app.study.plan_picture import Pace, Picture, names_of, pace_of, picture_of
from overread.app.study.plan_preview import many
from overread.app.study.plan_project import PlanWish, readers_now, wish_of
from overread.app.study.project_protocol import protocol_of
from overread.protocol.on_demand import OnDemand
from overread.store import Store, list_gold, list_pauses
from overread.store.study.cases import count_cases
from overread.store.work.plan_view import used_modalities
from overread.store.work.plans import PlanGaps, PlanRow, get_plan


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who reads here. Args: chosen, most, barred: as the form has it; note: beware."""

    id: str
    name: str
    colour: int
    chosen: bool
    most: int | None
    barred: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Board:
    """The page.

    Args:
        plan, picture: in force; None where there is none, the picture also while it is counted.
        changed: what happened since the plan was written that it does not know, in words.
        people: who reads here.
        modalities: of the cases; a choice only where there are several.
        cases, gold: how many there are to plan, and hidden gold.
        wanted: reads of each case that the protocol asks for.
        pace: of the readers.
        demanded: how far reading on demand is; None where the protocol does not ask for it.
    """

    plan: PlanRow | None
    wish: PlanWish
    picture: Picture | None
    changed: tuple[str, ...]
    people: tuple[Person, ...]
    modalities: tuple[str, ...]
    cases: int
    gold: int
    wanted: int
    pace: Pace
    demanded: Demanded | None
    protocol_demand: OnDemand | None


def board(
    store: Store,
    project: str,
    *,
    wish: PlanWish | None = None,
    counts: Counts | None = None,
) -> Board:
    """All of the page but a preview.

    Args:
        counts: what was counted of this plan; None where that is under way.
        wish: of the form as it was sent; None for that of the plan in force, or the usual one.
    """
    plan = get_plan(store, project)
    protocol = protocol_of(store, project).protocol
    tasks_gold = _hidden_gold(store, project)
    wanted = protocol.reads_per_case
    now = readers_now(store, project, plan)
    if wish is None:
        wish = wish_of(plan) if plan else _usual(now, wanted)
    pace = pace_of(store, project)
    names = names_of(store, project, counts.parts if counts else ())
    return Board(
        plan,
        wish,
        picture_of(store, project, counts.parts, pace, names) if plan and counts else None,
        tuple(_changes(store, project, plan, counts.gaps)) if plan and counts else (),
        _people(store, project, wish, names),
        tuple(used_modalities(store, project)),
        count_cases(store, project),
        tasks_gold,
        wanted,
        pace,
        demanded(store, project),
        protocol.on_demand,
    )


def _usual(readers: Sequence[ReaderWish], wanted: int) -> PlanWish:
    """What a plan begins with: the protocol's reads, a tenth read by all of up to three."""
    several = min(len(readers), 3)
    overlap = 0.1 if several > wanted else 0.0
    return PlanWish(
        readers=tuple(readers),
        reads=max(1, min(wanted, len(readers) or 1)),
        overlap=overlap,
        overlap_readers=max(several, 2, wanted),
        size=50,
    )


def _people(
    store: Store, project: str, wish: PlanWish, names: Mapping[str, str]
) -> tuple[Person, ...]:
    chosen = {one.id: one for one in wish.readers}
    paused = list_pauses(store, project)
    colours = reader_colours(store, project)
    made: list[Person] = []
    for one in readers_now(store, project, None):
        mine = chosen.get(one.id)
        note = "paused: gets no new cases until a lead releases them" if one.id in paused else ""
        made.append(
            Person(
                one.id,
                names[one.id],
                colours[one.id],
                mine is not None,
                mine.most if mine else None,
                mine.not_modalities if mine else (),
                note,
            )
        )
    return tuple(made)


def _changes(store: Store, project: str, plan: PlanRow, gaps: PlanGaps | None) -> list[str]:
    """What the plan in force does not know."""
    known = set(plan.settings["present"])
    here = {one.id for one in readers_now(store, project, None)}
    if gaps is None:
        return []
    said = [
        (len(here - known), "reader came", "readers came"),
        (
            len(gaps.waiting - here),
            "reader left with cases to read",
            "readers left with cases to read",
        ),
        (gaps.cases, "case came", "cases came"),
        (gaps.refused, "case was refused", "cases were refused"),
    ]
    return [many(n, one, several) for n, one, several in said if n]


def _hidden_gold(store: Store, project: str) -> int:
    return len(list_gold(store, project, pool="hidden"))
