"""What reading has cost, what is left, when it ends: for the lead, from measured seconds.

The interval of the hours left holds two doubts: how far the readers' means differ (whoever reads
next), and how far one read differs from the next. The pace is that of the last days, with those on
which nobody read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from overread.app.quality.effort_figures import (
    Between,
    Day,
    End,
    Times,
    against_plan,
    end_at_pace,
    hours_by_day,
    hours_left,
    times_called,
)
from overread.app.quality.effort_ledger import (
    AGAIN,
    CORRECTED,
    DECIDED,
    FIRST,
    TRIED,
    Ledger,
    Seconds,
    times_of,
)
from overread.app.quality.reader_profiles import profiles_of
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.labels import Kind
from overread.planning.cost import Cost, cost, steps_of
from overread.protocol import Question, headed
from overread.store import Store, left_of_readers, list_users, project_progress
from overread.store.study.effort import (
    adjudication_seconds,
    get_effort_terms,
    last_answers,
    set_effort_terms,
    trial_seconds,
)

KINDS = (FIRST, CORRECTED, AGAIN, TRIED, DECIDED)
_ANSWERS = 1_000
SENIOR, PLAIN = "adjudicator", "reader"


@dataclass(frozen=True, slots=True)
class Role:
    """Who costs what. Args: rate: money an hour; None where none is set."""

    name: str
    people: int
    hours: float
    rate: float | None

    @property
    def money(self) -> float | None:
        """What they cost so far."""
        return None if self.rate is None else self.hours * self.rate


@dataclass(frozen=True, slots=True)
class What:
    """What it would have cost otherwise. Args: by_hand: all by hand; with_model: by this share."""

    by_hand: Cost
    with_model: Cost
    seconds: float
    readers: int
    cases: int


@dataclass(frozen=True, slots=True)
class Effort:
    """The page.

    Args:
        reads, planned: made, and in all.
        spent: hours without idle time, by kind of work.
        idle: hours above each reader's fence, left out.
        left: hours; None where no read has a time.
        money_left: of these, at the mean rate so far.
        end: None where nothing is left, or nobody read lately.
        against: plan in words; "" where no plan was said.
    """

    ready: bool
    reads: int = 0
    planned: int = 0
    untimed: int = 0
    readers: tuple[Times, ...] = ()
    questions: tuple[Times, ...] = ()
    kinds: tuple[Times, ...] = ()
    spent: Mapping[str, float] | None = None
    idle: float = 0.0
    left: Between | None = None
    end: End | None = None
    roles: tuple[Role, ...] = ()
    money: float | None = None
    money_left: Between | None = None
    currency: str = ""
    days: tuple[Day, ...] = ()
    against: str = ""
    late: bool = False
    terms: Mapping[str, Any] | None = None


def effort(store: Store, project: str, ledger: Ledger | None, *, now: datetime) -> Effort:
    """Put the page together.

    Args:
        ledger: of the project, up to date; None while it is being counted.
    """
    terms = get_effort_terms(store, project)
    if ledger is None:
        return Effort(ready=False, terms=terms)
    far = project_progress(store, project)
    tried, decided = trial_seconds(store, project), adjudication_seconds(store, project)
    work = _work(ledger, tried, decided)
    outstanding = far.open + far.claimed
    left = hours_left(ledger.first_reads(), outstanding)
    end = end_at_pace(ledger, outstanding, now)
    roles = tuple(_roles(store, work, terms))
    money = [one.money for one in roles if one.money is not None]
    hours = _hours(work)
    questions = protocol_of(store, project).protocol.questions
    against, late = against_plan(terms, sum(hours.values()), left, end)
    return Effort(
        ready=True,
        reads=far.done,
        planned=far.planned,
        untimed=sum(one.unknown for one in ledger.first_reads().values()),
        readers=tuple(_readers(store, project, work)),
        questions=tuple(_questions(store, project, questions)),
        kinds=tuple(
            times_called(name or "not told", one) for name, one in sorted(ledger.cases.items())
        ),
        spent=hours,
        idle=_idle(work),
        left=left,
        end=end,
        roles=roles,
        money=sum(money) if money else None,
        money_left=_money_left(left, roles),
        currency=str(terms.get("currency", "")),
        days=tuple(hours_by_day(ledger, reader_colours(store, project), now)),
        against=against,
        late=late,
        terms=terms,
    )


_Work = dict[str, dict[str, Seconds]]


def _work(
    ledger: Ledger, tried: Mapping[str, list[float]], decided: Mapping[str, list[float]]
) -> _Work:
    made = {who: dict(kinds) for who, kinds in ledger.work.items()}
    for kind, found in ((TRIED, tried), (DECIDED, decided)):
        for who, seconds in found.items():
            made.setdefault(who, {})[kind] = times_of(seconds)
    return made


def _hours(work: _Work) -> dict[str, float]:
    return {kind: sum(one[kind].hours for one in work.values() if kind in one) for kind in KINDS}


def _idle(work: _Work) -> float:
    every = [one for kinds in work.values() for one in kinds.values()]
    return sum(one.moments()[0] / 3600 - one.hours for one in every)


def _readers(store: Store, project: str, work: _Work) -> Iterator[Times]:
    colours, left = reader_colours(store, project), left_of_readers(store, project)
    names = {one.id: one.name for one in list_users(store, keys=sorted(work))} if work else {}
    for who in sorted(work, key=lambda one: (colours.get(one, 999), one)):
        yield times_called(
            names.get(who, "former reader"),
            work[who].get(FIRST, Seconds()),
            colour=(colours.get(who, 1) - 1) % 8 + 1,
            left=left.get(who, 0),
            hours={kind: one.hours for kind, one in work[who].items()},
        )


def _questions(store: Store, project: str, questions: Sequence[Question]) -> Iterator[Times]:
    """Reads answer all questions at once: told apart by whether something was found."""
    if any(one.kind is Kind.MASK for one in questions):
        return  # paint is too large to look through while a page waits
    answers = last_answers(store, project, limit=_ANSWERS)
    for question in questions:
        if question.kind in {Kind.SCORE, Kind.NOMINAL, Kind.ORDINAL}:
            groups: dict[str, Seconds] = {}
            for answer, seconds in answers:
                value = answer.get(question.id)
                if isinstance(value, str):
                    groups.setdefault(value, Seconds()).add(seconds)
            named = [(name, groups[name]) for name in question.names if name in groups]
        else:
            found, none = Seconds(), Seconds()
            for answer, seconds in answers:
                if question.id in answer:
                    (found if answer[question.id] else none).add(seconds)
            named = [("something found", found), ("nothing found", none)]
        for name, one in named:
            if one.count:
                yield times_called(f"{headed(question.prompt)} {name}", one)


def _roles(store: Store, work: _Work, terms: Mapping[str, Any]) -> Iterator[Role]:
    """Readers by their profession; who adjudicates is paid as such for that time."""
    profiles = profiles_of(store, sorted(work)) if work else {}
    people: dict[str, set[str]] = {}
    hours: dict[str, float] = {}
    for who, kinds in work.items():
        for kind, one in kinds.items():
            role = SENIOR if kind == DECIDED else profiles[who].profession.strip().lower() or PLAIN
            people.setdefault(role, set()).add(who)
            hours[role] = hours.get(role, 0.0) + one.hours
    rates = terms.get("rates", {})
    for role in sorted(set(people) | set(rates), key=lambda one: (-hours.get(one, 0.0), one)):
        yield Role(role, len(people.get(role, ())), hours.get(role, 0.0), rates.get(role))


def _money_left(left: Between | None, roles: Sequence[Role]) -> Between | None:
    paid = [(one.hours, one.rate) for one in roles if one.rate is not None and one.name != SENIOR]
    hours = sum(one for one, _ in paid)
    if left is None or not hours:
        return None
    rate = sum(one * (of or 0.0) for one, of in paid) / hours
    low, high = (None if one is None else one * rate for one in (left.low, left.high))
    return Between(left.value * rate, low, high)


def what_if(found: Effort, *, cases: int, readers: int, labelled: float, review: float) -> What:
    """What the whole would have cost by hand, and with a model whose labels readers check.

    Args:
        cases: of the project.
        readers: of each case.
        labelled: share of the cases that is labelled by hand; the rest is reviewed.
        review: seconds to review one.
    Raises:
        InputError: no read has a time; a share outside 0 .. 1.
    """
    timed = [one for one in found.readers if one.reads and one.hours]
    reads = sum(one.reads for one in timed)
    if not reads:
        raise InputError("reads", "have a time", "none that has")
    seconds = 3600 * sum((one.hours or {}).get(FIRST, 0.0) for one in timed) / reads
    by_hand = cost(steps_of(cases, seconds, readers=readers))
    steps = steps_of(cases, seconds, readers=readers, labelled=labelled, review_seconds=review)
    return What(by_hand, cost(steps), seconds, readers, cases)


def save_terms(store: Store, project: str, fields: Mapping[str, str], *, by: str) -> None:
    """Keep rates, currency, hours and deadline as a form gives them ("rate:<role>").

    Raises:
        InputError: a number or a day that is none.
    """
    rates = {
        name.removeprefix("rate:"): _number("rate", text)
        for name, text in fields.items()
        if name.startswith("rate:") and text.strip()
    }
    terms: dict[str, Any] = {"rates": rates} if rates else {}
    if fields.get("currency", "").strip():
        terms["currency"] = fields["currency"].strip()[:8]
    if fields.get("hours", "").strip():
        terms["hours"] = _number("planned hours", fields["hours"])
    if fields.get("deadline", "").strip():
        try:
            terms["deadline"] = date.fromisoformat(fields["deadline"].strip()).isoformat()
        except ValueError as error:
            raise InputError("deadline", "be a day as 2026-12-24", fields["deadline"]) from error
    set_effort_terms(store, project, terms, by)


def _number(name: str, text: str) -> float:
    try:
        found = float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(name, "be a number", text[:40]) from error
    if not 0 < found <= 1e9:
        raise InputError(name, "be above 0", text[:40])
    return found


def as_table(found: Effort) -> list[list[str]]:
    """The page as rows of a table: a reader and kind of work each, names in the first row."""
    rows = [["reader", "work", "reads", "median_seconds", "q1_seconds", "q3_seconds", "hours"]]
    for one in found.readers:
        for kind, hours in (one.hours or {}).items():
            figures = (one.median, one.low, one.high) if kind == FIRST else (None, None, None)
            told = ["" if value is None else f"{value:.1f}" for value in figures]
            count = str(one.reads) if kind == FIRST else ""
            # a spreadsheet must not take a name for a formula
            name = f"'{one.name}" if one.name[:1] in "=+-@\t\r" else one.name
            rows.append([name, kind, count, *told, f"{hours:.4f}"])
    return rows
