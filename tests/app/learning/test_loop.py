"""The loop over a real store: who is asked for what, what it learns, and that the log tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.app.learning import blind_audit, film_strip
from overread.app.learning import loop as loop_of_a_project
from overread.app.learning.case_latents import latents_of
from overread.app.learning.freeze_labels import auto_label
from overread.app.learning.issue_certificate import decide
from overread.app.learning.loop import ProjectLearning
from overread.app.learning.predicted import predicted
from overread.app.learning.proposals import proposals
from overread.app.learning.set_apart import duplicates_of, groups_of, held_back
from overread.app.study.label_sources import standing_autos
from overread.store import Store, claim, open_store, read_events, rebuild, state_digests
from overread.store.learning.asking import STOPPED, list_asked, set_loop, waiting
from overread.store.learning.auto_labels import get_run
from tests.app.learning.conftest import wish
from tests.app.learning.study import NAMES, Study, new_study, picture


def looping(study: Study) -> ProjectLearning:
    """A loop that encodes at once."""

    def encode(_store: Store, _project: str) -> bool:
        if study.embed():
            made.images_came()
        return True

    made = ProjectLearning(study.project, encode)
    return made


def played(study: Study, loop: ProjectLearning, count: int) -> list[str]:
    """Read so many cases one by one, the loop after each."""
    made: list[str] = []
    for _ in range(2 * count):
        if len(made) == count:
            break
        loop.catch_up(study.store)
        made += study.read()
    loop.catch_up(study.store)
    return made


def test_only_what_is_asked_for_is_open_and_every_read_moves_the_model(study: Study) -> None:
    store, loop = study.store, looping(study)
    assert claim(store, study.project, study.readers[0]) == []  # nothing is asked for yet
    assert loop.catch_up(store) == 4
    read = played(study, loop, 26)
    assert len(set(read)) == 26
    asked = list_asked(store, study.project)
    open_ = waiting(store, study.project)
    assert asked.keys() == {*read, *open_.untouched}
    assert len(open_.untouched) == 4
    why = [asked[case].why for case in read]
    tested = why.count("held back")
    assert 5 <= tested <= 10  # a third at first, as far as there are any
    assert {"start", "model"} <= set(why)
    assert loop.learner is not None
    tests = {case for case in asked if asked[case].why == "held back"}
    taught = {loop.learner.latents.cases[row] for row in loop.learner.pools[0].votes}
    assert taught == set(read) - tests
    assert loop.progress is not None
    assert loop.progress.taught >= 25 - tested
    assert loop.progress.tested <= tested
    assert loop.progress.points[-1].accuracy >= 0.6
    # the same model, read by read, as from the store at once
    at_once = predicted(store, study.project)
    assert at_once is not None
    assert set(np.flatnonzero(at_once.held_back)) == set(np.flatnonzero(loop.learner.held))
    assert set(np.flatnonzero(at_once.said >= 0)) == set(loop.learner.heard)


def test_a_server_that_starts_again_knows_the_same(study: Study, tmp_path: Path) -> None:
    store, loop = study.store, looping(study)
    played(study, loop, 12)
    again = looping(study)
    assert again.catch_up(store) == 0
    assert loop.learner is not None
    assert again.learner is not None
    assert again.learner.pools[0].votes.keys() == loop.learner.pools[0].votes.keys()
    rebuilt = open_store(f"sqlite:///{tmp_path / 'again.db'}", sync=False)
    rebuild(read_events(store), rebuilt)
    assert state_digests(rebuilt) == state_digests(store)
    rebuilt.close()


def test_two_servers_ask_by_one_choice_at_a_time(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = looping(study), looping(study)
    played(study, one, 12)
    other.catch_up(study.store)
    before = waiting(study.store, study.project).untouched
    study.read()
    chosen = loop_of_a_project.want

    def meanwhile(*given: Any, **more: Any) -> Any:
        """The other has chosen; before it says so this one asks."""
        monkeypatch.setattr(loop_of_a_project, "want", chosen)
        assert one.catch_up(study.store) > 0
        return chosen(*given, **more)

    monkeypatch.setattr(loop_of_a_project, "want", meanwhile)
    assert other.catch_up(study.store) == 0
    assert not other.refused
    assert len(waiting(study.store, study.project).untouched) == len(before)
    study.read()
    assert other.catch_up(study.store) > 0
    assert len(waiting(study.store, study.project).untouched) == len(before)


def test_a_corrected_read_corrects_the_model(study: Study) -> None:
    store, loop = study.store, looping(study)
    loop.catch_up(store)
    (task,) = claim(store, study.project, study.readers[0])
    study.say(task.id, 0, "flat")
    loop.catch_up(store)
    study.say(task.id, 0, "along", base=1)
    loop.catch_up(store)
    assert loop.learner is not None
    row = loop.learner.row[task.case.id]
    assert loop.learner.heard[row].code == (0,)
    assert loop.learner.heard[row].votes.sum() == 1


def test_stopping_withdraws_what_nobody_took(study: Study) -> None:
    store, loop = study.store, looping(study)
    loop.catch_up(store)
    (task,) = claim(store, study.project, study.readers[0])
    set_loop(store, study.project, STOPPED, study.lead, words="enough")
    assert loop.catch_up(store) == 0
    left = waiting(store, study.project)
    assert (left.untouched, left.in_hand) == (frozenset(), {task.case.id})
    study.say(task.id, 0, "flat")
    assert loop.catch_up(store) == 0
    assert list_asked(store, study.project).keys() == {task.case.id}
    set_loop(store, study.project, "on", study.lead)
    assert loop.catch_up(store) == 4


def test_a_batch_comes_whole_and_most_labels_end_it(study: Study) -> None:
    wish(study, settings="held_back: 0.2, mode: batch, batch: 7, most_labels: 10")
    store, loop = study.store, looping(study)
    assert loop.catch_up(store) == 7
    study.read(count=6)
    assert loop.catch_up(store) == 0
    study.read(1)
    assert loop.catch_up(store) == 3
    study.read(count=3)
    assert loop.catch_up(store) == 0


@pytest.mark.parametrize("says", ["flat", None])
def test_one_class_only_keeps_the_start_order(study: Study, says: str | None) -> None:
    store, loop = study.store, looping(study)
    for _ in range(14 if says else 24):  # enough of each class, whichever cases are set apart
        loop.catch_up(store)
        study.read(says=says)
    loop.catch_up(store)
    why = {one.why for one in list_asked(store, study.project).values()}
    assert ("model" in why) == (says is None)
    assert (predicted(store, study.project) is None) == (says is not None)
    assert loop.progress is not None
    assert bool(loop.progress.points) == (says is None)


def test_cases_come_while_it_runs_and_images_vanish(store: Store, tmp_path: Path) -> None:
    study = new_study(store, tmp_path, cases=1)
    loop = looping(study)
    assert loop.catch_up(store) == 1  # one image teaches no encoder: by lot
    flat = study.bring([2, 2, 2], pixels=np.full((40, 40), 9, dtype=np.uint8))  # constant, alike
    twins = study.bring([0, 0], pixels=picture(0, 3))
    loop.catch_up(store)
    found = latents_of(store, study.project)
    assert found is not None
    assert len(found.cases) == 6
    assert np.isfinite(found.values).all()
    code = dict(zip(found.cases, duplicates_of(found).tolist(), strict=True))
    assert len({code[case] for case in flat}) == 1
    assert len({code[case] for case in twins}) == 1
    groups = groups_of(found)
    for share in (0.2, 0.5, 0.9):
        held = held_back(study.project, found, groups, share=share, asked={})
        of = dict(zip(found.cases, held.tolist(), strict=True))
        assert len({of[case] for case in flat}) == len({of[case] for case in twins}) == 1
    asked = list_asked(store, study.project)
    assert sum(case in asked for case in flat) <= 1
    read = played(study, loop, 6)
    assert set(read) == set(study.truth)  # near-duplicates come last, and come


def test_cases_that_a_certificate_stands_for_are_not_asked_for(
    study: Study, tmp_path: Path
) -> None:
    store, project, loop = study.store, study.project, looping(study)
    played(study, loop, 14)
    given = proposals(store, project)
    run = get_run(store, auto_label(store, project, given, target=0.3, by=study.lead))
    words = [film_strip.Word(case, NAMES[study.truth[case]]) for case in given.cases]
    film_strip.say(store, run, words, seconds=30, by=study.lead)
    cases = blind_audit.audit_offer(store, run).plans[0].cases
    assert cases < len(given.cases)
    audit = blind_audit.begin(
        store, project, run.id, cases=cases, mode=blind_audit.ONE_LOOK, seed=1, by=study.lead
    )
    loop.catch_up(store)
    while study.read(0) + study.read(1):
        pass
    assert decide(store, project, audit, keys=tmp_path, by=study.lead).certificate is not None
    certified = {case for case, one in standing_autos(store, project, "what").items()
                 if one.certificate and not one.read}  # fmt: skip
    assert certified
    before = list_asked(store, project).keys()  # some were asked for, and left to the audit
    set_loop(store, project, "on", study.lead)
    again = looping(study)  # a server that starts again knows it, too
    for one in (loop, again):
        one.catch_up(store)
        assert not certified & (list_asked(store, project).keys() - before)
        assert not certified & waiting(store, project).untouched
    # cases that come later are no part of the certificate
    fresh = study.bring([0, 1])
    again.catch_up(store)
    assert set(fresh) & list_asked(store, project).keys()
