"""Models that leads brought to propose answers: which there are, by the log.

What a model proposes is kept like all other pre-labels; a model that is removed leaves it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, json_object, plain_text
from overread.store.engine import Store
from overread.store.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model that was brought.

    Attributes:
        id: its own in the project.
        question: that it answers.
        file: blob of its ONNX.
        about: name, version, classes, scale ...
        event: number in the log of when it was brought, since: the time.
    """

    id: str
    question: str
    file: str
    about: dict[str, Any]
    since: str
    event: int


def keep_model(
    store: Store, project: str, model: str, by: str, *, question: str, file: str,
    about: Mapping[str, Any],
) -> None:  # fmt: skip
    """Keep a model, in place of one of the same id.

    Args:
        model: its id.
        file: blob of its ONNX.
        about: name, version, classes, scale ...
    """
    body = {
        "id": plain_text("id of the model", model, longest=200),
        "question": plain_text("question", question, longest=100),
        "file": hash_text("file", file), "about": json_object("about", about),
    }  # fmt: skip
    with store.writing() as connection:
        record(connection, store.now(), by, [("pre_label_model_brought", project, body)])


def remove_model(store: Store, project: str, model: str, by: str) -> None:
    """Take a model off the list; its file stays, since the log names it, and so do pre-labels.

    Raises:
        NotFoundError: the project has none of this id.
    """
    rows = t.pre_label_models.c
    there = sa.select(rows.id).where(rows.project == project, rows.id == model)
    with store.writing() as connection:
        if connection.execute(there).first() is None:
            raise NotFoundError("model", model[:40])
        record(connection, store.now(), by, [("pre_label_model_removed", project, {"id": model})])


def list_models(store: Store, project: str) -> list[ModelRow]:
    """Models of a project, in the order in which they were brought."""
    rows = t.pre_label_models.c
    query = sa.select(rows.id, rows.question, rows.file, rows.about, rows.since, rows.event)
    query = query.where(rows.project == project).order_by(rows.event)
    with store.reading() as connection:
        found = connection.execute(query).all()
    return [
        ModelRow(row.id, row.question, row.file, json.loads(row.about), row.since, row.event)
        for row in found
    ]


def answered_by(store: Store, project: str, model: ModelRow) -> set[str]:
    """Cases for which a model has proposed, since it was brought, what still stands."""
    rows = t.pre_labels.c
    query = sa.select(rows.case_id).where(
        rows.project == project,
        rows.question == model.question,
        rows.model == str(model.about["name"]),
        rows.version == str(model.about["version"]),
        rows.event > model.event,
        rows.withdrawn == 0,
    )
    with store.reading() as connection:
        return set(connection.scalars(query))
