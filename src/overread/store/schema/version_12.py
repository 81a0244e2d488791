"""The step to version 12: cases that a lead sends to adjudication."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE adjudication_wishes (
            case_id TEXT PRIMARY KEY REFERENCES cases (id),
            project TEXT NOT NULL REFERENCES projects (id), since TEXT NOT NULL,
            wished_by TEXT NOT NULL)""",
        "CREATE INDEX adjudication_wishes_of_project ON adjudication_wishes (project, since)",
    )
]
