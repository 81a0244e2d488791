"""The loop for other label kinds: grades, sets of classes, several readers, drawings."""

from __future__ import annotations

import numpy as np
import pytest

from overread.app.learning.doubt import doubt_of
from overread.app.learning.predicted import predicted_parts
from overread.app.learning.settings import setup_of
from overread.app.study.project_protocol import protocol_of
from overread.errors import MethodError
from overread.store import claim
from overread.store.learning.asking import list_asked
from overread.store.learning.pre_labels import Proposal, add_pre_labels
from tests.app.learning.conftest import wish
from tests.app.learning.study import NAMES, Study
from tests.app.learning.test_loop import looping, played


def test_grades_learn_as_grades(study: Study) -> None:
    wish(study, kind="ordinal")
    loop = looping(study)
    played(study, loop, 14)
    assert loop.learner is not None
    assert loop.learner.pools[0].settings.ordinal
    (part,) = predicted_parts(study.store, study.project)
    assert part.classes == NAMES


def test_a_set_of_classes_has_a_model_a_finding(study: Study) -> None:
    wish(study, kind="multi-label")
    loop = looping(study)
    for _ in range(14):
        loop.catch_up(study.store)
        for task in claim(study.store, study.project, study.readers[0]):
            said = [] if study.truth[task.case.id] == 2 else [NAMES[study.truth[task.case.id]]]
            study.say(task.id, 0, said)
    loop.catch_up(study.store)
    parts = predicted_parts(study.store, study.project)
    assert [one.finding for one in parts] == list(NAMES)
    assert {one.classes for one in parts} == {("absent", "present")}
    flat = parts[2]
    assert set(flat.said[flat.said >= 0]) == {0}  # nobody ever said it: one class only
    assert np.isfinite(flat.probabilities).all()
    assert loop.progress is not None
    assert np.isnan(loop.progress.points[-1].recall[2])


def test_two_readers_of_a_case_are_two_votes(study: Study) -> None:
    wish(study, more="reads_per_case: 2")
    loop = looping(study)
    loop.catch_up(study.store)
    study.read(0, count=1, says="flat")
    study.read(1, count=1, says="along")
    loop.catch_up(study.store)
    assert loop.learner is not None
    ((_, heard),) = loop.learner.heard.items()
    assert heard.votes.tolist() == [[1, 0, 1]]
    assert heard.reads == 2


def test_drawings_come_by_the_doubt_of_their_pre_labels(study: Study) -> None:
    wish(study, kind="box")
    store, loop = study.store, looping(study)
    loop.catch_up(store)
    typical = {one.why for one in list_asked(store, study.project).values()}
    assert typical <= {"start", "lot"}
    hard = sorted(study.truth)[:8]
    told = [
        Proposal(case, "what", [], confidence=0.3 if case in hard else 0.9) for case in study.truth
    ]
    add_pre_labels(store, study.project, told, model="m", version="1", by="system")
    asked = set(list_asked(store, study.project))
    for _ in range(8):
        for task in claim(store, study.project, study.readers[0]):
            study.say(task.id, 0, [])
        loop.catch_up(store)
    chosen = [one for case, one in list_asked(store, study.project).items() if case not in asked]
    assert {one.why for one in chosen} == {"model"}
    first = [one.case for one in chosen][: len(set(hard) - asked)]
    assert set(first) == set(hard) - asked
    with pytest.raises(MethodError, match="classes and grades"):
        predicted_parts(store, study.project)


def test_models_that_differ_are_doubt(study: Study) -> None:
    question = protocol_of(study.store, study.project).protocol.question("what")
    setup = setup_of(study.store, study.project)
    assert setup is not None
    one, same = Proposal("c", "what", "flat", 0.9), Proposal("c", "what", "flat", 0.8)
    other = Proposal("c", "what", "along", None)
    assert doubt_of(question, [one, same]) == pytest.approx(0.2)
    assert doubt_of(question, [one, other, same]) == 1.0
    assert doubt_of(question, [other]) == 0.5
