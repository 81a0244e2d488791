"""Reader hours, person-years and money that a plan costs, and what another plan saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from overread.errors import InputError

_SECONDS_AN_HOUR = 3600


def _above_zero(name: str, value: float) -> None:
    if not value > 0:
        raise InputError(name, "be above 0", value)


@dataclass(frozen=True, slots=True)
class WorkingYear:
    """What one person works: hours a day, days a month, months a year (2,016 hours by default)."""

    hours_a_day: float = 8
    days_a_month: float = 21
    months: float = 12

    def __post_init__(self) -> None:
        for name, value in (
            ("hours a day", self.hours_a_day),
            ("days a month", self.days_a_month),
            ("months", self.months),
        ):
            _above_zero(name, value)

    @property
    def hours(self) -> float:
        """Working hours of a year."""
        return self.hours_a_day * self.days_a_month * self.months


YEAR = WorkingYear()


@dataclass(frozen=True, slots=True)
class Step:
    """Work of one kind.

    Args:
        name: "labelling", "reviewing", "overlap", ...
        cases: how many (a share of the data set may give a fraction).
        seconds: that one reader needs for one case.
        readers: of each case.
    """

    name: str
    cases: float
    seconds: float
    readers: float = 1

    def __post_init__(self) -> None:
        for name, value in (("cases", self.cases), ("readers", self.readers)):
            if not value >= 0:
                raise InputError(name, "be 0 or more", value)
        _above_zero("seconds", self.seconds)

    @property
    def reads(self) -> float:
        """Cases times readers."""
        return self.cases * self.readers

    @property
    def hours(self) -> float:
        """Hours of all readers together."""
        return self.reads * self.seconds / _SECONDS_AN_HOUR


@dataclass(frozen=True, slots=True)
class Cost:
    """What the steps cost together.

    Args:
        steps: one by one.
        hours: of all readers together.
        person_years: hours over those of a working year.
        money: at the rate given; None without one.
        months: on the calendar with the team given; None without one.
        words: the same in plain words.
    """

    steps: tuple[Step, ...]
    hours: float
    person_years: float
    money: float | None
    months: float | None
    words: str

    def saving(self, other: Cost) -> float:
        """Share of the other's hours that this plan saves; negative where it costs more."""
        return 1 - self.hours / other.hours


def steps_of(
    cases: float,
    seconds: float,
    *,
    readers: float = 1,
    labelled: float = 1.0,
    review_seconds: float | None = None,
    reviewers: float | None = None,
    overlap: float = 0.0,
    overlap_readers: float = 0,
) -> tuple[Step, ...]:
    """Steps of the usual plans: all cases labelled, or some labelled and the rest reviewed.

    Args:
        cases: of the data set.
        seconds: to label one.
        readers: who label each case.
        labelled: share of the cases that people label; a model labels the rest, people review it.
        review_seconds: to review one; needed where ``labelled`` is below 1.
        reviewers: of each case reviewed; as many as ``readers`` unless said.
        overlap: share of the labelled cases that ``overlap_readers`` label instead of ``readers``.
    Raises:
        InputError: a share outside 0 .. 1, no review seconds where they are needed.
    Example:
        >>> [step.hours for step in steps_of(100_000, 600, readers=3)]
        [50000.0]
    """
    for name, share in (("labelled share", labelled), ("overlap share", overlap)):
        if not 0 <= share <= 1:
            raise InputError(name, "be between 0 and 1", share)
    if overlap and overlap_readers < readers:
        raise InputError("readers of the overlap", f"be at least {readers:g}", overlap_readers)
    by_hand = cases * labelled
    steps = [Step("labelling", by_hand * (1 - overlap), seconds, readers)]
    if overlap:
        steps.append(Step("overlap", by_hand * overlap, seconds, overlap_readers))
    if labelled < 1:
        if review_seconds is None:
            remedy = "They are what a reader needs to check a label that a model made."
            raise InputError("review seconds", "be given", "none", remedy=remedy)
        many = readers if reviewers is None else reviewers
        steps.append(Step("reviewing", cases - by_hand, review_seconds, many))
    return tuple(steps)


def cost(
    steps: Sequence[Step],
    *,
    year: WorkingYear = YEAR,
    rate: float | None = None,
    team: int | None = None,
) -> Cost:
    """Add up what the steps cost.

    Args:
        year: of one person.
        rate: money for an hour of a reader.
        team: people who share the work, full time.
    Source:
        Bangert et al. 2021, Front. Radiol. 1:748968 (the arithmetic of the example).

    Example:
        The example of the Samsung article: 100,000 images, three labellers, 10 minutes each.

        >>> all_by_hand = cost(steps_of(100_000, 600, readers=3))
        >>> round(all_by_hand.person_years, 2)
        24.8
        >>> with_model = cost(
        ...     steps_of(100_000, 600, readers=3, labelled=0.1, review_seconds=20)
        ... )
        >>> round(with_model.person_years, 2), round(with_model.saving(all_by_hand), 2)
        (3.22, 0.87)
    """
    hours = sum(step.hours for step in steps)
    years = hours / year.hours
    if rate is not None:
        _above_zero("rate", rate)
    if team is not None:
        _above_zero("team", team)
    money = None if rate is None else hours * rate
    months = None if team is None else years / team * year.months
    made = Cost(tuple(steps), hours, years, money, months, "")
    return replace(made, words=_words(made, team))


def _words(made: Cost, team: int | None) -> str:
    parts = [f"{step.name} {step.reads:,.0f} reads, {step.hours:,.0f} h" for step in made.steps]
    text = (
        f"{made.hours:,.0f} reader hours ({'; '.join(parts)}): {made.person_years:,.2f} "
        "person-years"
    )
    if made.money is not None:
        text += f", {made.money:,.0f} in money"
    if made.months is not None:
        text += f"; {made.months:,.1f} months for {team} people"
    return text + "."
