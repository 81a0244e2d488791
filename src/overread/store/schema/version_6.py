"""The step to version 6: who decides disagreements, what was decided, what is to be read again.

A senior is a mark on a member. An adjudication is one look of a senior at one case: opened, then
decided or sent back. What was decided is the case's standard. A task that is asked again has a
reason that its reader sees, and its read takes the place of the one before. Stale labels are
answers of reads that a later protocol touches.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE seniors (
            project TEXT NOT NULL REFERENCES projects (id),
            reader TEXT NOT NULL REFERENCES users (id), since TEXT NOT NULL,
            PRIMARY KEY (project, reader))""",
        """CREATE TABLE adjudications (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id), number INTEGER NOT NULL,
            senior TEXT NOT NULL REFERENCES users (id), shown TEXT NOT NULL, state TEXT NOT NULL,
            words TEXT NOT NULL, picked TEXT NOT NULL, opened TEXT NOT NULL, closed TEXT NOT NULL,
            seconds DOUBLE PRECISION NOT NULL, UNIQUE (case_id, number),
            CHECK (state IN ('open', 'left', 'sent_back', 'decided')))""",
        "CREATE INDEX adjudications_by_state ON adjudications (project, state, case_id)",
        """CREATE TABLE standards (
            case_id TEXT PRIMARY KEY REFERENCES cases (id),
            project TEXT NOT NULL REFERENCES projects (id),
            adjudication TEXT NOT NULL REFERENCES adjudications (id), answer TEXT NOT NULL,
            cannot_be_read BOOLEAN NOT NULL, protocol_version INTEGER NOT NULL,
            stands BOOLEAN NOT NULL, words TEXT NOT NULL, since TEXT NOT NULL,
            event BIGINT NOT NULL)""",
        "CREATE INDEX standards_of_project ON standards (project, event)",
        """CREATE TABLE asked_again (
            task TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            case_id TEXT NOT NULL REFERENCES cases (id), reader TEXT NOT NULL,
            why TEXT NOT NULL, words TEXT NOT NULL, source TEXT NOT NULL, since TEXT NOT NULL,
            CHECK (why IN ('adjudication', 'protocol')))""",
        "CREATE INDEX asked_again_by_case ON asked_again (project, case_id)",
        """CREATE TABLE rulings (
            project TEXT NOT NULL REFERENCES projects (id), version INTEGER NOT NULL,
            choice TEXT NOT NULL, until_replaced TEXT NOT NULL, readers TEXT NOT NULL,
            touched TEXT NOT NULL, words TEXT NOT NULL, ruled_by TEXT NOT NULL,
            since TEXT NOT NULL, event BIGINT NOT NULL, PRIMARY KEY (project, version),
            CHECK (choice IN ('all', 'affected', 'none')))""",
        """CREATE TABLE stale (
            read_id TEXT NOT NULL REFERENCES reads (id), question TEXT NOT NULL,
            project TEXT NOT NULL REFERENCES projects (id), version INTEGER NOT NULL,
            standing TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (read_id, question),
            CHECK (standing IN ('stands', 'marked', 'left_out')))""",
        "CREATE INDEX stale_of_project ON stale (project, standing, question)",
    )
]
