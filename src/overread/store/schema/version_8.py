"""The step to version 8: truthing reports that are kept, terms of effort, gold disputes decided."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE truthing_reports (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            made TEXT NOT NULL, made_by TEXT NOT NULL, event BIGINT NOT NULL,
            log_events BIGINT NOT NULL, log_head TEXT NOT NULL, named BOOLEAN NOT NULL,
            words TEXT NOT NULL, files TEXT NOT NULL)""",
        "CREATE INDEX truthing_reports_of_project ON truthing_reports (project, event)",
        """CREATE TABLE effort_terms (
            project TEXT PRIMARY KEY REFERENCES projects (id), terms TEXT NOT NULL,
            since TEXT NOT NULL, set_by TEXT NOT NULL)""",
        "ALTER TABLE adjudications ADD COLUMN dispute TEXT",
        "ALTER TABLE qualifications ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE requalifications (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), version INTEGER NOT NULL,
            choice TEXT NOT NULL, touched TEXT NOT NULL, words TEXT NOT NULL,
            since TEXT NOT NULL, said_by TEXT NOT NULL, PRIMARY KEY (project, reader),
            CHECK (choice IN ('again', 'stands')))""",
    )
]
