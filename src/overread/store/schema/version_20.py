"""The step to version 20: models (ONNX files) that leads brought to propose answers."""

from __future__ import annotations

STATEMENTS: list[dict[str, str]] = [
    {
        "both": """CREATE TABLE pre_label_models (
            project TEXT NOT NULL REFERENCES projects (id), id TEXT NOT NULL,
            question TEXT NOT NULL, file TEXT NOT NULL, about TEXT NOT NULL, since TEXT NOT NULL,
            brought_by TEXT NOT NULL, event BIGINT NOT NULL, PRIMARY KEY (project, id))"""
    },
]
