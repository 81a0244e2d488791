"""The step to version 17: pre-labels of cases, hints of where objects may lie, and who saw them."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE pre_labels (
            case_id TEXT NOT NULL REFERENCES cases (id), question TEXT NOT NULL,
            event BIGINT NOT NULL, project TEXT NOT NULL REFERENCES projects (id),
            value TEXT NOT NULL, confidence DOUBLE PRECISION, model TEXT NOT NULL,
            version TEXT NOT NULL, since TEXT NOT NULL, brought_by TEXT NOT NULL,
            PRIMARY KEY (case_id, question, event))""",
        "CREATE INDEX pre_labels_of_project ON pre_labels (project, event)",
        """CREATE TABLE object_hints (
            case_id TEXT PRIMARY KEY REFERENCES cases (id),
            project TEXT NOT NULL REFERENCES projects (id), regions TEXT NOT NULL,
            method TEXT NOT NULL, since TEXT NOT NULL)""",
        "CREATE INDEX object_hints_of_project ON object_hints (project)",
        """CREATE TABLE pre_labels_shown (
            task TEXT NOT NULL, reader TEXT NOT NULL REFERENCES users (id), what TEXT NOT NULL,
            project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id), how TEXT NOT NULL,
            marked BOOLEAN NOT NULL, shown TEXT NOT NULL, since TEXT NOT NULL,
            event BIGINT NOT NULL, PRIMARY KEY (task, reader, what),
            CHECK (what IN ('pre-label', 'hints')), CHECK (how IN ('asked', 'shown')))""",
        "CREATE INDEX pre_labels_shown_of_case ON pre_labels_shown (case_id)",
        "CREATE INDEX pre_labels_shown_of_project ON pre_labels_shown (project, event)",
    )
]
