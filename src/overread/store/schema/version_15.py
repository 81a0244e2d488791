"""The step to version 15: cases that a project which learns asks for, and its latents."""

from __future__ import annotations

_BYTES = ({"sqlite": "BLOB"}, {"postgresql": "BYTEA"})
_WORKING = (
    """CREATE TABLE latents (
        project TEXT NOT NULL, version TEXT NOT NULL, case_id TEXT NOT NULL,
        vector {bytes} NOT NULL, PRIMARY KEY (project, version, case_id))""",
    """CREATE TABLE encoders (
        project TEXT PRIMARY KEY, version TEXT NOT NULL, parameters {bytes} NOT NULL,
        made TEXT NOT NULL)""",
)

STATEMENTS: list[dict[str, str]] = [
    {
        "both": """CREATE TABLE learning (
            project TEXT PRIMARY KEY REFERENCES projects (id), state TEXT NOT NULL,
            words TEXT NOT NULL, since TEXT NOT NULL, set_by TEXT NOT NULL,
            event BIGINT NOT NULL)"""
    },
    {
        "both": """CREATE TABLE learning_asked (
            case_id TEXT PRIMARY KEY REFERENCES cases (id),
            project TEXT NOT NULL REFERENCES projects (id), why TEXT NOT NULL,
            labels INTEGER NOT NULL, place INTEGER NOT NULL, since TEXT NOT NULL,
            event BIGINT NOT NULL)"""
    },
    {"both": "CREATE INDEX learning_asked_of_project ON learning_asked (project, event)"},
    *(
        {dialect: statement.format(bytes=word)}
        for statement in _WORKING
        for one in _BYTES
        for dialect, word in one.items()
    ),
]
