"""How the readers of a project do, for its lead: charts, alarms, what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from overread.app.analysis.project_reads import FRAME
from overread.app.quality import feedback
from overread.app.quality.chart_wall import (
    CLOSE,
    ChartLine,
    charts_of,
    common_reach,
    in_words,
    interval,
    key_charts,
    key_metrics,
    scaled,
)
from overread.app.quality.watch_memory import QuestionWatch
from overread.app.quality.watch_project import ProjectWatch
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.errors import InputError
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


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """What a question's charts say of a reader.

    Args:
        reads: that could be compared.
        charts: all of them; shown: those that stand on the card at first.
        lacking: why there are none.
    """

    id: str
    prompt: str
    reads: int
    charts: tuple[ChartLine, ...]
    shown: tuple[ChartLine, ...]
    lacking: str

    @property
    def more(self) -> tuple[ChartLine, ...]:
        """Those that stand behind a click, nearest to an alarm first."""
        rest = [one for one in self.charts if one not in self.shown]
        return tuple(sorted(rest, key=lambda one: -one.share))


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
    """A project's readers, worst first.

    Args:
        metrics: question, key and name of each metric that can be chosen; chosen: the one that
            is, "question:key", or "".
        past: alarms that were decided, newest first.
        wish: what the protocol wants done on an alarm, in sentences.
    """

    readers: tuple[ReaderQuality, ...]
    open: tuple[AlarmRow, ...]
    past: tuple[AlarmRow, ...]
    wish: tuple[str, ...]
    run_length: float
    metrics: tuple[tuple[str, str, str], ...] = ()
    chosen: str = ""


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


def quality(store: Store, project: str, watch: ProjectWatch | None, *, chosen: str = "") -> Quality:
    """All readers of a project with their charts.

    Args:
        watch: over the project; None where there is none yet.
        chosen: "question:metric" shows this metric alone.
    """
    alarms = list_alarms(store, project)
    standing = {one.reader: one for one in alarms if one.state in OPEN_ALARMS}
    pauses = list_pauses(store, project)
    colours = reader_colours(store, project)
    wish = protocol_of(store, project).protocol.watch
    reading = who_reads(store, project)
    names = {one.id: one.name for one in list_users(store, keys=reading)}
    questions = () if watch is None else tuple(watch.questions.values())
    lines = {who: list[QuestionLine]() for who in reading}
    for one in questions:
        for who, line in _lines(one, reading, chosen):
            lines[who].append(line)
    made: list[ReaderQuality] = []
    for who in reading:
        alarm, pause = standing.get(who), pauses.get(who)
        state, words = _state(lines[who], alarm, None if pause is None else pause.reason)
        found = tuple(lines[who])
        made.append(ReaderQuality(who, names[who], colours.get(who, 1), state, words, alarm, found))
    return Quality(
        tuple(sorted(made, key=_worst_first)),
        tuple(one for one in alarms if one.state in OPEN_ALARMS),
        tuple(one for one in alarms if one.state not in OPEN_ALARMS),
        tuple(_wish(wish)),
        wish.run_length,
        tuple(_metrics(questions)),
        chosen,
    )


_STATES = ("paused", "alarm", "close", "steady", "learning")


def _worst_first(one: ReaderQuality) -> tuple[int, float]:
    shares = [chart.share for line in one.questions for chart in line.charts]
    return _STATES.index(one.state), -max(shares, default=0.0)


def _metrics(questions: Sequence[QuestionWatch]) -> Iterator[tuple[str, str, str]]:
    for one in questions:
        design = one.shown.design
        for metric, limits in (
            () if design is None else zip(design.metrics, design.limits, strict=True)
        ):
            if limits is not None:
                yield one.question.id, metric.key, metric.name


def _lines(
    one: QuestionWatch, reading: Sequence[str], chosen: str
) -> Iterator[tuple[str, QuestionLine]]:
    """What the charts of a question say of each reader, on one scale a metric."""
    charting, prompt, id_ = one.shown, one.question.prompt, one.question.id
    design = charting.design
    charts = {
        who: tuple(charts_of(design, state))
        for who in reading
        if design is not None and (state := charting.states.get(who)) is not None
    }
    metrics = {} if design is None else {each.key: each for each in design.metrics}
    of_key: dict[str, list[ChartLine]] = {}
    for each in (chart for all_ in charts.values() for chart in all_):
        of_key.setdefault(each.key, []).append(each)
    reach = {
        key: common_reach(metrics[key], [each.points for each in all_])
        for key, all_ in of_key.items()
    }
    near = {key: max(each.share for each in all_) for key, all_ in of_key.items()}
    keys = key_metrics(near, list(metrics))
    wanted = chosen.removeprefix(f"{id_}:") if chosen.startswith(f"{id_}:") else ""
    for who in reading:
        if who not in charts:
            lacking = charting.lacking or "None of their reads can be compared yet."
            yield who, QuestionLine(id_, prompt, 0, (), (), lacking)
            continue
        all_ = tuple(scaled(each, metrics[each.key], reach[each.key]) for each in charts[who])
        shown = tuple(key_charts(all_, keys))
        if chosen:
            shown = all_ = tuple(each for each in all_ if each.key == wanted)
        yield who, QuestionLine(id_, prompt, charting.states[who].reads, all_, shown, "")


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
    if near.share >= CLOSE:
        return "close", f"{near.name}: {100 * near.share:.0f} % of the way to an alarm."
    return "steady", f"No change seen in {reads} reads that others read too."


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
