"""Tables in, plans out: cases and readers as tables, a plan as one, groups against the protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Bools
from overread.errors import InputError
from overread.exchange import read_table
from overread.exchange.tables import shown_names
from overread.planning.design import design
from overread.planning.plan import (
    NO_CASES,
    ROLES,
    Balance,
    Design,
    Plan,
    PlanCases,
    PlanReader,
)
from overread.planning.replan import replan
from overread.planning.representation import Representation, Wish, representation
from overread.planning.size import proportion_cases, proportion_width
from overread.protocol import Protocol, read_protocol
from overread.words import percent

USUAL_TAGS = ("class", "site", "modality")
"""Columns over which a plan is balanced where no others are named."""

PLAN_COLUMNS = ("case", "reader", "batch", "sub_batch", "position", "role")
_SENSITIVITY = 0.9  # at which the wishes of a protocol are held against its precision


def plan_reads(
    cases: Any,
    readers: Any,
    wanted: Design,
    *,
    gold: Any = None,
    group: str = "",
    balance: Sequence[str] | None = None,
) -> Plan:
    """Design who reads what from tables.

    Args:
        cases: a table with a column ``case`` and those named below.
        readers: a table with a column ``reader``; ``most`` (reads at most) and ``may_not``
            ("modality=CT; class=fracture, nodule") where there are limits.
        wanted: the design.
        gold: a table of known cases, or None.
        group: column of the patient; "" where cases stand alone.
        balance: columns to balance over; those of :data:`USUAL_TAGS` that are there by default.
    Raises:
        InputError: a column that is not there, or what cannot hold.
    """
    who = readers_of(readers)
    table = read_table(cases)
    tags = _tags(table, balance, who)
    planned = _cases(table, tags, group)
    known = NO_CASES if gold is None else _gold(read_table(gold), tags)
    return design(planned, who, wanted, gold=known)


def plan_again(
    plan: Any,
    done: Any,
    cases: Any,
    readers: Any,
    wanted: Design,
    *,
    gold: Any = None,
    group: str = "",
    balance: Sequence[str] | None = None,
) -> Plan:
    """Re-plan what is left; see :func:`overread.planning.replan.replan`.

    Args:
        plan: the table of the plan so far.
        done: a table with ``case`` and ``reader``, one row a read that is done.
        cases, readers, wanted, gold, group, balance: as in :func:`plan_reads`.
    """
    who = readers_of(readers)
    table = read_table(cases)
    tags = _tags(table, balance, who)
    planned = _cases(table, tags, group)
    known = NO_CASES if gold is None else _gold(read_table(gold), tags)
    before = plan_of(plan)
    return replan(before, done_rows(before, done), planned, who, wanted, gold=known)


def readers_of(source: Any) -> list[PlanReader]:
    """Readers from a table ``reader`` (, ``most``, ``may_not``).

    Raises:
        InputError: a missing column, a limit that is no number, a qualification without "=".
    """
    table = read_table(source)
    names = _texts(table, "reader")
    limits = _texts(table, "most", blank=True) if "most" in table.columns else [""] * len(names)
    barred = (
        _texts(table, "may_not", blank=True) if "may_not" in table.columns else [""] * len(names)
    )
    rows = enumerate(zip(names, limits, barred, strict=True), start=1)
    return [PlanReader(name, _limit(most, row), _bars(bar, row)) for row, (name, most, bar) in rows]


def plan_table(plan: Plan) -> pl.DataFrame:
    """The plan with the columns of :data:`PLAN_COLUMNS`, by reader and position."""
    roles = [role.value for role in ROLES]
    return pl.DataFrame({
        "case": [plan.cases[c] for c in plan.case.tolist()],
        "reader": [plan.readers[r] for r in plan.reader.tolist()],
        "batch": plan.batch,
        "sub_batch": plan.sub_batch,
        "position": plan.position,
        "role": [roles[k] for k in plan.role.tolist()],
    })  # fmt: skip


def plan_of(source: Any) -> Plan:
    """A plan from its table.

    Raises:
        InputError: a column that is missing, a number or role that is none.
    """
    table = read_table(source)
    cases, readers = _texts(table, "case"), _texts(table, "reader")
    roles = [role.value for role in ROLES]
    role = _texts(table, "role")
    for row, one in enumerate(role, start=1):
        if one not in roles:
            raise InputError("role", f"be one of {', '.join(roles)}", f"{one!r}", rows=[row])
    names, who = tuple(sorted(set(cases))), tuple(sorted(set(readers)))
    place = {name: i for i, name in enumerate(names)}
    seat = {name: i for i, name in enumerate(who)}
    numbers = {name: _numbers(table, name) for name in ("batch", "sub_batch", "position")}
    return Plan(
        names,
        who,
        np.array([place[c] for c in cases], dtype=np.int64),
        np.array([seat[r] for r in readers], dtype=np.int64),
        numbers["batch"],
        numbers["sub_batch"],
        numbers["position"],
        np.array([roles.index(one) for one in role], dtype=np.int64),
        Balance((0, 0), {}, (0, 0), ""),
    )


def done_rows(plan: Plan, done: Any) -> Bools:
    """(rows,) of the plan that a table of reads shows as done, in the order of positions.

    A reader's second read of a case is the plan's repeat. Reads that the plan does not have are
    left out: they are no part of it.
    """
    table = read_table(done)
    many = Counter(zip(_texts(table, "case"), _texts(table, "reader"), strict=True))
    flags = np.zeros(len(plan), dtype=np.bool_)
    for row in np.argsort(plan.position, kind="stable").tolist():
        key = plan.cases[plan.case[row]], plan.readers[plan.reader[row]]
        if many[key] > 0:
            many[key] -= 1
            flags[row] = True
    return flags


def groups_of(
    cases: Any, protocol: Protocol | None = None, *, by: Sequence[str] = ()
) -> tuple[Representation, tuple[str, ...]]:
    """Groups of a table of cases against the wishes of a protocol.

    Args:
        cases: a table with a column ``case``, and a column for each kind of group; classes so far
            in a column called like the question ("" where nobody has labelled the case), or
            ``class`` where the protocol wishes classes of one question only.
        protocol: with ``at_least`` of classes and ``diversity``; None for no wishes.
        by: columns to count besides.
    Returns:
        The groups, and what else is to be said: wishes that cannot be checked, and precision that
        they do not reach.
    Raises:
        InputError: a column of ``by`` that is not there.
    """
    table = read_table(cases)
    _texts(table, "case")
    wishes, notes = _wishes(protocol, table.columns) if protocol else ([], [])
    wanted = {one.by for one in wishes}
    columns = [name for name in table.columns if name in wanted or name in by]
    if "age_band" in wanted and "age_band" not in table.columns:
        columns.append("age")
    missing = [name for name in by if name not in table.columns]
    if missing:
        raise InputError("--by", "name columns of the cases", shown_names(table.columns))
    found = representation({name: _texts(table, name, blank=True) for name in columns}, wishes)
    return found, (*notes, *(_imprecise(protocol, wishes) if protocol else ()))


def read_protocol_file(path: Path) -> Protocol:
    """A protocol from its file; :class:`MissingExtraError` without the server's packages."""
    if not path.is_file():
        raise InputError("protocol", "be a file", "none there")
    return read_protocol(path.read_text(encoding="utf-8"), name=path.name)


def _wishes(protocol: Protocol, columns: Sequence[str]) -> tuple[list[Wish], list[str]]:
    wishes: list[Wish] = []
    notes: list[str] = []
    asked = [q for q in protocol.questions if any(one.at_least for one in q.classes)]
    for question in asked:
        alone = len(asked) == 1 and question.id not in columns and "class" in columns
        column = "class" if alone else question.id
        some = [Wish(column, one.name, one.at_least) for one in question.classes if one.at_least]
        if column in columns:
            wishes += some
        else:
            notes.append(
                f"The protocol wishes cases of {len(some)} classes of {question.id}; no column "
                f"{question.id} says how many there are."
            )
    for one in protocol.diversity:
        there = one.by in columns or (one.by == "age_band" and "age" in columns)
        if there:
            wishes += [Wish(one.by, group, n) for group, n in one.groups.items()]
        else:
            notes.append(f"The protocol wishes groups by {one.by}; there is no such column.")
    return wishes, notes


def _imprecise(protocol: Protocol, wishes: Sequence[Wish]) -> list[str]:
    """Wishes too small for the precision that the protocol asks of the final system."""
    if protocol.precision is None or not 0 < protocol.precision < 0.5:
        return []
    needed = proportion_cases(_SENSITIVITY, protocol.precision).cases
    said: list[str] = []
    for one in wishes:
        if 0 < one.at_least < needed:
            half = proportion_width(_SENSITIVITY, one.at_least).half_width
            said.append(
                f"{one.by} {one.group}: {one.at_least:,} cases give a sensitivity of "
                f"{percent(_SENSITIVITY)} to ± {half:.3f}; the protocol needs ± "
                f"{protocol.precision:g}, that is {needed:,} cases."
            )
    return said


def _tags(
    table: pl.DataFrame, balance: Sequence[str] | None, readers: Sequence[PlanReader]
) -> list[str]:
    named = (
        [name for name in USUAL_TAGS if name in table.columns] if balance is None else list(balance)
    )
    barred = {tag for one in readers for tag in one.may_not}
    return list(dict.fromkeys([*named, *sorted(barred)]))


def _cases(table: pl.DataFrame, tags: Sequence[str], group: str) -> PlanCases:
    return PlanCases(
        tuple(_texts(table, "case")),
        {tag: tuple(_texts(table, tag, blank=True)) for tag in tags},
        tuple(_texts(table, group)) if group else None,
    )


def _gold(table: pl.DataFrame, tags: Sequence[str]) -> PlanCases:
    """Gold cases; a tag that their table lacks is not known of them."""
    names = tuple(_texts(table, "case"))
    there = {
        tag: tuple(_texts(table, tag, blank=True)) if tag in table.columns else ("",) * len(names)
        for tag in tags
    }
    if "class" not in there and "label" in table.columns:
        there["class"] = tuple(_texts(table, "label", blank=True))
    return PlanCases(names, there)


def _texts(table: pl.DataFrame, name: str, *, blank: bool = False) -> list[str]:
    if name not in table.columns:
        raise InputError(f"column {name}", "be there", shown_names(table.columns))
    cells = ["" if cell is None else str(cell).strip() for cell in table[name].to_list()]
    if not blank:
        empty = [row for row, cell in enumerate(cells, start=1) if not cell]
        if empty:
            raise InputError(name, "be given in every row", "nothing", rows=empty)
    return cells


def _numbers(table: pl.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    cells = _texts(table, name)
    bad = [row for row, cell in enumerate(cells, start=1) if not cell.isdecimal() or not int(cell)]
    if bad:
        got = f"{cells[bad[0] - 1]!r}"
        raise InputError(name, "be a whole number from 1", got, rows=bad)
    return np.array([int(cell) for cell in cells], dtype=np.int64)


def _limit(text: str, row: int) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise InputError("most", "be a whole number, or nothing", f"{text!r}", rows=[row])
    return int(text)


def _bars(text: str, row: int) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for part in filter(None, (one.strip() for one in text.split(";"))):
        tag, equals, values = part.partition("=")
        some = frozenset(v.strip() for v in values.split(",") if v.strip())
        if not equals or not tag.strip() or not some:
            remedy = 'Write "modality=CT; class=fracture, nodule".'
            raise InputError("may_not", "be column=value", f"{part!r}", rows=[row], remedy=remedy)
        found[tag.strip()] = found.get(tag.strip(), frozenset()) | some
    return found
