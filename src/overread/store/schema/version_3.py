"""The step to version 3: who leads a project and reads in it; replies to readers; what to look at.

The role in a project is a CHECK of its table, which SQLite cannot change: the table is made anew.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        "ALTER TABLE members RENAME TO members_1",
        "DROP INDEX members_of_reader",
        """CREATE TABLE members (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), role TEXT NOT NULL, since TEXT NOT NULL,
            PRIMARY KEY (project, reader), CHECK (role IN ('reader', 'lead', 'both')))""",
        "INSERT INTO members SELECT project, reader, role, since FROM members_1",
        "DROP TABLE members_1",
        "CREATE INDEX members_of_reader ON members (reader)",
        """CREATE TABLE replies (
            read_id TEXT PRIMARY KEY REFERENCES reads (id),
            project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id),
            reader TEXT NOT NULL REFERENCES users (id), words TEXT NOT NULL,
            replied_by TEXT NOT NULL, since TEXT NOT NULL)""",
        "CREATE INDEX replies_of_reader ON replies (reader, since)",
        """CREATE INDEX reads_to_look_at ON reads (project, event)
            WHERE cannot_be_read OR ask_a_senior OR comment <> ''""",
    )
]
