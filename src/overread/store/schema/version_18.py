"""The step to version 18: a set of pre-labels can be withdrawn; it stays, and is not shown."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {"both": "ALTER TABLE pre_labels ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0"},
    {"both": "CREATE INDEX pre_labels_withdrawn ON pre_labels (project, withdrawn)"},
]
