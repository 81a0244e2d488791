"""Re-alignment: a paused reader sees their worst cases again, beside what the others say together.

The reader gets their own answer, the consensus of the others (:mod:`overread.app.quality.others`),
the cause in words and what atlas and guideline say about it; no name, and no single other read.
Only the question of the alarm is shown. What was shown and seen is in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.app.analysis.project_reads import Said
from overread.app.quality.feedback_words import concerned, difference, topics
from overread.app.quality.gold_words import atlas_entries
from overread.app.quality.others import of_the_others
from overread.app.study.case_consensus import reads_that_count
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import require_member
from overread.protocol import AtlasEntry, Protocol, Question
from overread.store import (
    OPEN_ALARMS,
    AlarmRow,
    ReadRow,
    Store,
    get_alarm,
    get_case,
    give_feedback,
    list_alarms,
    list_feedback,
    reads_of_case,
    see_feedback,
)
from overread.store.errors import ConflictError, NotFoundError
from overread.store.quality.stale import left_out

NONE = "none"
"""Feedback that a protocol does not want."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A case that is let out.

    Args:
        mine, others: what this reader and the others together say, in the shape of an answer;
            mine is None for "cannot be read".
        count: others who answered.
        words: how the two differ.
        frame: to begin with.
        seen: when the reader said so, "" before.
    """

    case: str
    image: Mapping[str, Any]
    mine: Any
    others: Any
    count: int
    words: str
    frame: int
    seen: str


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """What a reader is shown.

    Args:
        alarm: its id; "" where nothing is let out.
        words: the cause.
        atlas: entries that concern it.
        guideline: the parts that concern it, markdown.
    """

    alarm: str
    words: str
    question: Question | None
    cases: tuple[Shown, ...]
    atlas: tuple[AtlasEntry, ...]
    guideline: str

    @property
    def left(self) -> int:
        """Cases that the reader has not seen yet."""
        return sum(not one.seen for one in self.cases)


_NOTHING = Feedback("", "", None, (), (), "")


def let_out(store: Store, alarm: str, *, by: str) -> int:
    """Let the reader of an alarm see its worst cases, those on which the others are of one mind.

    Returns:
        How many more they see now.
    Raises:
        NotFoundError: no such alarm.
        ConflictError: the alarm was decided, or the protocol lets nothing out.
    """
    row = get_alarm(store, alarm)
    protocol = protocol_of(store, row.project).protocol
    if protocol.watch.feedback == NONE:
        raise ConflictError("feedback", "is not let out by this protocol")
    question = _question(protocol, row)
    wanted = [one["case"] for one in row.told["worst"]]
    fit = [case for case in wanted if question and _shown(store, protocol, question, row, case)]
    return give_feedback(store, alarm, fit, by) if fit else 0


def feedback_of(store: Store, project: str, reader: str, *, role: str) -> Feedback:
    """What is let out to a reader now; nothing once their alarm is decided.

    Raises:
        NotFoundError: not a project of theirs.
    """
    require_member(store, project, reader, role=role)
    alarms = list_alarms(store, project, reader=reader)
    row = next((one for one in alarms if one.state in OPEN_ALARMS), None)
    if row is None:
        return _NOTHING
    protocol = protocol_of(store, project).protocol
    question = _question(protocol, row)
    given = list_feedback(store, project, alarm=row.id, reader=reader)
    if question is None or not given or protocol.watch.feedback == NONE:
        return _NOTHING
    found = (_shown(store, protocol, question, row, one.case, one.seen) for one in given)
    cases = tuple(one for one in found if one is not None)
    names = [name for one in cases for name in _entries(protocol, question, one)]
    return Feedback(
        row.id,
        str(row.told["words"]),
        question,
        cases,
        tuple(one for one in protocol.atlas if one.id in set(names)),
        concerned(protocol.guideline, topics(question, row.told)),
    )


def waits_for(store: Store, project: str, reader: str) -> int:
    """How many cases a reader has been let see and did not yet."""
    alarms = list_alarms(store, project, reader=reader)
    standing = {one.id for one in alarms if one.state in OPEN_ALARMS}
    given = list_feedback(store, project, reader=reader) if standing else []
    return sum(one.alarm in standing and not one.seen for one in given)


def seen(store: Store, project: str, case: str, reader: str, *, role: str) -> None:
    """Note that a reader has seen a case.

    Raises:
        NotFoundError: it is not let out to them.
    """
    require_member(store, project, reader, role=role)
    given = list_feedback(store, project, reader=reader)
    alarm = next((one.alarm for one in reversed(given) if one.case == case), None)
    if alarm is None or get_alarm(store, alarm).state not in OPEN_ALARMS:
        raise NotFoundError("case", case)
    see_feedback(store, alarm, case, reader)


def _question(protocol: Protocol, row: AlarmRow) -> Question | None:
    wanted = row.told.get("question")
    return next((one for one in protocol.questions if one.id == wanted), None)


def _shown(  # noqa: PLR0917 - one case of one alarm
    store: Store, protocol: Protocol, question: Question, row: AlarmRow, case: str, when: str = ""
) -> Shown | None:
    """A case as its reader may see it; None where the others say nothing together."""
    found = get_case(store, case)
    own = _own(store, case, row.reader)
    counting = [one for one in reads_that_count(store, case) if one.reader != row.reader]
    gone = left_out(store, row.project, question.id, [one.id for one in counting])
    said = [
        Said(case, one.reader, None if one.cannot_be_read else one.answer[question.id])
        for one in counting
        if one.id not in gone and (one.cannot_be_read or question.id in one.answer)
    ]
    others = of_the_others(question, said, found.image)
    if own is None or others is None:
        return None
    mine = None if own.cannot_be_read else own.answer.get(question.id)
    words = difference(protocol, question, others, mine, found.image)
    frame = next((one["frame"] for one in (*_drawn(others), *_drawn(mine))), 0)
    count = sum(one.value is not None for one in said)
    return Shown(case, found.image, mine, others, count, words, frame, when)


def _own(store: Store, case: str, reader: str) -> ReadRow | None:
    """The reader's own read of a case, set aside or not; no repeat."""
    mine = [one for one in reads_of_case(store, case) if one.reader == reader and not one.round]
    return mine[-1] if mine else None


def _drawn(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _entries(protocol: Protocol, question: Question, one: Shown) -> list[str]:
    mine = None if one.mine is None else {question.id: one.mine}
    return atlas_entries(protocol, {question.id: one.others}, mine)
