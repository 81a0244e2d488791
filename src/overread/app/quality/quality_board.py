"""How the readers of a project do, for its lead: charts, alarms, what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from overread.app.quality.chart_wall import (
    CLOSE,
    ChartLine,
    charts_of,
    common_reach,
    key_charts,
    key_metrics,
    scaled,
)
from overread.app.quality.watch_memory import NOT_LOOKED, QuestionWatch
from overread.app.quality.watch_project import ProjectWatch
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import who_reads
from overread.protocol import Watch
from overread.store import (
    OPEN_ALARMS,
    AlarmRow,
    Store,
    list_alarms,
    list_pauses,
    list_reader_counts,
    list_users,
    pause_reader,
    release_reader,
)
from overread.words import percent


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """What a question's charts say of a reader.

    Args:
        reads: that could be compared.
        charts: all of them; shown: those that stand on the card at first.
        lacking: why there are none.
        folded: the others stand on the card too, behind a click.
    """

    id: str
    prompt: str
    reads: int
    charts: tuple[ChartLine, ...]
    shown: tuple[ChartLine, ...]
    lacking: str

    folded: bool = True

    @property
    def more(self) -> tuple[ChartLine, ...]:
        """Those that stand behind a click, nearest to an alarm first; else on their own page."""
        if not self.folded:
            return ()
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


def quality(
    store: Store, project: str, watch: ProjectWatch | None, *, chosen: str = "", reader: str = ""
) -> Quality:
    """All readers of a project with their charts, or one of them.

    Args:
        watch: over the project; None where there is none yet.
        chosen: "question:metric" shows this metric alone.
        reader: this one alone, where they read here; "" for all.
    """
    alarms = list_alarms(store, project)
    standing = {one.reader: one for one in alarms if one.state in OPEN_ALARMS}
    pauses = list_pauses(store, project)
    colours = reader_colours(store, project)
    wish = protocol_of(store, project).protocol.watch
    reading = [one for one in who_reads(store, project) if reader in {"", one}]
    names = {one.id: one.name for one in list_users(store, keys=reading)}
    questions = () if watch is None else tuple(watch.questions.values())
    counts = [] if questions else list_reader_counts(store, project, reader=reader)
    waits = {one.reader for one in counts if one.done}
    lines = {who: list[QuestionLine]() for who in reading}
    for one in questions:
        for who, line in _lines(one, reading, chosen):
            lines[who].append(line)
    made: list[ReaderQuality] = []
    for who in reading:
        alarm, pause = standing.get(who), pauses.get(who)
        state, words = _state(lines[who], alarm, None if pause is None else pause.reason)
        words = words or (NOT_LOOKED if who in waits else "Nothing read yet.")
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


_FOLDED = 12  # readers up to whom a card holds all charts; the page of 50 shall stay quick


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
        reads = charting.states[who].reads
        yield who, QuestionLine(id_, prompt, reads, all_, shown, "", len(charts) <= _FOLDED)


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
        return "learning", next((one.lacking for one in lines if one.lacking), "")
    near, _ = max(charts, key=lambda one: one[0].share)
    reads = max(line.reads for line in lines)
    if near.share >= CLOSE:
        return "close", f"{near.name}: {percent(near.share)} of the way to an alarm."
    return "steady", f"No change seen in {reads} reads that others read too."
