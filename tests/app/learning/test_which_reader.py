"""Another read, and by whom: only where it tells more than a new case."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.analysis.demand_model import ReaderModel
from overread.app.analysis.project_reads import Said
from overread.app.learning.case_latents import latents_of
from overread.app.learning.learner import begin_learner, taught_by
from overread.app.learning.settings import setup_of
from overread.app.learning.votes import votes_of
from overread.app.learning.which_reader import read_again
from overread.store import claim
from overread.store.learning.asking import ask_again, kept_open
from tests.app.learning.study import NAMES, Study
from tests.app.learning.test_loop import looping, played


def table(right: float) -> np.ndarray:
    return np.full((3, 3), (1 - right) / 2) + np.eye(3) * (right - (1 - right) / 2)


MODEL = ReaderModel(
    NAMES, ("bad", "good"), np.full(3, 1 / 3), np.array([table(0.4), table(0.98)]), table(0.7), 1.0
)


def asked(
    study: Study, *, disputed: bool, shut: frozenset[tuple[str, str]] = frozenset()
) -> list[tuple[str, str]]:
    setup, latents = setup_of(study.store, study.project), latents_of(study.store, study.project)
    assert setup is not None
    assert latents is not None
    said: dict[str, dict[str, Said]] = {}
    for case in latents.cases[:30]:
        name = NAMES[study.truth[case]]
        said[case] = {"good": Said(case, "good", name, seconds=9)}
    hard = latents.cases[0]
    if disputed:
        said[hard] = {"bad": Said(hard, "bad", "flat", seconds=9)}
    learner = begin_learner(setup, latents, np.zeros(len(latents.cases), dtype=bool))
    learner = taught_by(learner, votes_of(setup, said, models=[MODEL]))
    return read_again(
        learner, MODEL, said, latents.cases[40:42], readers=("bad", "good"),
        seconds={"bad": 9.0, "good": 9.0}, shut=shut,
    )  # fmt: skip


def test_a_case_that_a_poor_reader_read_is_read_again_by_the_good_one(study: Study) -> None:
    found = asked(study, disputed=True)
    case = next(iter(study.truth))
    assert found == [(case, "good")]
    assert asked(study, disputed=True, shut=frozenset({(case, "good")})) == []


def test_what_a_good_reader_said_is_not_asked_again(study: Study) -> None:
    assert asked(study, disputed=False) == []


def test_the_read_is_kept_for_its_reader(study: Study) -> None:
    loop = looping(study)
    (case, *_) = played(study, loop, 3)
    other = study.readers[1]
    assert ask_again(study.store, study.project, [(case, study.readers[0])]) == 0  # had it
    assert ask_again(study.store, study.project, [(case, other)]) == 1
    assert kept_open(study.store, study.project) == {other: 1}
    assert case in {one.case.id for one in claim(study.store, study.project, other, count=5)}


@pytest.mark.parametrize("readers", [(), ("good",)])
def test_nobody_to_ask(study: Study, readers: tuple[str, ...]) -> None:
    setup, latents = setup_of(study.store, study.project), latents_of(study.store, study.project)
    assert setup is not None
    assert latents is not None
    learner = begin_learner(setup, latents, np.zeros(len(latents.cases), dtype=bool))
    nothing = read_again(
        learner, MODEL, {}, latents.cases[:2], readers=readers, seconds={}, shut=frozenset()
    )
    assert nothing == []
