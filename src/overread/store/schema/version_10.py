"""The step to version 10: hints before a read is sent, and labels checked over a whole project."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE advice (
            read_id TEXT NOT NULL REFERENCES reads (id), place INTEGER NOT NULL,
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), question TEXT NOT NULL,
            rule TEXT NOT NULL, finding TEXT NOT NULL, followed BOOLEAN NOT NULL,
            PRIMARY KEY (read_id, place))""",
        "CREATE INDEX advice_of_project ON advice (project, rule)",
        """CREATE TABLE label_checks (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            made TEXT NOT NULL, made_by TEXT NOT NULL, event BIGINT NOT NULL,
            log_events BIGINT NOT NULL, words TEXT NOT NULL, result TEXT NOT NULL)""",
        "CREATE INDEX label_checks_of_project ON label_checks (project, event)",
    )
]
