"""What a senior decided leads the project's model, measures its readers, and orders the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from overread.app.quality import adjudicate, adjudication_queue
from overread.app.study.conformity import conformity
from overread.app.study.project_model import ProjectModel, project_model
from overread.store import (
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
from tests.store.study import new_case

PROTOCOL = """title: Knees
questions:
  - id: grade
    prompt: Which grade
    kind: nominal
    classes: [None, {name: Mild, weight: 2}, Severe]
"""


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Store, str, list[str], str]]:
    """Fourteen cases that three readers read; the third is contrary on six. A senior."""
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", sync=False)
    lead = add_user(store, "lead@example.org", "Lea", "lead", "system").id
    project = create_project(store, "Knees", PROTOCOL, lead, lead=lead).id
    readers = [add_user(store, f"{k}@example.org", f"R{k}", "reader", lead).id for k in range(3)]
    for one in readers:
        set_member(store, project, one, lead)
    cases = [
        key for key, _ in add_cases(store, project, [new_case(f"{k}") for k in range(14)], lead)
    ]
    plan_tasks(store, project, lead, reads_per_case=3, readers=readers)
    for at, who in enumerate(readers):
        for task in claim(store, project, who, count=20):
            k = cases.index(task.case.id)
            grade = ("None", "Mild")[k % 2]
            if at == 2 and k < 6:
                grade = "Severe"
            submit_read(store, Submission(str(uuid4()), task.id, who, {"grade": grade}, 1))
    yield store, project, cases, lead
    store.close()


def decide(store: Store, case: str, senior: str, grade: str) -> None:
    opened = adjudicate.open_case(store, case, senior)
    said = adjudicate.Decision("seen so", answer={"grade": grade})
    adjudicate.decide(store, opened.id, senior, said)


def accuracy(model: ProjectModel, reader: str) -> str:
    return model.questions["grade"].readers[reader]


def test_decisions_lead_the_model(study: tuple[Store, str, list[str], str]) -> None:
    store, project, cases, senior = study
    before = project_model(store, project)
    of = before.questions["grade"]
    assert set(of.disputes) == set(cases[:6])
    assert of.value[cases[0]] == "None"
    queue = adjudication_queue.queue(store, project, senior, before)
    assert queue.count == 6
    assert [one.score for one in queue.waiting] == sorted(
        (one.score for one in queue.waiting), reverse=True
    )
    assert queue.waiting[0].weight == 2.0
    assert queue.waiting[0].entropy == pytest.approx(of.entropy[queue.waiting[0].case])
    for case in cases[:6]:
        decide(store, case, senior, "Severe")  # the contrary reader was right
    after = project_model(store, project)
    of = after.questions["grade"]
    assert [of.value[case] for case in cases[:6]] == ["Severe"] * 6
    assert max(of.entropy[case] for case in cases[:6]) == pytest.approx(0)
    assert adjudication_queue.queue(store, project, senior, after).count == 0
    assert adjudication_queue.queue(store, project, senior, after).decided == 6
    for one in before.questions["grade"].readers:
        assert accuracy(before, one) != accuracy(after, one)
    assert after.conformity == conformity(store, project)
    assert after.conformity is not None
    assert (after.conformity.labels, after.conformity.whole) == (42 + 6, True)


def test_a_standard_that_cannot_be_read_takes_the_case_out(
    study: tuple[Store, str, list[str], str],
) -> None:
    store, project, cases, senior = study
    opened = adjudicate.open_case(store, cases[0], senior)
    said = adjudicate.Decision("motion", answer={}, cannot_be_read=True)
    adjudicate.decide(store, opened.id, senior, said)
    model = project_model(store, project)
    assert cases[0] not in model.questions["grade"].value
    assert cases[1] in model.questions["grade"].value
