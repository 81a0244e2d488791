"""What follows from an alarm: a decision as data; nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from overread.monitoring.alarm import Alarm

Action = Literal["warn", "pause", "ask the lead"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a protocol wants done. Args: change, slow, level: action for each question."""

    change: Action = "pause"
    slow: Action = "pause"
    level: Action = "ask the lead"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done.

    Args:
        action: by the policy.
        quarantine_after_row: reads of this reader after this row of the read table are suspect
            (None: all that the charts remember).
        why: in words.
    """

    action: Action
    quarantine_after_row: int | None
    why: str


def decide(alarm: Alarm, policy: Policy | None = None) -> Decision:
    """Look up the action for an alarm.

    Args:
        alarm: raised by :func:`overread.monitoring.update`.
        policy: of the protocol; the default pauses for a change and asks the lead about a level,
            because a reader may have read so from the start and be right.
    """
    action: Action = getattr(policy or Policy(), alarm.question)
    return Decision(action, alarm.last_good_row, alarm.words)
