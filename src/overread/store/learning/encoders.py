"""The encoders of a project: what they learned, the latents they made, and which of them are used.

Latents and what an encoder learned from the images are working values: they follow from the
images, are made again where they are missing, and are in no log. Which encoders were trained, and
which chain of them is used since when and why, is in the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import hash_text, json_object, plain_text, whole_number
from overread.store.engine import Store

BEGUN, HALTED, FAILED, DONE = "begun", "stopped", "failed", "done"
"""States of a training."""

SYSTEM = "system"
_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class KeptEncoder:
    """What a part of a chain learned. Attributes: ready: all cases have its latents."""

    version: str
    part: str
    parameters: bytes
    ready: bool


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A training of a kind. Attributes: settings: as it was begun; words: how it ended."""

    kind: str
    state: str
    settings: dict[str, Any]
    words: str
    since: str
    set_by: str
    event: int


@dataclass(frozen=True, slots=True)
class TrainedRow:
    """The newest trained encoder of a kind. Attributes: file: blob of its ONNX; about: how."""

    kind: str
    file: str
    about: dict[str, Any]
    since: str
    event: int


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """The last choice of a chain.

    Attributes:
        chain, before: parts.
        scores: of each chain: "chain", "loss", "accuracy", "held" (labels held back); empty where
            nothing could be told.
        labels: that it rests on.
        reason: in a sentence.
    """

    chain: tuple[str, ...]
    before: tuple[str, ...]
    scores: tuple[dict[str, Any], ...]
    labels: int
    reason: str
    since: str
    event: int


def keep_encoder(store: Store, project: str, part: str, version: str, parameters: bytes) -> None:
    """Keep what a part has learned; an older version of it serves on until this one is ready."""
    rows = t.encoders
    this = (rows.c.project == project) & (rows.c.version == version)
    row = {"project": project, "version": version, "part": part, "parameters": parameters}
    with store.writing() as connection:
        connection.execute(rows.delete().where(this))
        connection.execute(rows.insert().values(**row, ready=False, made=store.now()))


def kept_encoders(store: Store, project: str) -> list[KeptEncoder]:
    """All that are kept, the newest first."""
    rows = t.encoders.c
    query = sa.select(rows.version, rows.part, rows.parameters, rows.ready)
    query = query.where(rows.project == project)
    query = query.order_by(rows.made.desc(), rows.ready, rows.version)  # a ready one is the older
    with store.reading() as connection:
        return [
            KeptEncoder(row.version, row.part, bytes(row.parameters), bool(row.ready))
            for row in connection.execute(query)
        ]


def encoder_ready(store: Store, project: str, part: str, version: str) -> None:
    """All cases have the latents of a version: it serves, and older ones of its part go."""
    rows = t.encoders
    of_part = (rows.c.project == project) & (rows.c.part == part)
    with store.writing() as connection:
        connection.execute(
            rows.update().where(of_part, rows.c.version == version).values(ready=True)
        )
        old = sa.select(rows.c.version).where(of_part, rows.c.version != version)
        _drop(connection, project, list(connection.scalars(old)))


def drop_encoders(store: Store, project: str, *, but: Sequence[str]) -> None:
    """Drop encoders, and latents, of all parts but these."""
    rows = t.encoders.c
    old = sa.select(rows.version).where(rows.project == project, rows.part.not_in(list(but)))
    with store.writing() as connection:
        _drop(connection, project, list(connection.scalars(old)))


def _drop(connection: sa.Connection, project: str, versions: Sequence[str]) -> None:
    for table in (t.latents, t.encoders):
        this = (table.c.project == project) & table.c.version.in_(list(versions))
        connection.execute(table.delete().where(this))


def keep_latents(
    store: Store, project: str, version: str, rows: Mapping[str, bytes | None]
) -> None:
    """Keep latents of some hundred cases; None: the image cannot be had."""
    if not rows:
        return
    these = t.latents.c.case_id.in_(list(rows)) & (t.latents.c.version == version)
    fixed = {"project": project, "version": version}
    values = [{"case_id": case, "vector": one or b"", **fixed} for case, one in rows.items()]
    with store.writing() as connection:
        connection.execute(t.latents.delete().where(these, t.latents.c.project == project))
        connection.execute(t.latents.insert(), values)


def each_latent(store: Store, project: str, version: str) -> Iterator[tuple[str, bytes]]:
    """Latents by case, page by page, in the order of ids; b"" where the image cannot be had."""
    rows, last = t.latents.c, ""
    query = sa.select(rows.case_id, rows.vector).order_by(rows.case_id).limit(_PAGE)
    query = query.where(rows.project == project, rows.version == version)
    while True:
        with store.reading() as connection:
            page = connection.execute(query.where(rows.case_id > last)).all()
        yield from ((row.case_id, bytes(row.vector)) for row in page)
        if len(page) < _PAGE:
            return
        last = page[-1].case_id


def without_latents(store: Store, project: str, version: str, *, lost: bool = False) -> list[str]:
    """Cases that have no latents of this version, in the order of their numbers.

    Args:
        lost: those as well whose image could not be had the last time.
    """
    rows, cases = t.latents.c, t.cases.c
    of_case = [rows.project == project, rows.version == version, rows.case_id == cases.id]
    there = sa.exists().where(*of_case, *([sa.func.length(rows.vector) > 0] if lost else []))
    query = sa.select(cases.id).where(cases.project == project, ~there).order_by(cases.number)
    with store.reading() as connection:
        return [str(one) for one in connection.scalars(query)]


def count_latents(store: Store, project: str, versions: Sequence[str]) -> tuple[int, int]:
    """How many cases have latents of all these versions, and how many images cannot be had."""
    rows = t.latents.c
    lost = sa.func.sum(sa.case((sa.func.length(rows.vector) == 0, 1), else_=0))
    query = sa.select(sa.func.count(), lost).where(rows.project == project)
    found: list[tuple[int, int]] = []
    with store.reading() as connection:
        for version in versions:
            every, none = connection.execute(query.where(rows.version == version)).one()
            found.append((int(every) - int(none or 0), int(none or 0)))
    return min(found, default=(0, 0))


def set_training(
    store: Store, project: str, kind: str, state: str, by: str, *,
    settings: Mapping[str, Any] | None = None, words: str = "",
) -> None:  # fmt: skip
    """Say that a training begins, was stopped, or failed.

    Args:
        settings: it is begun with; those it had, where it was not begun now.
    Raises:
        InputError: a state that is none.
        NotFoundError: no such project.
    """
    if state not in {BEGUN, HALTED, FAILED}:
        raise InputError("state of a training", "be begun, stopped or failed", state)
    plain_text("kind of encoder", kind, longest=40)
    plain_text("words", words, longest=1_000, empty=True)
    before = {one.kind: one.settings for one in list_trainings(store, project)}.get(kind, {})
    kept = json_object("settings", before if settings is None else settings)
    body = {"kind": kind, "state": state, "settings": kept, "words": words}
    with store.writing() as connection:
        record(connection, store.now(), by, [("encoder_training_set", project, body)])


def list_trainings(store: Store, project: str) -> list[TrainingRow]:
    """The last training of each kind."""
    rows = t.encoder_trainings.c
    query = sa.select(
        rows.kind, rows.state, rows.settings, rows.words, rows.since, rows.set_by, rows.event
    ).where(rows.project == project)
    with store.reading() as connection:
        found = connection.execute(query.order_by(rows.event)).all()
    return [
        TrainingRow(kind, state, json.loads(settings), *rest)
        for kind, state, settings, *rest in found
    ]


def keep_trained(
    store: Store, project: str, kind: str, file: str, by: str, *, about: Mapping[str, Any]
) -> None:
    """Keep what a training made.

    Args:
        file: blob of its ONNX.
        about: images, epochs, seconds ...
    """
    plain_text("kind of encoder", kind, longest=40)
    body = {"kind": kind, "file": hash_text("file", file), "about": json_object("about", about)}
    with store.writing() as connection:
        record(connection, store.now(), by, [("encoder_trained", project, body)])


def list_trained(store: Store, project: str) -> list[TrainedRow]:
    """The newest trained encoder of each kind."""
    rows = t.trained_encoders.c
    query = sa.select(rows.kind, rows.file, rows.about, rows.since, rows.event)
    query = query.where(rows.project == project).order_by(rows.event)
    with store.reading() as connection:
        found = connection.execute(query).all()
    return [TrainedRow(kind, file, json.loads(about), *rest) for kind, file, about, *rest in found]


def keep_choice(
    store: Store, project: str, chain: Sequence[str], *,
    before: Sequence[str], scores: Sequence[Mapping[str, Any]], labels: int, reason: str,
    by: str = SYSTEM,
) -> None:  # fmt: skip
    """Keep what was compared, and which chain is used from now on (perhaps the one before)."""
    if not chain:
        raise InputError("chain", "have a part", "none")
    body = {
        "chain": list(chain), "before": list(before), "scores": [dict(one) for one in scores],
        "labels": whole_number("labels", labels, low=0, high=10**9),
        "reason": plain_text("reason", reason, longest=1_000),
    }  # fmt: skip
    with store.writing() as connection:
        record(connection, store.now(), by, [("encoder_chosen", project, body)])


def last_choice(store: Store, project: str) -> ChoiceRow | None:
    """What was chosen last; None before anything was compared."""
    rows = t.encoder_choices.c
    query = sa.select(
        rows.chain, rows.before, rows.scores, rows.labels, rows.reason, rows.since, rows.event
    )
    with store.reading() as connection:
        row = connection.execute(query.where(rows.project == project)).first()
    if row is None:
        return None
    chain, before, scores = (json.loads(one) for one in row[:3])
    return ChoiceRow(tuple(chain), tuple(before), tuple(scores), *row[3:])
