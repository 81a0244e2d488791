"""Readers that are programs: for show, and always named as what they are.

They come by the same way as people: a claimed task, a read that the protocol checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from overread.app.study.next_tasks import LEASE_SECONDS
from overread.app.study.project_protocol import protocol_of
from overread.app.study.submit_read import Work, submit_read
from overread.labels import Kind
from overread.protocol import Protocol, Question
from overread.store import Store, Task, claim

COMMENT = "simulated: a program said this, no person"
_RIGHT, _SEEN, _MOVED = 0.85, 0.85, 3.0  # share of right classes, of boxes found; pixels (SD)
_TOGETHER = 5


def read_as_simulated(
    store: Store, project: str, reader: str, known: Mapping[str, Mapping[str, Any]], *, seed: int
) -> int:
    """Read every case that is open to a simulated reader: its classes, grades and boxes.

    Args:
        reader: id of its account.
        known: name of a case -> question -> what it is known to show.
        seed: of the errors; the same seed says the same of the same case.
    Returns:
        How many reads it made.
    Raises:
        InputError: a case is known wrongly: the protocol refuses the answer.
    """
    protocol = protocol_of(store, project).protocol
    made = 0
    while held := claim(store, project, reader, count=_TOGETHER, lease_seconds=LEASE_SECONDS):
        for task in held:
            rng = np.random.default_rng([seed, task.case.number])
            work = Work(
                _answer(protocol, known.get(task.case.name, {}), task, rng),
                {"cannot_be_read": False, "ask_a_senior": False},
                COMMENT,
                0.0,
            )
            submit_read(
                store,
                task.id,
                reader,
                read_id=str(uuid4()),
                base_revision=task.revision,
                work=work,
                protocol_version=task.protocol_version,
            )
            made += 1
    return made


def _answer(
    protocol: Protocol, known: Mapping[str, Any], task: Task, rng: np.random.Generator
) -> dict[str, Any]:
    size = task.case.image["columns"], task.case.image["rows"]
    made: dict[str, Any] = {}
    for one in protocol.questions:
        value = known.get(one.id)
        if one.kind is Kind.BOX:
            made[one.id] = _boxes(value or (), size, rng)
        elif one.kind in {Kind.NOMINAL, Kind.ORDINAL}:
            made[one.id] = _class(one, value, rng)
    return made


def _class(question: Question, known: str | None, rng: np.random.Generator) -> str:
    names = question.names
    at = names.index(known) if known in names else int(rng.integers(len(names)))
    if rng.random() < _RIGHT:
        return names[at]
    if question.kind is Kind.ORDINAL:  # a grade too high or too low
        step = 1 if at == 0 or (at < len(names) - 1 and rng.random() < 0.5) else -1
        return names[at + step]
    return names[(at + int(rng.integers(1, len(names)))) % len(names)]


def _boxes(
    known: Sequence[tuple[str, float, float, float, float]],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    high = np.array([*size, *size], dtype=float)
    for name, *edges in known:
        if rng.random() > _SEEN:
            continue
        x1, y1, x2, y2 = np.clip(np.add(edges, rng.normal(0, _MOVED, 4)), 0, high).tolist()
        box = {"x1": x1, "y1": y1, "x2": max(x2, x1 + 1), "y2": max(y2, y1 + 1)}
        made.append({"id": _uuid(rng), "class": name, "frame": 0, **box})
    return made


def _uuid(rng: np.random.Generator) -> str:
    return str(UUID(bytes=rng.bytes(16), version=4))
