"""The step to version 19: encoders of a project in parts, trained ones, and which are used.

Latents follow from images and encoders: those of the old tables are made again, part by part.
"""

from __future__ import annotations

_ENCODERS = """CREATE TABLE encoders (
    project TEXT NOT NULL, version TEXT NOT NULL, part TEXT NOT NULL, parameters {bytes} NOT NULL,
    ready BOOLEAN NOT NULL, made TEXT NOT NULL, PRIMARY KEY (project, version))"""

STATEMENTS: list[dict[str, str]] = [
    {"both": "DELETE FROM latents"},
    {"both": "DROP TABLE encoders"},
    {"sqlite": _ENCODERS.format(bytes="BLOB")},
    {"postgresql": _ENCODERS.format(bytes="BYTEA")},
    *(
        {"both": statement}
        for statement in (
            """CREATE TABLE encoder_trainings (
                project TEXT NOT NULL REFERENCES projects (id), kind TEXT NOT NULL,
                state TEXT NOT NULL, settings TEXT NOT NULL, words TEXT NOT NULL,
                since TEXT NOT NULL, set_by TEXT NOT NULL, event BIGINT NOT NULL,
                PRIMARY KEY (project, kind),
                CHECK (state IN ('begun', 'stopped', 'failed', 'done')))""",
            """CREATE TABLE trained_encoders (
                project TEXT NOT NULL REFERENCES projects (id), kind TEXT NOT NULL,
                file TEXT NOT NULL, about TEXT NOT NULL, since TEXT NOT NULL,
                made_by TEXT NOT NULL, event BIGINT NOT NULL, PRIMARY KEY (project, kind))""",
            """CREATE TABLE encoder_choices (
                project TEXT PRIMARY KEY REFERENCES projects (id), chain TEXT NOT NULL,
                before TEXT NOT NULL, scores TEXT NOT NULL, labels INTEGER NOT NULL,
                reason TEXT NOT NULL, since TEXT NOT NULL, event BIGINT NOT NULL)""",
        )
    ),
]
