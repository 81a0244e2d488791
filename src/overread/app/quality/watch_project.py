"""Readers of a project watched while they read: each read that others read too moves their charts.

What is kept here follows from the log alone: a server that starts again replays it, and knows the
alarms again that were raised before. A case is compared when all who were asked for it have read
it, or three have; a later reader of it is compared when they come. The design of the charts is
learned anew each time the comparisons have doubled, from the last of them: a design needs no more,
evidence that old moves no chart, and a watch over a million reads stays as small and as quick to
start again as one over some thousands. What is older is looked up when somebody reads such a case.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from overread.app.analysis.project_reads import FRAME
from overread.app.quality.feedback import let_out
from overread.app.quality.off_from_the_start import by_the_others
from overread.app.quality.tell_alarm import told_of
from overread.app.quality.watch_memory import (
    ENOUGH,
    FEWEST,
    NOT_LOOKED,
    WINDOW,
    Compared,
    QuestionWatch,
    awaited,
    forget,
    said_before,
    taken,
)
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import images_of, table_maker
from overread.errors import InputError, MethodError
from overread.monitoring import (
    Alarm,
    Seen,
    Settings,
    decide,
    design_charts,
    observe,
    release,
    seen_of,
    start,
    update,
)
from overread.protocol import Watch
from overread.store import (
    SYSTEM,
    AlarmRow,
    Store,
    before_last_reads,
    each_read,
    head,
    list_alarms,
    raise_alarm,
    wanted_reads,
)

_PAGE = 500
_BREATH = 0.002  # seconds left to others after each page of a long replay
_AGAIN, _SOON = 2.0, 1.25  # growth after which they are designed anew, or tried again


@dataclass(slots=True, eq=False)
class _Place:
    """Where a watch works: the project, what its protocol wishes, the alarms that are known."""

    store: Store
    project: str
    wish: Watch
    known: list[AlarmRow] = field(init=False)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> None:
        self.known = list_alarms(self.store, self.project)[::-1]


@dataclass(slots=True, eq=False)
class ProjectWatch:
    """The watch over one project; one thread at a time.

    Args:
        project: its id.
        until: last event of the log that was taken in.
        version: of the protocol.
        questions: by id.
    """

    project: str
    until: int = 0
    version: int = 0
    questions: dict[str, QuestionWatch] = field(default_factory=dict[str, QuestionWatch])

    def catch_up(self, store: Store) -> list[str]:
        """Take in what was read since, and raise the alarms that follow.

        Args:
            store: where.
        Returns:
            Ids of the alarms that were raised.
        """
        now = protocol_of(store, self.project)
        if now.version != self.version:
            self.until, self.version = 0, now.version
            self.questions = {one.id: QuestionWatch(one) for one in now.protocol.questions}
        if not self.until:
            self.until = before_last_reads(store, self.project, WINDOW * ENOUGH)
        last, raised = head(store).n, list[str]()
        rows = each_read(store, self.project, aside=True, after=self.until, until=last)
        for page in _pages(rows):
            wanted = wanted_reads(store, sorted({str(row["case"]) for row in page}))
            place = _Place(store, self.project, now.protocol.watch)
            self._recall(store, sorted(wanted))
            for one in self.questions.values():
                raised += _watched(one, place, taken(one, page, wanted))
                forget(one)
                one.show()
            self.until = int(page[-1]["event"])
            time.sleep(_BREATH if len(page) == _PAGE else 0)
        for one in self.questions.values():
            if one.lacking == NOT_LOOKED:  # nobody read
                one.lacking = awaited(one, store)
                one.show()
        self.until = last
        return raised

    def _recall(self, store: Store, cases: Sequence[str]) -> None:
        """Look up what was said of cases before the reads that are taken in next."""
        if not self.until:
            return
        unknown = {
            one.question.id: {case for case in cases if case not in one.said}
            for one in self.questions.values()
        }
        wanted = sorted(set[str]().union(*unknown.values()))
        if not wanted:
            return
        for row in each_read(store, self.project, aside=True, cases=wanted, until=self.until):
            for one in self.questions.values():
                if row["case"] in unknown[one.question.id]:
                    said_before(one, row)


def _pages(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


def _watched(watch: QuestionWatch, place: _Place, fresh: Sequence[Compared]) -> list[str]:
    """Move the charts by what can be compared now."""
    watch.order += fresh
    watch.compared += len(fresh)
    if watch.compared >= max(FEWEST, watch.learn_at):
        if not _learned(watch, place):
            return []
        fresh = _from_the_start(watch)
    elif watch.design is None:
        if len(watch.order) < FEWEST:
            watch.lacking = awaited(watch, place.store)
        return []
    raised: list[str] = []
    while (alarm := _moved_to_alarm(watch, place, fresh)) is not None:
        # now the others are no longer compared with the reader who drifts, and what is usual is
        # learned without them: all that stood on it is seen again
        raised.append(alarm)
        watch.design = None
        fresh = _from_the_start(watch) if _learned(watch, place) else ()
    return raised


def _from_the_start(watch: QuestionWatch) -> Sequence[Compared]:
    watch.states.clear()
    watch.alarmed.clear()
    return watch.order


def _moved_to_alarm(watch: QuestionWatch, place: _Place, fresh: Sequence[Compared]) -> str | None:
    """Move the charts up to the first alarm that is new; None where there is none."""
    seen = _seen(watch, place, {one.case for one in fresh})
    for one in fresh:
        for each in seen.get((one.case, one.reader), ()):
            alarm = _moved(watch, one, each, place.known)
            key = None if alarm is None else _raised(watch, place, one, alarm)
            if key is not None:
                return key
    return None


def _learned(watch: QuestionWatch, place: _Place) -> bool:
    """Design the charts from all that was compared, but for those about whom an alarm stands."""
    cases = {one.case for one in watch.order}
    doubted = _doubted(watch, place.known, cases)
    table = _table(watch, place.store, cases, without=doubted)
    try:
        watch.learn_at = _AGAIN * watch.compared
        observed = None if table is None else observe(table)
        if observed is not None:
            settings = Settings(run_length=place.wish.run_length)
            kind = watch.question.kind.value
            watch.design = design_charts(observed, kind=kind, settings=settings)
            watch.lacking = ""
    except (InputError, MethodError) as error:
        watch.learn_at = _SOON * watch.compared
        watch.lacking = str(error)
    return watch.design is not None


def _table(
    watch: QuestionWatch, store: Store, cases: set[str], without: Collection[tuple[str, str]] = ()
) -> Any:
    said = [
        said
        for case in sorted(cases)
        for reader, (_, said) in watch.said[case].items()
        if (case, reader) not in without
    ]
    return table_maker(watch.question)(watch.question, said, images_of(store, sorted(cases)))


def _seen(
    watch: QuestionWatch, place: _Place, cases: set[str]
) -> dict[tuple[str, str], list[Seen]]:
    """By case and reader, their reads put in proportion; one each frame that anybody marked.

    Readers are compared with those about whom no alarm stands; those about whom one does, with
    all. ``row`` becomes the number of the event that kept the read.
    """
    doubted = _doubted(watch, place.known, cases)
    clear = _proportions(watch, _table(watch, place.store, cases, without=doubted))
    if doubted:
        all_ = _proportions(watch, _table(watch, place.store, cases))
        clear |= {key: seen for key, seen in all_.items() if key in doubted}
    return clear


def _doubted(
    watch: QuestionWatch, known: Sequence[AlarmRow], cases: set[str]
) -> set[tuple[str, str]]:
    """Case and reader of the reads since a reader's last good point, until the decision."""
    made: set[tuple[str, str]] = set()
    for row in known:
        after = row.told.get("last_good_event") or 0
        if row.state == "dismissed":
            continue
        for case in cases:
            event, said = watch.said[case].get(row.reader, (0, None))
            if said is None or event <= after:
                continue
            if not row.decided or said.submitted <= row.decided:
                made.add((case, row.reader))
    return made


def _proportions(watch: QuestionWatch, table: Any) -> dict[tuple[str, str], list[Seen]]:
    made: dict[tuple[str, str], list[Seen]] = {}
    if table is None or watch.design is None:
        return made
    observed = observe(table)
    readers = [observed.readers[one] for one in observed.reader.tolist()]
    for reader, one in zip(readers, seen_of(watch.design, observed), strict=True):
        case = one.case.split(FRAME, maxsplit=1)[0]
        event = watch.said[case][reader][0]
        made.setdefault((case, reader), []).append(replace(one, row=event))
    return made


def _moved(
    watch: QuestionWatch, one: Compared, seen: Seen, known: Sequence[AlarmRow]
) -> Alarm | None:
    """Move a reader's charts by one read; released first where a lead decided before it."""
    design = watch.design
    if design is None:
        return None
    state = watch.states.get(one.reader) or start(design)
    if state.alarm is not None:
        row = _standing(known, one.reader, watch.alarmed[one.reader])
        if row is not None and row.decided and row.decided <= one.at:
            state = release(design, state, accept=row.state == "dismissed")
    if state.alarm is None and _is_past(watch, one, known):
        return None
    watch.states[one.reader], alarm = update(design, state, seen)
    if alarm is not None:
        watch.alarmed[one.reader] = one.at
    return alarm


def _is_past(watch: QuestionWatch, one: Compared, known: Sequence[AlarmRow]) -> bool:
    """The read was made before the last decision about its reader: it says nothing of them now."""
    decided = [row.decided for row in known if row.reader == one.reader and row.decided]
    said = watch.said[one.case][one.reader][1]
    return any(said.submitted <= at <= one.at for at in decided)


def _standing(known: Sequence[AlarmRow], reader: str, at: str) -> AlarmRow | None:
    """The kept alarm about a reader that a chart's alarm belongs to: open, or decided later."""
    mine = (one for one in known if one.reader == reader)
    return next((one for one in mine if not one.decided or one.decided >= at), None)


def _raised(watch: QuestionWatch, place: _Place, one: Compared, alarm: Alarm) -> str | None:
    """Keep an alarm, unless it is one that is known already."""
    if watch.design is None or _standing(place.known, one.reader, one.at) is not None:
        return None
    cases = {each.case for each in watch.order}
    doubted = _doubted(watch, place.known, cases)
    alarm = by_the_others(watch, place.store, one.reader, alarm, doubted=doubted)
    decision = decide(alarm, place.wish.on_alarm)
    pause = decision.action == "pause"
    key = raise_alarm(
        place.store,
        place.project,
        one.reader,
        told_of(watch.question, watch.design, watch.states[one.reader], alarm),
        pause=f"Paused: {alarm.words}. The study lead looks at it." if pause else "",
        after=(decision.quarantine_after_row or 0) if pause and place.wish.set_aside else None,
    )
    if key is not None and pause and place.wish.feedback == "alarm":
        let_out(place.store, key, by=SYSTEM)
    place.look()
    return key
