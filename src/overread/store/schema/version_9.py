"""The step to version 9: plans of who reads what, and reads that were asked for on demand.

A plan is a row with its settings; what it plans are tasks, and each of them has its place in the
plan (``planned``): part of the data set, position in its reader's order, why they get it.
"""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": statement}
    for statement in (
        """CREATE TABLE plans (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            number INTEGER NOT NULL, settings TEXT NOT NULL, made_by TEXT NOT NULL,
            since TEXT NOT NULL, event BIGINT NOT NULL, UNIQUE (project, number))""",
        """CREATE TABLE planned (
            task TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id),
            batch INTEGER NOT NULL, sub_batch INTEGER NOT NULL, position INTEGER NOT NULL,
            role TEXT NOT NULL, CHECK (role IN ('only', 'overlap', 'gold', 'repeat')))""",
        "CREATE INDEX planned_of_project ON planned (project, batch, sub_batch)",
        """CREATE TABLE demands (
            case_id TEXT PRIMARY KEY REFERENCES cases (id),
            project TEXT NOT NULL REFERENCES projects (id), state TEXT NOT NULL,
            reads INTEGER NOT NULL, probability DOUBLE PRECISION NOT NULL, task TEXT NOT NULL,
            since TEXT NOT NULL, event BIGINT NOT NULL,
            CHECK (state IN ('sure', 'settled', 'ask', 'spent')))""",
        "CREATE INDEX demands_of_project ON demands (project, state)",
    )
]
