"""What an alarm says: since when, how large, the likely cause, the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from overread.monitoring.causes import Effect, cause_words, effects_of, relation_words
from overread.monitoring.change_point import date_change
from overread.monitoring.chart import Question, Side
from overread.monitoring.design import Design
from overread.monitoring.seen import Seen

_WORST = 10


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A case of the misaligned stretch. Args: case; row of the read; score: standard deviations."""

    case: str
    row: int
    score: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """A chart crossed its limit. Numbers of reads count a reader's overlap reads from 0.

    Args:
        metric: key of the metric that alarmed first.
        question: "change" or "slow": left the reader's own level; "level": differs from the pool.
        side: "up" or "down".
        beyond: running sum over its limit, above 1.
        number: read that raised the alarm; row: its row in the read table.
        since: first read of the change, as estimated; since_low, since_high: 95 % interval.
        last_good_row: row of the last read before ``since_low``; None if there is none in memory.
            What the reader read after it is suspect.
        reads: overlap reads with this metric from ``since`` on.
        effect: size of the change in the metric's own unit, with its interval.
        effects: of all metrics, largest first.
        words: the likely cause.
        worst: cases in which the misalignment is largest.
    """

    metric: str
    question: Question
    side: Side
    beyond: float
    number: int
    row: int
    since: int
    since_low: int
    since_high: int
    last_good_row: int | None
    reads: int
    effect: Effect
    effects: tuple[Effect, ...]
    words: str
    worst: tuple[WorstCase, ...]


def explain(
    design: Design,
    recent: Sequence[Seen],
    place: int,
    *,
    question: Question,
    side: Side,
    beyond: float,
) -> Alarm:
    """Say what an alarm means.

    Args:
        design: of the project.
        recent: the reader's last reads, that read included.
        place: the metric that alarmed.
        question, side, beyond: of the alarm.
    """
    known = [one for one in recent if one.away[place] is not None]
    rate = design.metrics[place].form == "rate"
    of_level = question == "level" and not rate
    sign = 1.0 if side == "up" else -1.0
    values = [sign * ((one.z[place] if of_level else one.standard[place]) or 0.0) for one in known]
    dated = date_change(values)
    first = known[dated.at]
    number = {at: known[at].number for at in (dated.low, dated.high)}
    before = [one for one in recent if one.number < number[dated.low]]
    segment = [one for one in recent if one.number >= first.number]
    earlier = [one for one in recent if one.number < first.number]
    effects = effects_of(design, segment, () if question == "level" else earlier)
    main = next(one for one in effects if one.metric == design.metrics[place].key)
    whole = question == "level" and dated.at == 0
    words = relation_words(design.kind, segment, earlier, effects) or cause_words(main, effects)
    return Alarm(
        metric=main.metric,
        question=question,
        side=side,
        beyond=beyond,
        number=recent[-1].number,
        row=recent[-1].row,
        since=first.number,
        since_low=number[dated.low],
        since_high=number[dated.high],
        last_good_row=before[-1].row if before else None,
        reads=main.reads,
        effect=main,
        effects=effects,
        words=f"{words}{_over(question, main.reads, whole=whole and first.number == 0)}",
        worst=_worst(segment, place, sign),
    )


def told_without(design: Design, alarm: Alarm, segment: Sequence[Seen]) -> Alarm:
    """Say again how large an alarm's deviation is, by what is usual without its reader.

    Among three readers, one who is off from the start is half of what the others are compared
    with, so that the others look off the other way and he looks half as far off again as he is.

    Args:
        design: whose case mix was learned from the others alone.
        alarm: of that reader.
        segment: the reads since ``alarm.since``, put in proportion by that design.
    Returns:
        the alarm with other effects and words; the same where that cannot be known.
    """
    effects = effects_of(design, segment, ())
    main = next((one for one in effects if one.metric == alarm.metric), None)
    if main is None:
        return alarm
    words = relation_words(design.kind, segment, (), effects) or cause_words(main, effects)
    over = _over(alarm.question, main.reads, whole=alarm.since == 0)
    return replace(alarm, effect=main, effects=effects, words=f"{words}{over}")


def _over(question: Question, reads: int, *, whole: bool) -> str:
    against = "than the others'" if question == "level" else "than before"
    if whole:
        return f" ({against}), from the first of {reads} overlap reads on"
    return f" ({against}), over the last {reads} overlap reads"


def _worst(segment: Sequence[Seen], place: int, sign: float) -> tuple[WorstCase, ...]:
    found = [
        WorstCase(one.case, one.row, round(sign * (one.z[place] or 0.0), 3))
        for one in segment
        if one.away[place] is not None and sign * (one.away[place] or 0.0) > 0
    ]
    return tuple(sorted(found, key=lambda one: -one.score)[:_WORST])
