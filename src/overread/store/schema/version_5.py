"""The step to version 5: who may read (profiles, gold cases, dry runs, certificates).

Reads of a dry run are rows of their own (``trials``): no export, count or consensus of production
can meet them. A certificate is a row of ``qualifications``, looked at by every claim.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        "ALTER TABLE projects ADD COLUMN gated BOOLEAN NOT NULL DEFAULT FALSE",
        """CREATE TABLE profiles (
            reader TEXT PRIMARY KEY REFERENCES users (id), profile TEXT NOT NULL,
            changed TEXT NOT NULL, changed_by TEXT NOT NULL)""",
        """CREATE TABLE waivers (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), what TEXT NOT NULL, reason TEXT NOT NULL,
            since TEXT NOT NULL, waived_by TEXT NOT NULL, CHECK (what IN ('profile', 'run')))""",
        "CREATE INDEX waivers_of_project ON waivers (project, reader)",
        """CREATE TABLE gold (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id), pool TEXT NOT NULL, answer TEXT NOT NULL,
            protocol_version INTEGER NOT NULL, source TEXT NOT NULL, atlas TEXT,
            state TEXT NOT NULL, reason TEXT NOT NULL, since TEXT NOT NULL, made_by TEXT NOT NULL,
            CHECK (pool IN ('training', 'hidden')), CHECK (state IN ('active', 'retired')))""",
        "CREATE UNIQUE INDEX gold_of_case ON gold (case_id) WHERE state = 'active'",
        "CREATE INDEX gold_of_project ON gold (project, pool, state)",
        """CREATE TABLE runs (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), run INTEGER NOT NULL,
            protocol_version INTEGER NOT NULL, cases INTEGER NOT NULL, state TEXT NOT NULL,
            score TEXT NOT NULL, begun TEXT NOT NULL, ended TEXT,
            PRIMARY KEY (project, reader, run), CHECK (state IN ('open', 'passed', 'failed')))""",
        """CREATE TABLE trials (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), run INTEGER NOT NULL,
            number INTEGER NOT NULL, gold TEXT NOT NULL REFERENCES gold (id),
            case_id TEXT NOT NULL REFERENCES cases (id), given TEXT NOT NULL,
            read_id TEXT UNIQUE, answer TEXT, cannot_be_read BOOLEAN NOT NULL,
            comment TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL, protocol_version INTEGER,
            marks TEXT, submitted TEXT, said TEXT, UNIQUE (reader, case_id),
            UNIQUE (project, reader, run, number))""",
        "CREATE INDEX trials_of_gold ON trials (gold)",
        """CREATE TABLE qualifications (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), protocol_version INTEGER NOT NULL,
            how TEXT NOT NULL, score TEXT NOT NULL, since TEXT NOT NULL,
            PRIMARY KEY (project, reader))""",
        """CREATE TABLE disputes (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            gold TEXT NOT NULL REFERENCES gold (id), case_id TEXT NOT NULL REFERENCES cases (id),
            trial TEXT NOT NULL UNIQUE REFERENCES trials (id),
            reader TEXT NOT NULL REFERENCES users (id),
            words TEXT NOT NULL, state TEXT NOT NULL, decision TEXT NOT NULL, since TEXT NOT NULL,
            settled TEXT, settled_by TEXT, CHECK (state IN ('open', 'kept', 'wrong')))""",
        "CREATE INDEX disputes_of_project ON disputes (project, state, since)",
    )
]
