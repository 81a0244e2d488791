"""The step to version 16: auto-labels, their reviews, audits of them, and certificates."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE auto_runs (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            number INTEGER NOT NULL, question TEXT NOT NULL, protocol_version INTEGER NOT NULL,
            model TEXT NOT NULL, settings TEXT NOT NULL, state TEXT NOT NULL,
            made TEXT NOT NULL, made_by TEXT NOT NULL, event BIGINT NOT NULL,
            UNIQUE (project, number),
            CHECK (state IN ('open', 'frozen', 'certified', 'refused', 'replaced')))""",
        """CREATE TABLE auto_labels (
            run TEXT NOT NULL REFERENCES auto_runs (id),
            case_id TEXT NOT NULL REFERENCES cases (id), place INTEGER NOT NULL,
            proposed TEXT NOT NULL, label TEXT NOT NULL, probability DOUBLE PRECISION NOT NULL,
            tier INTEGER NOT NULL, state TEXT NOT NULL, who TEXT NOT NULL, since TEXT NOT NULL,
            PRIMARY KEY (run, case_id),
            CHECK (state IN ('proposed', 'accepted', 'corrected', 'audited', 'turned_down')))""",
        "CREATE INDEX auto_labels_doubtful ON auto_labels (run, label, state, probability)",
        "CREATE INDEX auto_labels_of_case ON auto_labels (case_id)",
        """CREATE TABLE auto_reviews (
            event BIGINT PRIMARY KEY, run TEXT NOT NULL REFERENCES auto_runs (id),
            project TEXT NOT NULL REFERENCES projects (id), reader TEXT NOT NULL,
            labels INTEGER NOT NULL, looked_at INTEGER NOT NULL,
            seconds DOUBLE PRECISION NOT NULL, since TEXT NOT NULL)""",
        "CREATE INDEX auto_reviews_of_project ON auto_reviews (project)",
        "CREATE INDEX auto_reviews_of_run ON auto_reviews (run)",
        """CREATE TABLE audits (
            id TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES auto_runs (id),
            project TEXT NOT NULL REFERENCES projects (id), number INTEGER NOT NULL,
            settings TEXT NOT NULL, frozen TEXT NOT NULL, state TEXT NOT NULL,
            words TEXT NOT NULL, begun TEXT NOT NULL, begun_by TEXT NOT NULL,
            event BIGINT NOT NULL, ended TEXT NOT NULL, UNIQUE (project, number),
            CHECK (state IN ('running', 'certified', 'refused', 'given_up')))""",
        """CREATE TABLE audit_cases (
            audit TEXT NOT NULL REFERENCES audits (id),
            case_id TEXT NOT NULL REFERENCES cases (id), place INTEGER NOT NULL,
            PRIMARY KEY (audit, case_id))""",
        """CREATE TABLE label_certificates (
            id TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES auto_runs (id),
            audit TEXT NOT NULL REFERENCES audits (id),
            project TEXT NOT NULL REFERENCES projects (id), document TEXT NOT NULL,
            made TEXT NOT NULL, made_by TEXT NOT NULL, event BIGINT NOT NULL)""",
        "CREATE INDEX label_certificates_of_project ON label_certificates (project)",
    )
]
