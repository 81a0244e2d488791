"""The step to version 2: a one-time link may log its user in.

What a link is for is a CHECK of its table, which SQLite cannot change: the table is made anew.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        "ALTER TABLE links RENAME TO links_1",
        """CREATE TABLE links (
            token_hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, email TEXT NOT NULL,
            role TEXT NOT NULL, project TEXT REFERENCES projects (id), created TEXT NOT NULL,
            created_by TEXT NOT NULL, expires TEXT NOT NULL, used TEXT,
            CHECK (purpose IN ('setup', 'invitation', 'password', 'login')))""",
        "INSERT INTO links SELECT * FROM links_1",  # the same columns in the same order
        "DROP TABLE links_1",
    )
]
