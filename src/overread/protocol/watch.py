"""What a protocol wants done when a reader drifts: its ``watch:`` block."""

from __future__ import annotations

from dataclasses import dataclass

WARN, ASK, PAUSE = "warn", "ask", "pause"


@dataclass(frozen=True, slots=True)
class Watch:
    """How readers are watched.

    Args:
        on_alarm: "warn" tells the lead, "ask" waits for their decision, "pause" also gives the
            reader no new cases until then.
        run_length: overlap reads of a reader between two false alarms, over all charts together.
        set_aside: a pause also takes the reads since the last good point out of consensus and
            export, and queues their cases for others, until the lead decides.
        check_cases: cases that a reader reads before a release, read by others and new to them.
    """

    on_alarm: str = ASK
    run_length: float = 40_000.0
    set_aside: bool = True
    check_cases: int = 20
