"""The page of a project's plan: what is planned and done, what a plan would be, what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from overread.app.study.case_browser import reader_colours
from overread.app.study.more_reads import Demanded, demanded
from overread.app.study.plan_ground import all_cases, value_of
from overread.app.study.plan_project import Drawn, PlanWish, draw_again, readers_now, wish_of
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError, MethodError
from overread.planning.cost import Step, cost
from overread.protocol.on_demand import OnDemand
from overread.store import (
    Store,
    list_gold,
    list_members,
    list_pauses,
    list_reader_counts,
    list_users,
)
from overread.store.plan_view import FIRST, view_tasks
from overread.store.plans import PlanPart, PlanRow, get_plan, plan_parts
from overread.store.qualification import list_certificates

ROLES = ("only", "overlap", "gold", "repeat")
_SOME = 0.1  # person-years from which on they are told


@dataclass(frozen=True, slots=True)
class Cell:
    """A reader's part of a sub-batch. Args: overlap: reads of overlap cases among them."""

    reads: int = 0
    done: int = 0
    overlap: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A reader's row of the picture.

    Args:
        id: "" for whoever comes.
        cells: one a sub-batch.
        counts: role -> reads.
        hours: at their own pace; None where nobody's seconds are known.
    """

    id: str
    name: str
    colour: int
    cells: tuple[Cell, ...]
    counts: Mapping[str, int]
    done: int
    hours: float | None

    @property
    def reads(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Picture:
    """Readers and sub-batches. Args: parts: (batch, sub-batch) of each column."""

    parts: tuple[tuple[int, int], ...]
    lines: tuple[Line, ...]

    @property
    def reads(self) -> int:
        """Of all readers."""
        return sum(one.reads for one in self.lines)

    @property
    def done(self) -> int:
        """Of all readers."""
        return sum(one.done for one in self.lines)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a read takes. Args: of: reader -> median; usual: of the others; measured: or said."""

    of: Mapping[str, float]
    usual: float | None
    measured: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that is drawn up.

    Args:
        words, balance: exact counts and how even they are, in sentences.
        hours: of the readers, in a sentence; "" where nobody's seconds are known.
        warnings: what to beware of.
        kept: first reads that stay as they are.
    """

    picture: Picture
    words: str
    balance: str
    hours: str
    warnings: tuple[str, ...]
    kept: int


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
        plan, picture: in force; None where there is none.
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


def board(store: Store, project: str, *, wish: PlanWish | None = None) -> Board:
    """All of the page but a preview.

    Args:
        wish: of the form as it was sent; None for that of the plan in force, or the usual one.
    """
    plan = get_plan(store, project)
    protocol = protocol_of(store, project).protocol
    cases = list(all_cases(store, project))
    tasks_gold = _hidden_gold(store, project)
    wanted = protocol.reads_per_case
    now = readers_now(store, project, plan)
    if wish is None:
        wish = wish_of(plan) if plan else _usual(now, wanted)
    pace = pace_of(store, project)
    names = _names(store, project)
    return Board(
        plan,
        wish,
        _picture_in_force(store, project, pace, names) if plan else None,
        tuple(_changes(store, project, plan)) if plan else (),
        _people(store, project, wish, names),
        tuple(sorted({value_of(one, "modality") for one in cases} - {""})),
        len(cases),
        tasks_gold,
        wanted,
        pace,
        demanded(store, project),
        protocol.on_demand,
    )


def _usual(readers: Sequence[object], wanted: int) -> PlanWish:
    """What a plan begins with: the protocol's reads, a tenth read by all of up to three."""
    several = min(len(readers), 3)
    overlap = 0.1 if several > wanted else 0.0
    return PlanWish(
        readers=tuple(readers),  # type: ignore[arg-type]
        reads=max(1, min(wanted, len(readers) or 1)),
        overlap=overlap,
        overlap_readers=max(several, 2, wanted),
        size=50,
    )


def pace_of(store: Store, project: str, *, said: float | None = None) -> Pace:
    """Seconds that reads take: those measured, else what somebody says."""
    of = {
        one.reader: one.median_seconds
        for one in list_reader_counts(store, project)
        if one.median_seconds
    }
    if not of:
        return Pace({}, said, measured=False)
    return Pace(of, sum(of.values()) / len(of), measured=True)


def preview(store: Store, project: str, drawn: Drawn, *, seconds: float | None = None) -> Preview:
    """What a plan would be.

    Args:
        seconds: that a read takes, where none was measured yet.
    """
    pace = pace_of(store, project, said=seconds)
    names = _names(store, project)
    parts = Counter(
        (drawn.names[one.reader], one.batch, one.sub_batch, one.role, bool(one.task))
        for one in drawn.rows
    )
    rows: dict[tuple[str, int, int, str], list[int]] = {}
    for (reader, batch, sub, role, kept), count in parts.items():
        both = rows.setdefault((reader, batch, sub, role), [0, 0])
        both[0] += count
        both[1] += count if kept else 0
    picture = _picture(
        store, project, [PlanPart(*key, planned=n, done=k) for key, (n, k) in rows.items()],
        pace, names,
    )  # fmt: skip
    return Preview(
        picture,
        _words(drawn),
        _plain(drawn.plan.balance.words),
        _hours(drawn, pace),
        (*drawn.notes, *_warnings(store, project, drawn)),
        drawn.kept,
    )


def preview_again(store: Store, project: str) -> Preview | None:
    """What planning again would be; None where it cannot be."""
    try:
        return preview(store, project, draw_again(store, project))
    except (InputError, MethodError):
        return None


def _words(drawn: Drawn) -> str:
    counts, wanted = drawn.plan.counts(), drawn.design
    several = len({one.case for one in drawn.rows if one.role == "overlap"})
    single = len({one.case for one in drawn.rows if one.role == "only"})
    parts = len({(one.batch, one.sub_batch) for one in drawn.rows})
    by = "one" if wanted.reads == 1 else f"{wanted.reads:,}"
    said = [f"{_many(single, 'case')} read by {by}"]
    if several:
        said.append(f"{_many(several, 'case')} by {wanted.overlap_readers} (overlap)")
    extra = [
        f"{counts[role]:,} hidden {name}"
        for role, name in (("gold", "gold"), ("repeat", "repeats"))
        if counts[role]
    ]
    text = f"{_many(len(drawn.rows), 'read')}: {', '.join([*said, *extra])}"
    return f"{text}; {_many(parts, 'sub-batch', 'sub-batches')}."


def _plain(words: str) -> str:
    """Columns as people call them."""
    return words.replace("age_band", "age").replace("body_part", "body part")


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _hours(drawn: Drawn, pace: Pace) -> str:
    """What is left to read, in hours of readers, at the pace of each."""
    if pace.usual is None:
        return ""
    seconds: dict[str, list[float]] = {}
    for one in drawn.rows:
        if not one.task:
            own = pace.of.get(drawn.names[one.reader], pace.usual)
            seconds.setdefault(one.role, []).append(own)
    names = {"only": "once read", "overlap": "overlap", "gold": "gold", "repeat": "repeats"}
    found = cost(
        [Step(names[r], len(of), sum(of) / len(of)) for r in ROLES if (of := seconds.get(r))]
    )
    parts = ", ".join(f"{one.name} {one.hours:,.1f} h" for one in found.steps)
    source = "measured so far" if pace.measured else "assumed"
    text = f"{found.hours:,.1f} reader hours ({parts}), at the seconds a read {source}"
    years = f": {found.person_years:,.1f} person-years" if found.person_years >= _SOME else ""
    return f"{text}{years}."


def _warnings(store: Store, project: str, drawn: Drawn) -> list[str]:
    protocol = protocol_of(store, project).protocol
    said: list[str] = []
    if drawn.design.reads < protocol.reads_per_case:
        said.append(
            f"The protocol asks for {protocol.reads_per_case} reads of each case; this plan has "
            f"{drawn.design.reads} but for the overlap."
        )
    if len(drawn.wish.readers) > 1 and not drawn.design.overlap and drawn.design.reads < 2:
        said.append(
            "No case is read by two: nothing will show how far readers agree, and nobody who "
            "drifts is seen."
        )
    if protocol.qualification is not None:
        proven = list_certificates(store, project)
        waiting = [one for one in drawn.wish.readers if one.id not in proven]
        if waiting:
            said.append(
                f"{_many(len(waiting), 'reader')} must still pass the dry run: their cases wait "
                "until they have."
            )
    return said


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


def _names(store: Store, project: str) -> dict[str, str]:
    known = {one.reader for one in list_members(store, project)}
    known |= {one.reader for one in plan_parts(store, project) if one.reader}
    return {one.id: one.name for one in list_users(store, keys=sorted(known))}


def _picture_in_force(store: Store, project: str, pace: Pace, names: Mapping[str, str]) -> Picture:
    return _picture(store, project, plan_parts(store, project), pace, names)


def _picture(
    store: Store,
    project: str,
    parts: Sequence[PlanPart],
    pace: Pace,
    names: Mapping[str, str],
) -> Picture:
    columns = tuple(sorted({(one.batch, one.sub_batch) for one in parts}))
    colours = reader_colours(store, project)
    by_reader: dict[str, list[PlanPart]] = {}
    for one in parts:
        by_reader.setdefault(one.reader, []).append(one)
    lines = [
        _line(
            reader, names.get(reader, "whoever comes"), colours.get(reader, 0), mine, columns, pace
        )
        for reader, mine in by_reader.items()
    ]
    order = sorted(lines, key=lambda one: (one.colour == 0, one.colour, one.name))
    return Picture(columns, tuple(order))


def _line(  # noqa: PLR0917 - the parts of one row
    reader: str,
    name: str,
    colour: int,
    mine: Sequence[PlanPart],
    columns: Sequence[tuple[int, int]],
    pace: Pace,
) -> Line:
    cells = {column: [0, 0, 0] for column in columns}
    counts = dict.fromkeys(ROLES, 0)
    for one in mine:
        cell = cells[one.batch, one.sub_batch]
        cell[0] += one.planned
        cell[1] += one.done
        cell[2] += one.planned if one.role == "overlap" else 0
        counts[one.role] += one.planned
    done = sum(one.done for one in mine)
    seconds = pace.of.get(reader, pace.usual)
    hours = None if seconds is None else (sum(counts.values()) - done) * seconds / 3600
    return Line(
        reader, name, colour, tuple(Cell(*cells[one]) for one in columns), counts, done, hours
    )


def _changes(store: Store, project: str, plan: PlanRow) -> list[str]:
    """What the plan in force does not know."""
    known = set(plan.settings["present"])
    here = {one.id for one in readers_now(store, project, None)}
    tasks = view_tasks(store, project)
    planned = {one.case for one in tasks if one.role in FIRST}
    gone = {one.planned_for for one in tasks if one.role and one.state != "done"} - here - {None}
    refused = sum(one.state == "skipped" and bool(one.role) for one in tasks)
    pools = {"training"} | ({"hidden"} if plan.settings["wish"]["gold"] else set())
    apart = {one.case for one in list_gold(store, project) if one.pool in pools}
    cases = sum(one.id not in planned | apart for one in all_cases(store, project))
    said = [
        (len(here - known), "reader came", "readers came"),
        (len(gone), "reader left with cases to read", "readers left with cases to read"),
        (cases, "case came", "cases came"),
        (refused, "case was refused", "cases were refused"),
    ]
    return [_many(n, one, several) for n, one, several in said if n]


def _hidden_gold(store: Store, project: str) -> int:
    return len(list_gold(store, project, pool="hidden"))
