"""From answers to read tables and back: a consensus has the shape of an answer, for every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from overread.app.analysis.project_reads import Said, mask_array, read_table
from overread.app.study.case_consensus import case_consensus
from overread.app.study.project_readers import plan_reads
from overread.protocol import check_answer, read_protocol
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_case,
    add_user,
    claim,
    create_project,
    open_store,
    set_member,
    submit_read,
)

TEXT = """
title: All kinds
reads_per_case: 3
questions:
  - {id: n, prompt: P, kind: nominal, classes: [a, b]}
  - {id: o, prompt: P, kind: ordinal, classes: ["0", "1", "2"]}
  - {id: m, prompt: P, kind: multi-label, classes: [a, b]}
  - {id: s, prompt: P, kind: score, low: 0}
  - {id: x, prompt: P, kind: box, classes: [a, b]}
  - {id: i, prompt: P, kind: instance, classes: [a, b]}
  - {id: k, prompt: P, kind: mask, classes: [a, b]}
"""
PROTOCOL = read_protocol(TEXT)
SIZE = {"rows": 40, "columns": 60, "frames": 2}


def box(x: float, frame: int = 1) -> dict[str, Any]:
    return {"id": "1", "class": "a", "frame": frame, "x1": x, "y1": 2, "x2": 30, "y2": 20}


def ring(x: float) -> dict[str, Any]:
    return {
        "id": "1",
        "class": "b",
        "frame": 0,
        "points": [[x, 2], [30 + x, 2], [30 + x, 20], [x, 20]],
    }


def mask(length: int) -> dict[str, Any]:
    runs = [[0, 600], [2, length], [0, 1800 - length]]
    return {"frame": 1, "rows": 40, "columns": 60, "runs": runs}


ANSWERS: tuple[dict[str, Any], ...] = (
    {"n": "a", "o": "2", "m": ["a"], "s": 1, "x": [box(2)], "i": [ring(2)], "k": [mask(500)]},
    {"n": "a", "o": "2", "m": ["a", "b"], "s": 2, "x": [box(4)], "i": [ring(3)], "k": [mask(480)]},
    {"n": "b", "o": "1", "m": [], "s": 3, "x": [], "i": [ring(4)], "k": [mask(500)]},
)


@pytest.fixture
def read_project(tmp_path: Path) -> Iterator[tuple[Store, str, str]]:
    """A project with one case of two frames that three readers read."""
    store = open_store(tmp_path / "store.db", sync=False)
    project = create_project(store, "All", TEXT, "system").id
    image = {**SIZE, "samples": 1, "dtype": "uint8"}
    case, _ = add_case(store, project, NewCase("1" * 64, ["2" * 64] * 2, image), "system")
    for at in range(len(ANSWERS)):
        user = add_user(store, f"r{at}@example.org", f"Reader {at}", "reader", "system").id
        set_member(store, project, user, "system")
    plan_reads(store, project, by="system")
    from overread.app.study.project_readers import readers_of

    for user, answer in zip(readers_of(store, project), ANSWERS, strict=True):
        (task,) = claim(store, project, user)
        submit_read(store, Submission(str(uuid4()), task.id, user, answer, 1, comment="=1+1"))
    yield store, project, case
    store.close()


def test_consensus_is_an_answer(read_project: tuple[Store, str, str]) -> None:
    store, _, case = read_project
    found = case_consensus(store, case)
    check_answer(PROTOCOL, found.answer, **SIZE)
    assert (found.answer["n"], found.answer["o"], found.answer["m"]) == ("a", "2", ["a"])
    assert found.answer["s"] == pytest.approx(2, abs=0.1)
    (one,) = found.answer["x"]
    assert (one["class"], one["frame"], one["x1"]) == ("a", 1, pytest.approx(3))
    (outline,) = found.answer["i"]
    assert (outline["class"], outline["frame"]) == ("b", 0)
    painted = mask_array(found.answer["k"], SIZE)
    assert set(np.unique(painted).tolist()) == {0, 2}
    assert 480 <= int((painted == 2).sum()) <= 500
    assert found.posterior["n"] == "67 % of the votes, from 3 reads"


def test_masks_come_back_whole() -> None:
    painted = mask_array([mask(500)], SIZE)
    assert painted.shape == (2, 40, 60)
    assert not painted[0].any()
    assert np.flatnonzero(painted[1].ravel()).tolist() == list(range(600, 1100))


@pytest.mark.parametrize("at", range(len(PROTOCOL.questions)))
def test_unreadable_and_old_classes(at: int) -> None:
    question = PROTOCOL.questions[at]
    value = ANSWERS[0][question.id]
    said = [Said("c", "r1", None), Said("c", "r2", value)]
    table = read_table(question, said, {"c": SIZE})
    assert table is not None
    assert table.index.n_reads == 2
    assert read_table(question, [], {"c": SIZE}) is None
    if question.classes and question.id != "k":
        old = {"n": "gone", "o": "9", "m": ["gone"], "x": [box(1) | {"class": "gone"}]}
        stale = old.get(question.id, [ring(1) | {"class": "gone"}])
        assert read_table(question, [Said("c", "r1", stale)], {"c": SIZE}) is None
