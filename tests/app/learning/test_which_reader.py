"""Another read, and by whom: only where it tells more than a new case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.app.analysis.demand_model import ReaderModel
from overread.app.analysis.project_reads import Said
from overread.app.learning.case_latents import latents_of
from overread.app.learning.learner import begin_learner, taught_by
from overread.app.learning.settings import setup_of
from overread.app.learning.votes import votes_of
from overread.app.learning.which_reader import read_again
from overread.store import Store, claim
from overread.store.learning.asking import ask_again, kept_open
from tests.app.learning.study import NAMES, Study, new_study, picture, protocol
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
        learner, [MODEL], said, latents.cases[40:42], readers=("bad", "good"),
        seconds={"bad": 9.0, "good": 9.0}, shut=shut,
    )  # fmt: skip


def test_a_case_that_a_poor_reader_read_is_read_again_by_the_good_one(study: Study) -> None:
    found = asked(study, disputed=True)
    case = next(iter(study.truth))
    assert found == [(case, "good")]
    assert asked(study, disputed=True, shut=frozenset({(case, "good")})) == []


def pair(right: float) -> np.ndarray:
    return np.array([[right, 1 - right], [1 - right, right]])


FINDING = ReaderModel(
    ("absent", "present"), ("bad", "good"), np.full(2, 0.5), np.array([pair(0.55), pair(0.98)]),
    pair(0.7), 1.0,
)  # fmt: skip


def findings(
    study: Study, hard: str, new: list[str], *, shut: tuple[str, ...]
) -> list[tuple[str, str]]:
    """A set of findings; of one case there is the poor reader's answer alone."""
    setup, latents = setup_of(study.store, study.project), latents_of(study.store, study.project)
    assert setup is not None
    assert latents is not None
    assert len(setup.parts) == 3
    models = [FINDING] * 3
    said: dict[str, dict[str, Said]] = {
        case: {"good": Said(case, "good", [NAMES[study.truth[case]]], seconds=9)}
        for case in latents.cases
        if case not in {hard, *new}
    }
    said[hard] = {"bad": Said(hard, "bad", ["along", "flat"], seconds=9)}
    learner = begin_learner(setup, latents, np.zeros(len(latents.cases), dtype=bool))
    learner = taught_by(learner, votes_of(setup, said, models=models))
    return read_again(
        learner, models, said, new, readers=("bad", "good"),
        seconds={"bad": 9.0, "good": 9.0}, shut=frozenset((hard, who) for who in shut),
    )  # fmt: skip


def test_a_set_of_findings_is_read_again_for_what_all_its_findings_tell(
    store: Store, tmp_path: Path
) -> None:
    study = new_study(store, tmp_path, protocol(kind="multi-label"), cases=30)
    strange = (picture(0, 100).astype(int) + picture(1, 101)) // 2  # along and across
    (hard,) = study.bring([0], pixels=strange.astype(np.uint8))
    known = study.bring([1, 1], pixels=picture(1, 1))  # copies of what has been read
    study.embed()
    assert findings(study, hard, known, shut=("bad",)) == [(hard, "good")]
    assert findings(study, hard, known, shut=("bad", "good")) == []


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
        learner, [MODEL], {}, latents.cases[:2], readers=readers, seconds={}, shut=frozenset()
    )
    assert nothing == []
