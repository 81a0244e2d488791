"""The model of a whole project: who is right, who is not, and the case that it makes of it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from overread.app.study.case_consensus import case_consensus
from overread.app.study.project_model import LEAST_CASES, ProjectModel, project_model
from overread.app.study.project_readers import set_readers
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    claim,
    create_project,
    open_store,
    submit_read,
)
from overread.web.models import Models

TEXT = """title: Two things
reads_per_case: 3
questions:
  - {id: grade, prompt: Grade, kind: ordinal, classes: [none, some, much]}
  - {id: spots, prompt: Spots, kind: box, classes: [spot]}
  - {id: signs, prompt: Signs, kind: multi-label, classes: [a, b], required: false}
  - {id: size, prompt: Size, kind: score, low: 0, high: 100, required: false}
  - {id: area, prompt: Area, kind: mask, classes: [lesion], required: false}
"""
GRADES = ("none", "some", "much")


def study(folder: Path, cases: int) -> tuple[Store, str, list[str]]:
    """Two careful readers and one who guesses."""
    store = open_store(folder / "store.db", sync=False)
    project = create_project(store, "p", TEXT, "system").id
    people = [add_user(store, f"{k}@example.org", f"R{k}", "reader", "system").id for k in range(3)]
    image = {"rows": 40, "columns": 60, "frames": 1, "modality": "CR"}
    add_cases(
        store, project, [NewCase(f"{k:064x}", [f"{k:064x}"], image) for k in range(cases)], "system"
    )
    set_readers(store, project, people, by="system")
    random = np.random.default_rng(5)
    truth = random.integers(0, 3, cases)
    for who, one in enumerate(people):
        while tasks := claim(store, project, one, count=50):
            for task in tasks:
                code = int(truth[task.case.number - 1]) if who < 2 else int(random.integers(0, 3))
                submit_read(store, read_of(task.id, one, code))
    return store, project, people


def read_of(task: str, reader: str, code: int) -> Submission:
    box = {"id": "1", "class": "spot", "frame": 0, "x1": 5, "y1": 5, "x2": 15 + code, "y2": 15}
    runs = [[0, 60 * 10], [1, 60 * (5 + code)], [0, 60 * (25 - code)]]
    answer = {
        "grade": GRADES[code],
        "spots": [box] if code else [],
        "signs": ["a"] if code else [],
        "size": 10.0 * code,
        "area": [{"frame": 0, "rows": 40, "columns": 60, "runs": runs}],
    }
    return Submission(
        read_id=str(uuid4()), task=task, reader=reader, answer=answer, protocol_version=1, seconds=4
    )


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str, list[str], ProjectModel]:
    store, project, people = study(tmp_path_factory.mktemp("model"), 40)
    return store, project, people, project_model(store, project)


def test_every_kind_has_its_model(reached: tuple[Store, str, list[str], ProjectModel]) -> None:
    _, _, people, model = reached
    assert set(model.questions) == {"grade", "spots", "signs", "size", "area"}
    for name, one in model.questions.items():
        assert one.double == 40, name
        assert set(one.readers) == set(people), name
        assert one.headline is not None, name
        assert one.headline.low <= one.headline.value <= one.headline.high, name
        assert (name == "area") == (not one.value), name
    assert model.questions["grade"].headline.key == "alpha_ordinal"
    assert model.questions["size"].headline.key == "icc_2_1"
    shares = [model.questions["grade"].readers[one].split("%")[0] for one in people]
    assert int(shares[0].split()[-1]) > int(shares[2].split()[-1]) + 20


def test_the_case_says_what_the_model_says(
    reached: tuple[Store, str, list[str], ProjectModel],
) -> None:
    store, _, people, model = reached
    case = model.hardest()[0]
    assert (model.difficulty(case) or 0) >= (model.difficulty(model.hardest()[-1]) or 0)
    found = case_consensus(store, case, model)
    assert found.from_model
    assert set(found.readers) == set(people)
    assert "by the model of 3 readers" in found.posterior["grade"]
    assert found.posterior["area"] == "from 3 reads"  # masks are fused case by case
    assert found.difficulty == model.difficulty(case)
    alone = case_consensus(store, case)
    assert not alone.from_model
    assert "of the votes, from 3 reads" in alone.posterior["grade"]
    assert model.difficulty("no such case") is None


def test_few_reads_make_no_model(tmp_path: Path) -> None:
    store, project, _ = study(tmp_path, LEAST_CASES - 1)
    model = project_model(store, project)
    assert {one.double for one in model.questions.values()} == {LEAST_CASES - 1}
    assert all(not one.value and one.headline is None for one in model.questions.values())
    assert model.hardest() == []
    assert Models().of(store, create_project(store, "other", TEXT, "system").id) is None
    store.close()


def test_a_model_is_kept_until_more_is_read(tmp_path: Path) -> None:
    store, project, people = study(tmp_path, 12)
    models = Models(rest_seconds=0)
    assert models.of(store, project) is None  # the page does not wait
    models.wait()
    first = models.of(store, project)
    assert first is not None
    assert models.of(store, project) is first
    new = NewCase("f" * 64, ["f" * 64], {"rows": 40, "columns": 60, "frames": 1, "modality": ""})
    ((case, _),) = add_cases(store, project, [new], "system")
    set_readers(store, project, people, by="system")
    (task,) = claim(store, project, people[0])
    submit_read(store, read_of(task.id, people[0], 1))
    models._kept[project].next_at = 0
    assert models.of(store, project) is first  # the old one at once, the new one soon
    models.wait()
    second = models.of(store, project)
    assert second is not None
    assert case in second.questions["grade"].value
    assert case not in first.questions["grade"].value
    store.close()
