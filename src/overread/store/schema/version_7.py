"""The step to version 7: alarms about readers, pauses, checks before a release, reads set aside."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE alarms (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), raised TEXT NOT NULL,
            event BIGINT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
            decided TEXT, decided_by TEXT, reason TEXT NOT NULL,
            CHECK (state IN ('open', 'checking', 'released', 'retired', 'dismissed')))""",
        "CREATE INDEX alarms_of_project ON alarms (project, reader, event)",
        """CREATE TABLE pauses (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), since TEXT NOT NULL,
            reason TEXT NOT NULL, alarm TEXT REFERENCES alarms (id),
            PRIMARY KEY (project, reader))""",
        """CREATE TABLE checks (
            task TEXT PRIMARY KEY REFERENCES tasks (id), alarm TEXT NOT NULL REFERENCES alarms (id),
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id))""",
        "CREATE INDEX checks_of_alarm ON checks (alarm)",
        "CREATE INDEX checks_of_reader ON checks (project, reader)",
        """CREATE TABLE suspects (
            task TEXT NOT NULL REFERENCES tasks (id),
            reader TEXT NOT NULL REFERENCES users (id),
            project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id),
            alarm TEXT NOT NULL REFERENCES alarms (id), since TEXT NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (task, reader), CHECK (state IN ('set_aside', 'replaced')))""",
        "CREATE INDEX suspects_of_alarm ON suspects (alarm, state)",
        "CREATE INDEX suspects_of_project ON suspects (project, state)",
    )
]
