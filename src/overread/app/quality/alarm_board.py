"""One alarm as the lead sees it: chart, worst cases, looking again, the check, the decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from overread.app.analysis.project_reads import FRAME
from overread.app.quality import feedback
from overread.app.quality.chart_wall import (
    in_words,
    interval,
)
from overread.app.quality.watch_memory import QuestionWatch
from overread.app.quality.watch_project import ProjectWatch
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.store import (
    AlarmRow,
    Store,
    ask_check,
    case_names,
    check_cases,
    decide_alarm,
    fresh_overlap,
    get_alarm,
    list_feedback,
    list_pauses,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check went.

    Args:
        cases: id, name and state of each.
        done: read so far.
        in_line: the check's interval holds what is usual; None while too few are read.
        words: the sentence of it.
    """

    cases: tuple[tuple[str, str, str], ...]
    done: int
    words: str
    in_line: bool | None


@dataclass(frozen=True, slots=True)
class AlarmPage:
    """An alarm with its chart, the worst cases, the check.

    Args:
        shown, seen: cases that its reader was let see, and says to have seen.
        lets_out: the protocol allows it.
    """

    alarm: AlarmRow
    colour: int
    worst: tuple[tuple[str, str, float], ...]
    marks: tuple[tuple[float, str], ...]
    check: Checked
    checkable: int
    paused: bool
    wanted: int
    shown: int
    seen: int
    lets_out: bool


def alarm_page(store: Store, alarm: str, watch: ProjectWatch | None) -> AlarmPage:
    """One alarm.

    Raises:
        NotFoundError: no such alarm.
    """
    row = get_alarm(store, alarm)
    watching = protocol_of(store, row.project).protocol.watch
    given = list_feedback(store, row.project, alarm=alarm)
    names = case_names(store, [one["case"] for one in row.told["worst"]])
    worst = [(one["case"], names.get(one["case"], ""), one["score"]) for one in row.told["worst"]]
    return AlarmPage(
        row,
        reader_colours(store, row.project).get(row.reader, 1),
        tuple(worst),
        tuple(_marks(row)),
        _checked(store, row, watch),
        len(fresh_overlap(store, row.project, row.reader, most=1_000)),
        row.reader in list_pauses(store, row.project),
        watching.check_cases,
        len(given),
        sum(bool(one.seen) for one in given),
        watching.feedback != feedback.NONE,
    )


def let_out(store: Store, alarm: str, *, by: str) -> None:
    """Let the reader of an alarm see its worst cases beside what the others say together.

    Raises:
        ConflictError: the alarm was decided, or the protocol lets nothing out.
        InputError: the others say nothing together of any of them, or all are let out.
    """
    if not feedback.let_out(store, alarm, by=by):
        rule = "have cases of this alarm of which two others or more say the same"
        raise InputError("feedback", rule, "none that they do not see already")


def check_reader(store: Store, alarm: str, count: int, *, by: str) -> int:
    """Give the reader of an alarm cases that others read and they never had.

    Raises:
        InputError: there are none.
        ConflictError: the alarm was decided.
    """
    row = get_alarm(store, alarm)
    cases = fresh_overlap(store, row.project, row.reader, most=count)
    if not cases:
        rule = "have cases that two others read and this reader did not"
        raise InputError("check", rule, "none", remedy="Wait until others have read more.")
    return ask_check(store, alarm, cases, by)


def decide(
    store: Store,
    alarm: str,
    state: str,
    watch: ProjectWatch | None = None,
    *,
    reason: str,
    suspects: str,
    by: str,
) -> None:
    """Decide on an alarm, as of the store's; what its check found is kept with the decision."""
    found = _checked(store, get_alarm(store, alarm), watch).words
    decide_alarm(store, alarm, state, reason=reason, suspects=suspects, found=found, by=by)


def _marks(row: AlarmRow) -> Iterator[tuple[float, str]]:
    """Values that the axis of an alarm's chart names: none, and the ends."""
    values = [one["value"] for one in row.told["points"]] or [0.0]
    reach = max(abs(min(values)), abs(max(values))) or 1.0
    scale, unit = row.told.get("scale", "plain"), row.told["effect"]["unit"]
    for value in (reach, 0.0, -reach):
        yield value, in_words(scale, unit, value) if value else "as usual"


def _checked(store: Store, row: AlarmRow, watch: ProjectWatch | None) -> Checked:
    found = check_cases(store, row.id)
    names = case_names(store, [case for case, _ in found])
    cases = tuple((case, names.get(case, ""), state) for case, state in found)
    done = [case for case, state in found if state == "done"]
    levels = list(_levels(watch, row, set(done)))
    if len(levels) < 5:
        words = f"{len(done)} of {len(cases)} read." if cases else ""
        return Checked(cases, len(done), words, None)
    mean, bottom, top = interval(levels)
    scale, unit = row.told.get("scale", "plain"), row.told["effect"]["unit"]
    low, high = (in_words(scale, unit, one) for one in (bottom, top))
    in_line = bottom <= 0 <= top
    told = f"{row.told['name']}: {in_words(scale, unit, mean)} ({low} to {high})"
    verdict = "in line with the others" if in_line else "still off"
    words = f"On {len(levels)} fresh cases they are {verdict}. {told}, where 0 is as usual."
    return Checked(cases, len(done), words, in_line)


def _levels(watch: ProjectWatch | None, row: AlarmRow, cases: set[str]) -> Iterator[float]:
    """What the metric of an alarm is on the cases of its check."""
    one: QuestionWatch | None = None
    if watch is not None:
        one = watch.questions.get(str(row.told.get("question")))
    design = None if one is None else one.shown.design
    state = None if one is None else one.shown.states.get(row.reader)
    if state is None or design is None:
        return
    keys = [metric.key for metric in design.metrics]
    if row.told["metric"] not in keys:
        return
    place = keys.index(row.told["metric"])
    for seen in state.recent:
        value = seen.away[place]
        if seen.case.split(FRAME, maxsplit=1)[0] in cases and value is not None:
            yield value


def project_of_alarm(store: Store, alarm: str) -> str:
    """Project of an alarm.

    Raises:
        NotFoundError: no such alarm.
    """
    return get_alarm(store, alarm).project
