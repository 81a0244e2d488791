"""A reader who was always off, measured by the others alone.

Among three readers, one who is off is half of what each other is compared with: what is usual moves
the other way, and 36 % smaller looks like 49 %. So the size of such an alarm is told by what is
usual among the others without that reader.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from overread.app.quality.watch_memory import QuestionWatch
from overread.app.study.project_tables import images_of, table_maker
from overread.errors import InputError, MethodError
from overread.monitoring import (
    Alarm,
    Observations,
    ReaderState,
    Seen,
    fit_case_mix,
    observe,
    seen_of,
    told_without,
)
from overread.store import Store

_FEWEST = 30  # reads of the others, before which what is usual among them is not known


def by_the_others(
    watch: QuestionWatch,
    store: Store,
    reader: str,
    alarm: Alarm,
    *,
    doubted: Collection[tuple[str, str]] = (),
) -> Alarm:
    """An alarm about a level, told again by what is usual among the others.

    Args:
        watch: with the design that alarmed, and the state of the reader.
        store: where.
        reader: of the alarm.
        alarm: what was found.
        doubted: case and reader of reads that are no measure.
    Returns:
        The alarm with other effects and words; the same where the others read too little.
    """
    design = watch.design
    if design is None or alarm.question != "level":
        return alarm
    try:
        others = _observed(watch, store, {*doubted}, but=reader)
        if others is None or others.n < _FEWEST:
            return alarm
        fair = replace(design, case_mix=fit_case_mix(others))
        all_ = _observed(watch, store, {one for one in doubted if one[1] != reader})
    except (InputError, MethodError):
        return alarm
    if all_ is None:
        return alarm
    mine = [at for at, name in enumerate(all_.readers) if name == reader]
    seen = seen_of(fair, all_.select(np.isin(all_.reader, mine)))
    segment = _since(watch.states[reader], alarm, seen)
    return told_without(fair, alarm, segment) if segment else alarm


def _since(state: ReaderState, alarm: Alarm, seen: list[Seen]) -> list[Seen]:
    cases = {one.case for one in state.recent if one.number >= alarm.since}
    return [one for one in seen if one.case in cases]


def _observed(
    watch: QuestionWatch, store: Store, without: Collection[tuple[str, str]], *, but: str = ""
) -> Observations | None:
    """The reads that were compared, measured by each other; none of ``but``."""
    cases = sorted({one.case for one in watch.order})
    said = [
        said
        for case in cases
        for reader, (_, said) in watch.said[case].items()
        if reader != but and (case, reader) not in without
    ]
    table = table_maker(watch.question)(watch.question, said, images_of(store, cases))
    return None if table is None else observe(table)
