"""How the readers of a project do, for its lead: charts, alarms, what to do about them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from overread.app.analysis.project_reads import FRAME
from overread.app.quality import feedback
from overread.app.quality.watch_project import ProjectWatch, QuestionWatch
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.errors import InputError
from overread.monitoring import Chart, Design, Limits, Metric, ReaderState, sums_of
from overread.protocol import Watch
from overread.store import (
    OPEN_ALARMS,
    AlarmRow,
    Store,
    ask_check,
    case_names,
    check_cases,
    decide_alarm,
    fresh_overlap,
    get_alarm,
    list_alarms,
    list_feedback,
    list_pauses,
    list_users,
    pause_reader,
    release_reader,
)

_SHOWN = 80  # last overlap reads of a chart
_CLOSE = 0.7  # share of a limit from which a chart is worth a look


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One chart of a reader.

    Args:
        name: of the metric.
        points: the last values in the metric's own unit, oldest first.
        share: evidence as a share of the limit; 1 is an alarm.
        now: level of the last ten reads, in words.
    """

    name: str
    points: tuple[float, ...]
    share: float
    now: str


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """What a question's charts say of a reader. Args: reads: that could be compared."""

    prompt: str
    reads: int
    charts: tuple[ChartLine, ...]
    lacking: str


@dataclass(frozen=True, slots=True)
class ReaderQuality:
    """A reader. Args: state: "paused", "alarm", "close", "steady" or "learning"; words: of it."""

    id: str
    name: str
    colour: int
    state: str
    words: str
    alarm: AlarmRow | None
    questions: tuple[QuestionLine, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """A project's readers.

    Args:
        past: alarms that were decided, newest first.
        wish: what the protocol wants done on an alarm, in sentences.
    """

    readers: tuple[ReaderQuality, ...]
    open: tuple[AlarmRow, ...]
    past: tuple[AlarmRow, ...]
    wish: tuple[str, ...]
    run_length: float


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


def quality(store: Store, project: str, watch: ProjectWatch | None) -> Quality:
    """All readers of a project with their charts."""
    alarms = list_alarms(store, project)
    standing = {one.reader: one for one in alarms if one.state in OPEN_ALARMS}
    pauses = list_pauses(store, project)
    colours = reader_colours(store, project)
    wish = protocol_of(store, project).protocol.watch
    made: list[ReaderQuality] = []
    reading = who_reads(store, project)
    names = {one.id: one.name for one in list_users(store, keys=reading)}
    for who in reading:
        lines = tuple(_questions(watch, who))
        alarm, pause = standing.get(who), pauses.get(who)
        state, words = _state(lines, alarm, None if pause is None else pause.reason)
        made.append(ReaderQuality(who, names[who], colours.get(who, 1), state, words, alarm, lines))
    made.sort(key=lambda one: ("paused", "alarm", "close", "steady", "learning").index(one.state))
    return Quality(
        tuple(made),
        tuple(one for one in alarms if one.state in OPEN_ALARMS),
        tuple(one for one in alarms if one.state not in OPEN_ALARMS),
        tuple(_wish(wish)),
        wish.run_length,
    )


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


def decide(store: Store, alarm: str, state: str, *, reason: str, suspects: str, by: str) -> None:
    """Decide on an alarm; as of the store's."""
    decide_alarm(store, alarm, state, reason=reason, suspects=suspects, by=by)


def pause(store: Store, project: str, reader: str, *, reason: str, by: str) -> None:
    """Pause a reader by hand."""
    pause_reader(store, project, reader, reason, by)


def go_on(store: Store, project: str, reader: str, *, reason: str, by: str) -> None:
    """Release a reader who was paused by hand."""
    release_reader(store, project, reader, reason, by)


_DONE = {
    "pause": "the reader is paused at once",
    "ask the lead": "the lead is asked; the reader goes on meanwhile",
    "warn": "the lead is told; nothing is stopped",
}


def _wish(watch: Watch) -> Iterator[str]:
    """What the protocol wants done, in sentences."""
    policy = watch.on_alarm
    told = {
        "Where a reader is no longer as before": policy.change,
        "Where they change slowly": policy.slow,
        "Where they were always apart from the others": policy.level,
    }
    if len(set(told.values())) == 1:
        told = {"On an alarm": policy.change}
    for when, action in told.items():
        also = action == "pause" and watch.set_aside
        yield f"{when}: {_DONE[action]}{_ASIDE if also else ''}."


_ASIDE = " and their reads since the last good point are set aside"


def _state(
    lines: Sequence[QuestionLine], alarm: AlarmRow | None, paused: str | None
) -> tuple[str, str]:
    if alarm is not None:
        words = str(alarm.told.get("words", ""))
        return ("alarm" if paused is None else "paused"), words[:1].upper() + words[1:] + "."
    if paused is not None:
        return "paused", paused
    charts = [(chart, line) for line in lines for chart in line.charts]
    if not charts:
        return "learning", next((one.lacking for one in lines if one.lacking), "Nothing read yet.")
    near, _ = max(charts, key=lambda one: one[0].share)
    reads = max(line.reads for line in lines)
    if near.share >= _CLOSE:
        return "close", f"{near.name}: {100 * near.share:.0f} % of the way to an alarm."
    return "steady", f"No change seen in {reads} reads that others read too."


def _questions(watch: ProjectWatch | None, reader: str) -> Iterator[QuestionLine]:
    for one in () if watch is None else tuple(watch.questions.values()):
        state, design = one.states.get(reader), one.design
        if state is None or design is None:
            lacking = one.lacking or "None of their reads can be compared yet."
            yield QuestionLine(one.question.prompt, 0, (), lacking)
            continue
        yield QuestionLine(one.question.prompt, state.reads, tuple(_charts(design, state)), "")


def _charts(design: Design, state: ReaderState) -> Iterator[ChartLine]:
    for place, (limits, chart) in enumerate(zip(design.limits, state.charts, strict=True)):
        if limits is None or chart is None:
            continue
        metric = design.metrics[place]
        values = [one.away[place] for one in state.recent]
        points = [value for value in values if value is not None][-_SHOWN:]
        if points:
            last = points[-10:]
            now = in_words(metric, sum(last) / len(last))
            yield ChartLine(metric.name, tuple(points), _share(limits, chart), now)


def _share(limits: Limits, chart: Chart) -> float:
    """How near the nearest of a metric's charts is to its limit."""
    sums = sums_of(limits, chart)
    return max((value / limit for value, limit, _, _ in sums if limit), default=0.0)


def in_words(metric: Metric, value: float) -> str:
    """A difference in a metric's own unit, for a label."""
    return _label(metric.scale, metric.unit, value)


def _label(scale: str, unit: str, value: float) -> str:
    if scale in {"log", "share"}:
        share = 100 * (math.expm1(value) if scale == "log" else value)
        return "0 %" if abs(share) < 0.5 else f"{share:+.0f} %"
    return f"{value:+.2f} {unit}".rstrip()


def _marks(row: AlarmRow) -> Iterator[tuple[float, str]]:
    """Values that the axis of an alarm's chart names: none, and the ends."""
    values = [one["value"] for one in row.told["points"]] or [0.0]
    reach = max(abs(min(values)), abs(max(values))) or 1.0
    scale, unit = row.told.get("scale", "plain"), row.told["effect"]["unit"]
    for value in (reach, 0.0, -reach):
        yield value, _label(scale, unit, value) if value else "as usual"


def _checked(store: Store, row: AlarmRow, watch: ProjectWatch | None) -> Checked:
    found = check_cases(store, row.id)
    names = case_names(store, [case for case, _ in found])
    cases = tuple((case, names.get(case, ""), state) for case, state in found)
    done = [case for case, state in found if state == "done"]
    levels = list(_levels(watch, row, set(done)))
    if len(levels) < 5:
        words = f"{len(done)} of {len(cases)} read." if cases else ""
        return Checked(cases, len(done), words, None)
    mean = sum(levels) / len(levels)
    spread = math.sqrt(sum((one - mean) ** 2 for one in levels) / (len(levels) - 1))
    reach = float(stdtrit(len(levels) - 1, 0.975)) * spread / math.sqrt(len(levels))
    scale, unit = row.told.get("scale", "plain"), row.told["effect"]["unit"]
    low, high = (_label(scale, unit, one) for one in (mean - reach, mean + reach))
    in_line = mean - reach <= 0 <= mean + reach
    told = f"{row.told['name']}: {_label(scale, unit, mean)} ({low} to {high})"
    verdict = "in line with the others" if in_line else "still off"
    words = f"On {len(levels)} fresh cases they are {verdict}. {told}, where 0 is as usual."
    return Checked(cases, len(done), words, in_line)


def _levels(watch: ProjectWatch | None, row: AlarmRow, cases: set[str]) -> Iterator[float]:
    """What the metric of an alarm is on the cases of its check."""
    one: QuestionWatch | None = None
    if watch is not None:
        one = watch.questions.get(str(row.told.get("question")))
    state = None if one is None else one.states.get(row.reader)
    if one is None or state is None or one.design is None:
        return
    keys = [metric.key for metric in one.design.metrics]
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
