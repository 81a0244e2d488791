"""Rulings on the labels of older versions, and the reads they ask for; on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import (
    NotFoundError,
    Store,
    add_protocol_version,
    claim,
    get_draft,
    plan_tasks,
    read_events,
    reads_of_case,
    rebuild,
    state_digests,
    submit_read,
)
from overread.store.quality.stale import Ruling, left_out, list_rulings, rule_version, standings
from overread.store.work.asked_again import PROTOCOL, Again, count_again
from tests.store.study import Study, a_read, new_study


def changed(store: Store) -> tuple[Study, str]:
    """A study with one read under version 1, and a version 2."""
    study = new_study(store, cases=2, readers=2)
    (task,) = claim(store, study.project, study.readers[0])
    submit_read(store, a_read(task.id, study.readers[0]))
    add_protocol_version(store, study.project, "title: another\n", study.lead, base_version=1)
    return study, reads_of_case(store, study.cases[0])[0].id


def ruling(**more: object) -> Ruling:
    settings: dict[str, object] = {"version": 2, "choice": "affected", "words": "look again"}
    return Ruling(**(settings | {"touched": {"q": ["yes"]}} | more))  # type: ignore[arg-type]


def test_a_ruling_marks_labels_and_asks_for_reads_once(store: Store) -> None:
    study, read = changed(store)
    one = study.readers[0]
    again = [Again(study.cases[0], one, {"other": 1})]
    labels = {"left_out": {"q": [read]}}
    for planned in (1, 0):  # given again after a crash it adds what is missing
        made = rule_version(store, study.project, ruling(), study.lead, labels=labels, again=again)
        assert made == planned
    assert left_out(store, study.project, "q") == {read}
    assert left_out(store, study.project, "q", ["another"]) == set()
    assert left_out(store, study.project, "other") == set()
    assert standings(store, study.project) == {(read, "q"): (2, "left_out")}
    kept = list_rulings(store, study.project)[2]
    assert (kept.choice, kept.words, kept.touched) == ("affected", "look again", {"q": ["yes"]})
    tasks = claim(store, study.project, one, count=5)
    (task,) = [each for each in tasks if each.round]
    draft = get_draft(store, task.id, one)
    assert draft is not None
    assert draft.answer == {"other": 1}
    assert count_again(store, study.project, PROTOCOL) == (1, 0)
    submit_read(store, a_read(task.id, one, protocol_version=2))
    assert count_again(store, study.project, PROTOCOL) == (1, 1)


def test_a_later_ruling_takes_the_place_of_the_first(store: Store) -> None:
    study, read = changed(store)
    args = (store, study.project)
    rule_version(*args, ruling(), study.lead, labels={"marked": {"q": [read]}}, again=[])
    later = ruling(choice="none", words="it stands after all")
    rule_version(*args, later, study.lead, labels={"stands": {"q": [read]}}, again=[])
    assert standings(*args) == {(read, "q"): (2, "stands")}
    assert list_rulings(*args)[2].choice == "none"


def test_whoever_comes_is_asked_once(store: Store) -> None:
    study, _ = changed(store)
    again = [Again(study.cases[0], None)]
    for planned in (1, 0):
        made = rule_version(store, study.project, ruling(), study.lead, labels={}, again=again)
        assert made == planned
    assert claim(store, study.project, study.readers[0], count=5)[0].case.id != study.cases[0]


def test_a_ruling_needs_a_version_and_a_reason(store: Store) -> None:
    study, _ = changed(store)
    for wrong, error in (
        (ruling(version=1), InputError),
        (ruling(version=9), NotFoundError),
        (ruling(choice="none", words=" "), InputError),
    ):
        with pytest.raises(error):
            rule_version(store, study.project, wrong, study.lead, labels={}, again=[])
    assert list_rulings(store, study.project) == {}


def test_rulings_follow_from_the_log(store: Store, new_store: Callable[[], Store]) -> None:
    study, read = changed(store)
    again = [Again(study.cases[0], study.readers[0]), Again(study.cases[0], None)]
    labels = {"marked": {"q": [read]}}
    rule_version(store, study.project, ruling(), study.lead, labels=labels, again=again)
    plan_tasks(store, study.project, study.lead, reads_per_case=3)
    other = new_store()
    rebuild(read_events(store), other)
    assert state_digests(other) == state_digests(store)
