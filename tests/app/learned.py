"""A project with auto-labels of known truth: small, synthetic, in a store of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from overread.app.learning.freeze_labels import Proposals, auto_label
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    claim,
    create_project,
    open_store,
    plan_tasks,
    set_member,
    submit_read,
)
from tests.store.study import sha

TEXT = """
title: Pneumonia or not
reads_per_case: 1
questions:
  - {id: finding, prompt: "What is it?", kind: nominal, classes: [normal, pneumonia]}
"""
CLASSES = ("normal", "pneumonia")


@dataclass
class Ward:
    """A project, its people, and what is true of its cases."""

    store: Store
    project: str
    lead: str
    readers: list[str]
    cases: list[str]
    truth: dict[str, str]
    wrong: set[str] = field(default_factory=set[str])

    def proposals(self, first: int = 0, *, wrong: int = 0, known: int = 200) -> Proposals:
        """A sure model of the cases from ``first`` on; of them so many wrong (the least sure)."""
        cases = self.cases[first:]
        sure = np.linspace(0.9, 0.999, len(cases))
        table = np.empty((len(cases), 2))
        for at, case in enumerate(cases):
            said = CLASSES.index(self.truth[case])
            if at < wrong:
                said = 1 - said
                self.wrong.add(case)
            table[at, said], table[at, 1 - said] = sure[at], 1 - sure[at]
        right = np.ones(known, dtype=bool)
        return Proposals(
            "finding", CLASSES, cases, table, "a model, version 3",
            np.linspace(0.6, 0.999, known), right,
        )  # fmt: skip

    def label(self, *, target: float = 0.05, **more: Any) -> str:
        """A run of auto-labels."""
        given = self.proposals(**more)
        return auto_label(self.store, self.project, given, target=target, by=self.lead)

    def read(self, count: int, *, reader: int = 0, slip: frozenset[str] = frozenset()) -> list[str]:
        """A reader reads the next cases as they are, but for slips; which they were."""
        who, done = self.readers[reader], []
        for _ in range(count):
            tasks = claim(self.store, self.project, who)
            if not tasks:
                break
            case = tasks[0].case.id
            said = self.truth[case]
            if case in slip:
                said = CLASSES[1 - CLASSES.index(said)]
            answer = {"finding": said}
            one = Submission(
                task=tasks[0].id, reader=who, read_id=str(uuid4()), answer=answer,
                protocol_version=1, seconds=6.0,
            )  # fmt: skip
            submit_read(self.store, one)
            done.append(case)
        return done


def ward(folder: Path, *, cases: int = 60, planned: int = 0, readers: int = 2) -> Ward:
    """Make one; the first ``planned`` cases have a task."""
    store = open_store(folder / "ward.sqlite", sync=False)
    lead = add_user(store, "lead@example.org", "Lead", "lead", "system").id
    project = create_project(store, "Ward", TEXT, lead, lead=lead).id
    people = [
        add_user(store, f"r{at}@example.org", f"Reader {at}", "reader", lead).id
        for at in range(readers)
    ]
    for one in people:
        set_member(store, project, one, lead)
    image = {"rows": 4, "columns": 6, "frames": 1, "modality": "CR"}
    new = [NewCase(sha(f"case {at}"), [sha(f"frame {at}")], image) for at in range(cases)]
    ids = [key for key, _ in add_cases(store, project, new, lead)]
    truth = {case: CLASSES[at % 3 == 0] for at, case in enumerate(ids)}
    if planned:
        plan_tasks(store, project, lead, reads_per_case=1, cases=ids[:planned])
    return Ward(store, project, lead, people, ids, truth)
