"""Auto-labels of a project that learns: the model's own answers, and the loop leaves the audit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overread.app.analysis.set_labels import names_in
from overread.app.learning import blind_audit, film_strip
from overread.app.learning.freeze_labels import auto_label, offers
from overread.app.learning.loop import ProjectLearning
from overread.app.learning.predicted import learned
from overread.app.learning.proposals import proposals
from overread.app.learning.spreading import spread_where_it_helps
from overread.errors import MethodError
from overread.store import claim, plan_tasks
from overread.store.learning.asking import STOPPED, loop_state
from overread.store.learning.audits import get_audit
from overread.store.learning.auto_labels import get_run
from tests.app.learning.conftest import wish
from tests.app.learning.study import NAMES, Study


def test_what_the_model_says_of_unread_cases_and_how_often_it_errs(study: Study) -> None:
    with pytest.raises(MethodError, match="two classes"):
        proposals(study.store, study.project)
    plan_tasks(study.store, study.project, study.lead, reads_per_case=1)
    read = study.read(count=24)
    found = proposals(study.store, study.project)
    assert set(found.cases) == set(study.truth) - set(read)
    assert found.classes == NAMES
    assert len(found.known_right) == 24  # those held back, and each left out of the others
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    truth = np.array([study.truth[case] for case in found.cases])
    right = (found.probabilities.argmax(axis=1) == truth).mean()
    assert abs(found.known_right.mean() - right) < 0.35
    assert "taught by" in found.model
    assert [one.accepted + one.left for one in offers(study.store, study.project, found)] == [
        24
    ] * 4


def test_the_loop_leaves_cases_of_an_audit_and_those_sent_to_readers(study: Study) -> None:
    loop = ProjectLearning(study.project, lambda _store, _project: False)
    loop.catch_up(study.store)
    while len(study.read()) and len(loop.heard.said) < 20:
        loop.catch_up(study.store)
    given = proposals(study.store, study.project)
    run = get_run(
        study.store, auto_label(study.store, study.project, given, target=0.1, by=study.lead)
    )
    doubtful, *others = given.cases
    words = [film_strip.Word(doubtful, "")]
    words += [film_strip.Word(case, NAMES[study.truth[case]]) for case in others]
    film_strip.say(study.store, run, words, seconds=30, by=study.lead)
    audit = blind_audit.begin(
        study.store, study.project, run.id, cases=6, mode=blind_audit.ONE_LOOK, seed=1,
        by=study.lead,
    )  # fmt: skip
    assert loop_state(study.store, study.project).state == STOPPED
    loop.catch_up(study.store)  # it withdraws what it asked for, and none of these
    read: list[str] = []
    while made := study.read(0) + study.read(1):
        read += made
        loop.catch_up(study.store)
    assert doubtful in read
    standing = blind_audit.standing(study.store, get_audit(study.store, audit))
    assert (standing.counted, standing.ready) == (6, True)
    assert standing.errors == 0


def test_a_set_is_sure_where_all_its_classes_are_and_right_where_all_are_right(
    study: Study,
) -> None:
    wish(study, kind="multi-label")
    plan_tasks(study.store, study.project, study.lead, reads_per_case=1)
    read = 0
    while read < 24:
        for task in claim(study.store, study.project, study.readers[0]):
            truth = study.truth[task.case.id]
            study.say(task.id, 0, [] if truth == 2 else [NAMES[truth]])
            read += 1
    found = proposals(study.store, study.project)
    assert found.findings == NAMES
    assert found.code is not None
    assert found.probabilities.shape == (len(found.cases), 1)
    assert len(found.known_right) == 24
    names = [names_in(found.classes[at]) for at in found.code]
    truth = [() if study.truth[c] == 2 else (NAMES[study.truth[c]],) for c in found.cases]
    right = np.mean([one == other for one, other in zip(names, truth, strict=True)])
    assert abs(found.known_right.mean() - right) < 0.35
    offered = offers(study.store, study.project, found)
    assert [one.accepted + one.left for one in offered] == [24] * 4
    run = get_run(
        study.store, auto_label(study.store, study.project, found, target=0.1, by=study.lead)
    )
    assert run.settings["findings"] == list(NAMES)


def test_labels_spread_where_held_back_labels_show_it_and_the_page_tells(study: Study) -> None:
    plan_tasks(study.store, study.project, study.lead, reads_per_case=1)
    study.read(count=24)
    found = proposals(study.store, study.project)
    assert "Labels are not spread to unlabelled cases" in found.model
    assert "20 are needed to tell whether it helps" in found.model
    learner, _ = learned(study.store, study.project)
    held = np.zeros(len(learner.held), dtype=bool)
    held[: len(held) // 2] = True
    truth = np.array([study.truth[case] for case in learner.latents.cases])
    learner = replace(learner, held=held)
    flat = np.full((len(truth), 3), 1 / 3)  # a process that knows nothing: labels can only help
    (spread,), told = spread_where_it_helps(learner, [flat], [truth])
    assert told is not None
    assert told.groups == held.sum()
    assert told.on == (told.low > 0)
    assert (spread is flat) == (not told.on)
