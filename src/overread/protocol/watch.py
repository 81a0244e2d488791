"""What a protocol wants done when a reader drifts: its ``watch:`` block."""

from __future__ import annotations

from dataclasses import dataclass, field

from overread.monitoring import RUN_LENGTH, Action, Policy

ACTIONS: dict[str, Action] = {"warn": "warn", "ask": "ask the lead", "pause": "pause"}
"""Words of a protocol file, and the action that each means."""


def policy(change: str, *, slow: str = "", level: str = "") -> Policy:
    """What is done on an alarm, by the words of a file.

    Args:
        change: since some read the reader is no longer as before; a key of :data:`ACTIONS`.
        slow: the same, over a long time; as ``change`` where it is not told.
        level: the reader was always apart from the others; as ``change`` where it is not told.
    """
    return Policy(ACTIONS[change], ACTIONS[slow or change], ACTIONS[level or change])


def words_of(given: Policy) -> str | dict[str, str]:
    """A policy as a file says it: one word where it is the same for all."""
    word = {action: word for word, action in ACTIONS.items()}
    told = {name: word[getattr(given, name)] for name in ("change", "slow", "level")}
    if len(set(told.values())) == 1:
        return told["change"]
    if told["slow"] == told["change"]:
        del told["slow"]
    return told


@dataclass(frozen=True, slots=True)
class Watch:
    """How readers are watched.

    Args:
        on_alarm: what is done at once: warn tells the lead, ask waits for their decision, pause
            also gives the reader no new cases until then.
        run_length: overlap reads of a reader between two false alarms, over all charts together.
        set_aside: a pause also takes the reads since the last good point out of consensus and
            export, and queues their cases for others, until the lead decides.
        check_cases: cases that a reader reads before a release, read by others and new to them.
        feedback: which cases a reader sees again, beside what the others say of them together:
            "alarm" lets the worst cases of an alarm out when it pauses them, "lead" when the
            lead says so, "none" never.
    """

    on_alarm: Policy = field(default_factory=lambda: policy("ask"))
    run_length: float = RUN_LENGTH
    set_aside: bool = True
    check_cases: int = 20
    feedback: str = "alarm"
