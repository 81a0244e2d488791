"""The step to version 11: cases of an alarm that their reader sees again, beside the others'."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE feedback (
            alarm TEXT NOT NULL REFERENCES alarms (id),
            case_id TEXT NOT NULL REFERENCES cases (id), place INTEGER NOT NULL,
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), given TEXT NOT NULL, seen TEXT,
            PRIMARY KEY (alarm, case_id))""",
        "CREATE INDEX feedback_of_reader ON feedback (project, reader)",
        "CREATE INDEX feedback_of_case ON feedback (case_id, reader)",
    )
]
