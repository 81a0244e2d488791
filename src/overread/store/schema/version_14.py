"""The step to version 14: what a check before a release found, and pauses of the past.

Pauses that are over stand in the log alone; an index over these events finds them in a long log.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        "ALTER TABLE alarms ADD COLUMN found TEXT NOT NULL DEFAULT ''",
        """CREATE INDEX events_of_pauses ON events (project, n)
            WHERE action IN ('reader_paused', 'reader_released')""",
    )
]
