"""The step to version 4: indexes that hold all that a project's overview adds up.

With 100,000 cases the rows themselves are too many to visit for each look at a page.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE INDEX reads_by_reader
            ON reads (project, reader, revision, surplus, seconds, submitted)""",
        "CREATE INDEX tasks_by_reader ON tasks (project, reader, state)",
        """CREATE INDEX reads_to_look_at_by_reader ON reads (project, reader)
            WHERE cannot_be_read OR ask_a_senior OR comment <> ''""",
    )
]
