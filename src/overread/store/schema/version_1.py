"""The tables of version 1, as plain SQL that never changes once released.

State tables tell what the study is: every row of theirs follows from the event log. Working
tables hold what must not enter a log that is exported (secrets) or is not worth its place there
(leases, drafts, marks in the queue): a store rebuilt from its log has none of them.
"""

from __future__ import annotations

_STATE = (
    """CREATE TABLE users (
        id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
        active BOOLEAN NOT NULL, created TEXT NOT NULL,
        CHECK (role IN ('reader', 'lead', 'admin')))""",
    """CREATE TABLE projects (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
        created_by TEXT NOT NULL, archived BOOLEAN NOT NULL, last_position INTEGER NOT NULL)""",
    """CREATE TABLE protocols (
        project TEXT NOT NULL REFERENCES projects (id), version INTEGER NOT NULL,
        text TEXT NOT NULL, created TEXT NOT NULL, created_by TEXT NOT NULL,
        PRIMARY KEY (project, version))""",
    """CREATE TABLE members (
        project TEXT NOT NULL REFERENCES projects (id), reader TEXT NOT NULL REFERENCES users (id),
        role TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (project, reader),
        CHECK (role IN ('reader', 'lead')))""",
    "CREATE INDEX members_of_reader ON members (reader)",
    """CREATE TABLE cases (
        id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
        number INTEGER NOT NULL, name TEXT NOT NULL, content_hash TEXT NOT NULL,
        group_key TEXT NOT NULL, modality TEXT NOT NULL, meta TEXT NOT NULL, image TEXT NOT NULL,
        frames TEXT NOT NULL, thumbnail TEXT, added TEXT NOT NULL,
        state TEXT NOT NULL, free INTEGER NOT NULL,
        UNIQUE (project, content_hash), UNIQUE (project, number))""",
    "CREATE INDEX cases_by_modality ON cases (project, modality, number)",
    "CREATE INDEX cases_by_state ON cases (project, state, number, free)",
    "CREATE INDEX cases_by_group ON cases (project, group_key, number)",
    """CREATE TABLE quarantine (
        project TEXT NOT NULL REFERENCES projects (id), source_hash TEXT NOT NULL,
        reason TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (project, source_hash))""",
    """CREATE TABLE tasks (
        id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
        case_id TEXT NOT NULL REFERENCES cases (id), round INTEGER NOT NULL, slot INTEGER NOT NULL,
        position INTEGER NOT NULL, planned_for TEXT REFERENCES users (id),
        reader TEXT REFERENCES users (id), state TEXT NOT NULL,
        UNIQUE (case_id, round, slot),
        CHECK (state IN ('open', 'claimed', 'done', 'skipped')))""",
    "CREATE INDEX tasks_in_queue ON tasks (project, state, planned_for, position)",
    "CREATE INDEX tasks_of_reader ON tasks (reader, project, state, position)",
    """CREATE TABLE grants (
        task TEXT NOT NULL REFERENCES tasks (id), reader TEXT NOT NULL REFERENCES users (id),
        first TEXT NOT NULL, PRIMARY KEY (task, reader))""",
    """CREATE TABLE skips (
        task TEXT NOT NULL REFERENCES tasks (id), reader TEXT NOT NULL REFERENCES users (id),
        project TEXT NOT NULL REFERENCES projects (id),
        case_id TEXT NOT NULL REFERENCES cases (id), reason TEXT NOT NULL, since TEXT NOT NULL,
        PRIMARY KEY (task, reader))""",
    "CREATE INDEX skips_of_reader ON skips (reader, project, case_id)",
    """CREATE TABLE reads (
        id TEXT PRIMARY KEY, event BIGINT NOT NULL, project TEXT NOT NULL REFERENCES projects (id),
        task TEXT NOT NULL REFERENCES tasks (id), case_id TEXT NOT NULL REFERENCES cases (id),
        reader TEXT NOT NULL REFERENCES users (id), round INTEGER NOT NULL,
        revision INTEGER NOT NULL, protocol_version INTEGER NOT NULL, answer TEXT NOT NULL,
        cannot_be_read BOOLEAN NOT NULL, ask_a_senior BOOLEAN NOT NULL, comment TEXT NOT NULL,
        seconds DOUBLE PRECISION NOT NULL, surplus BOOLEAN NOT NULL, submitted TEXT NOT NULL,
        said TEXT NOT NULL, UNIQUE (task, reader, revision),
        FOREIGN KEY (project, protocol_version) REFERENCES protocols (project, version))""",
    "CREATE INDEX reads_in_order ON reads (project, event)",
    "CREATE INDEX reads_of_case ON reads (case_id, reader)",
    "CREATE INDEX reads_of_reader ON reads (reader, project, event)",
)

_WORKING = (
    """CREATE TABLE leases (
        task TEXT PRIMARY KEY REFERENCES tasks (id), reader TEXT NOT NULL REFERENCES users (id),
        expires TEXT NOT NULL)""",
    """CREATE TABLE queue_marks (
        project TEXT NOT NULL REFERENCES projects (id), reader TEXT NOT NULL REFERENCES users (id),
        position INTEGER NOT NULL, PRIMARY KEY (project, reader))""",
    """CREATE TABLE drafts (
        task TEXT NOT NULL REFERENCES tasks (id), reader TEXT NOT NULL REFERENCES users (id),
        version INTEGER NOT NULL, answer TEXT NOT NULL, cannot_be_read BOOLEAN NOT NULL,
        ask_a_senior BOOLEAN NOT NULL, comment TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        saved TEXT NOT NULL, PRIMARY KEY (task, reader))""",
    """CREATE TABLE passwords (
        reader TEXT PRIMARY KEY REFERENCES users (id), hash TEXT NOT NULL,
        changed TEXT NOT NULL)""",
    """CREATE TABLE links (
        token_hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, email TEXT NOT NULL,
        role TEXT NOT NULL, project TEXT REFERENCES projects (id), created TEXT NOT NULL,
        created_by TEXT NOT NULL, expires TEXT NOT NULL, used TEXT,
        CHECK (purpose IN ('setup', 'invitation', 'password')))""",
    """CREATE TABLE sessions (
        token_hash TEXT PRIMARY KEY, reader TEXT NOT NULL REFERENCES users (id),
        csrf TEXT NOT NULL, created TEXT NOT NULL, seen TEXT NOT NULL, expires TEXT NOT NULL)""",
    "CREATE INDEX sessions_of_reader ON sessions (reader)",
    """CREATE TABLE login_failures (
        id TEXT PRIMARY KEY, who TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX login_failures_of ON login_failures (who, at)",
)

_EVENTS = """CREATE TABLE events (
    n {whole} PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    project TEXT, body TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL UNIQUE)"""


def _append_only(table: str) -> list[dict[str, str]]:
    """Let the database itself refuse to change or remove a row."""
    steps = [
        {
            "sqlite": f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
        }
        for verb in ("update", "delete")
    ]
    return [
        *steps,
        {
            "postgresql": f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION overread_append_only()"
        },
    ]


STATEMENTS: list[dict[str, str]] = [
    {"both": "CREATE TABLE store_version (number INTEGER NOT NULL)"},
    {
        "sqlite": _EVENTS.format(whole="INTEGER"),
        "postgresql": _EVENTS.format(whole="BIGINT"),
    },
    *({"both": statement} for statement in (*_STATE, *_WORKING)),
    {
        "postgresql": "CREATE FUNCTION overread_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' are append-only'; END $$"
    },
    *_append_only("events"),
    *_append_only("reads"),
]
