"""One reader as the lead sees them: every chart, every figure, and what was done when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from overread.app.analysis.project_reads import FRAME
from overread.app.analysis.readers_agree import Figure, ReadersAgree
from overread.app.quality.chart_wall import ChartLine, charts_of
from overread.app.quality.gold_figures import Figure as Score
from overread.app.quality.gold_figures import figures
from overread.app.quality.gold_scores import GoldRead, gold_reads
from overread.app.quality.quality_board import ReaderQuality, quality
from overread.app.quality.watch_project import ProjectWatch
from overread.app.study.case_browser import reader_colours
from overread.app.study.project_model import ProjectModel
from overread.app.study.project_protocol import protocol_of
from overread.protocol import Protocol
from overread.store import (
    AlarmRow,
    ReaderCounts,
    Store,
    list_alarms,
    list_certificates,
    list_feedback,
    list_reader_counts,
    list_users,
)
from overread.store.errors import NotFoundError
from overread.store.quality.pauses import past_pauses
from overread.store.work.sub_batches import sub_batches

_ALL = 300  # overlap reads of a large chart: as many as are remembered
_BLOCKS = 6  # stretches that gold is told by


@dataclass(frozen=True, slots=True)
class Named:
    """A reader by name. Args: colour: the same on every page."""

    id: str
    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a reader agrees, in one question.

    Args:
        what: the figures by name: with the others, of pairs, with themselves.
        against, within: None where there is none.
        pairs: with each other reader, the lowest first.
    """

    prompt: str
    what: ReadersAgree
    against: Figure | None
    within: Figure | None
    pairs: tuple[tuple[Named, Figure], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """One figure for every two readers of a question. Args: cells: row by row; None is none."""

    prompt: str
    name: str
    readers: tuple[Named, ...]
    cells: tuple[tuple[Figure | None, ...], ...]


@dataclass(frozen=True, slots=True)
class GoldLine:
    """Hidden gold of a question over time. Args: parts: words and figure, the oldest first."""

    prompt: str
    what: str
    whole: Figure
    parts: tuple[tuple[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done about a reader. Args: path: where more is told, or ""."""

    when: str
    words: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """A reader. Args: charts: question's prompt and its charts, large."""

    reader: ReaderQuality
    counts: ReaderCounts | None
    charts: tuple[tuple[str, tuple[ChartLine, ...]], ...]
    agreement: tuple[Agreement, ...]
    gold: tuple[GoldLine, ...]
    done: tuple[Done, ...]


def reader_page(
    store: Store,
    project: str,
    reader: str,
    watch: ProjectWatch | None,
    model: ProjectModel | None = None,
) -> ReaderPage:
    """One reader of a project.

    Raises:
        NotFoundError: they do not read here.
    """
    board = quality(store, project, watch, reader=reader)
    found = next(iter(board.readers), None)
    if found is None:
        raise NotFoundError("reader", reader)
    counts = next(iter(list_reader_counts(store, project, reader=reader)), None)
    protocol = protocol_of(store, project).protocol
    return ReaderPage(
        found,
        counts,
        tuple(_charts(store, watch, reader)),
        tuple(_agreement(protocol, model, reader, _named(store, project))),
        tuple(_gold(protocol, [one for one in gold_reads(store, project) if one.reader == reader])),
        tuple(_done(store, project, reader)),
    )


def agreements(
    store: Store, project: str, model: ProjectModel | None
) -> Mapping[str, list[tuple[ReadersAgree, Figure]]]:
    """Reader -> how they agree with the others, question by question; for the wall."""
    made: dict[str, list[tuple[ReadersAgree, Figure]]] = {}
    for one in protocol_of(store, project).protocol.questions:
        of = model.questions.get(one.id) if model else None
        agree = of.agree if of else None
        for reader, figure in (agree.against if agree else {}).items():
            if agree is not None:
                made.setdefault(reader, []).append((agree, figure))
    return made


def matrices(store: Store, project: str, model: ProjectModel | None) -> list[Matrix]:
    """One figure for every two readers, question by question."""
    names = _named(store, project)
    made: list[Matrix] = []
    for one in protocol_of(store, project).protocol.questions:
        of = model.questions.get(one.id) if model else None
        agree = of.agree if of else None
        if agree is None or not agree.pairs:
            continue
        known = {reader for pair in agree.pairs for reader in pair}
        readers = tuple(named for key, named in names.items() if key in known)
        cells = tuple(
            tuple(_pair(agree, row.id, column.id) for column in readers) for row in readers
        )
        made.append(Matrix(one.prompt, agree.pair_name, readers, cells))
    return made


def _pair(agree: ReadersAgree, one: str, other: str) -> Figure | None:
    return agree.pairs.get((one, other)) or agree.pairs.get((other, one))


def _named(store: Store, project: str) -> dict[str, Named]:
    colours = reader_colours(store, project)
    names = {one.id: one.name for one in list_users(store, keys=list(colours))}
    return {key: Named(key, names.get(key, ""), colour) for key, colour in colours.items()}


def _charts(
    store: Store, watch: ProjectWatch | None, reader: str
) -> Iterator[tuple[str, tuple[ChartLine, ...]]]:
    for one in () if watch is None else tuple(watch.questions.values()):
        state, design = one.shown.states.get(reader), one.shown.design
        if state is None or design is None:
            continue
        cases = {seen.case.split(FRAME, maxsplit=1)[0] for seen in state.recent}
        parts = {
            case: f"sub-batch {batch + 1}.{sub + 1}"
            for case, (batch, sub) in sub_batches(store, sorted(cases)).items()
        }
        charts = charts_of(design, state, most=_ALL, parts=parts)
        yield one.question.prompt, tuple(sorted(charts, key=lambda each: -each.share))


def _agreement(
    protocol: Protocol, model: ProjectModel | None, reader: str, names: Mapping[str, Named]
) -> Iterator[Agreement]:
    for one in protocol.questions:
        of = model.questions.get(one.id) if model else None
        agree = of.agree if of else None
        if agree is None:
            continue
        pairs = [
            (names[other], figure)
            for pair, figure in agree.pairs.items()
            if reader in pair
            for other in pair
            if other != reader and other in names
        ]
        pairs.sort(key=lambda each: each[1].value)
        against, within = agree.against.get(reader), agree.within.get(reader)
        yield Agreement(one.prompt, agree, against, within, tuple(pairs))


def _gold(protocol: Protocol, reads: Sequence[GoldRead]) -> Iterator[GoldLine]:
    size = max(-(-len(reads) // _BLOCKS), 5)
    blocks = [reads[start : start + size] for start in range(0, len(reads), size)]
    prompts = {one.id: one.prompt for one in protocol.questions}
    by_block = [figures(protocol, [one.marks for one in block]) for block in blocks]
    for whole in figures(protocol, [one.marks for one in reads]):
        parts = [
            (block[0].submitted[:10], _figure(each.whole))
            for block, found in zip(blocks, by_block, strict=True)
            for each in found
            if each.id == whole.id
        ]
        yield GoldLine(prompts[whole.id], whole.whole.what, _figure(whole.whole), tuple(parts))


def _figure(one: Score) -> Figure:
    """A score of gold in the shape of the figures of agreement."""
    return Figure(one.estimate, one.low, one.high, one.n)


_DECIDED = {"released": "Released", "retired": "Retired", "dismissed": "Alarm dismissed"}


def _done(store: Store, project: str, reader: str) -> list[Done]:
    """What was done about a reader, the newest first."""
    made: list[Done] = []
    certificate = list_certificates(store, project).get(reader)
    if certificate is not None:
        made.append(Done(certificate.since, f"Qualified ({certificate.how})."))
    alarms = list_alarms(store, project, reader=reader)
    for one in alarms:
        made += _of_alarm(one)
    for row in list_feedback(store, project, reader=reader):
        if row.seen:
            made.append(Done(row.seen, "Looked at a case again.", f"/cases/{row.case}"))
    for given in {(row.alarm, row.given) for row in list_feedback(store, project, reader=reader)}:
        made.append(Done(given[1], "Was let see cases again.", f"/alarms/{given[0]}"))
    for pause in past_pauses(store, project, reader=reader):
        if not pause.alarm:  # one of an alarm is told by it
            made.append(Done(pause.since, f"Paused by hand: {pause.reason}"))
        if pause.until and not pause.ended_alarm:
            made.append(Done(pause.until, f"Let go on: {pause.why_ended}"))
    return sorted(made, key=lambda one: one.when, reverse=True)


def _of_alarm(one: AlarmRow) -> Iterator[Done]:
    path = f"/alarms/{one.id}"
    yield Done(one.raised, f"Alarm: {one.told['words']}.", path)
    if one.decided:
        fresh = f"{one.checked} fresh cases were read." if one.checked else ""
        checked = f" {one.found or fresh}".rstrip()
        yield Done(one.decided, f"{_DECIDED[one.state]}: {one.reason}{checked}", path)
