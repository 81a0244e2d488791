"""A small study in a store: its people, cases and tasks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import uuid4

from overread.store import (
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    create_project,
    plan_tasks,
    set_member,
)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new_case(text: str, **more: object) -> NewCase:
    image = {"rows": 4, "columns": 6, "frames": 1, "modality": "CR"}
    return NewCase(sha(text), [sha(f"frame of {text}")], image, **more)


@dataclass(frozen=True)
class Study:
    project: str
    lead: str
    readers: tuple[str, ...]
    cases: tuple[str, ...]


def new_study(
    store: Store, *, cases: int = 4, readers: int = 3, reads_per_case: int = 2, name: str = "study"
) -> Study:
    lead = add_user(store, f"{name}-lead@example.org", "Lead", "lead", "system").id
    project = create_project(store, name, "title: a study\n", lead).id
    people = [
        add_user(store, f"{name}-{k}@example.org", f"Reader {k}", "reader", lead).id
        for k in range(readers)
    ]
    for one in people:
        set_member(store, project, one, lead)
    new = [new_case(f"{name} {k}") for k in range(cases)]
    ids = tuple(key for key, _ in add_cases(store, project, new, lead))
    if reads_per_case:
        plan_tasks(store, project, lead, reads_per_case=reads_per_case)
    return Study(project, lead, tuple(people), ids)


def a_read(task: str, reader: str, **more: object) -> Submission:
    settings: dict[str, object] = {"answer": {"q": "yes"}, "protocol_version": 1, "seconds": 5.0}
    settings |= {"read_id": str(uuid4())} | more
    return Submission(task=task, reader=reader, **settings)
