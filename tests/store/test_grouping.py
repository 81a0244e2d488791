"""Patients of cases that are stated later, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import (
    NotFoundError,
    Store,
    get_cases,
    head,
    read_events,
    rebuild,
    state_digests,
)
from overread.store.study.grouping import group_cases, grouped_since, groups_at
from tests.store.study import new_study


def test_groups_change_by_events_that_tell_what_was_before(new_store: Callable[[], Store]) -> None:
    store = new_store()
    study, other = new_study(store, cases=1_100), new_study(store, name="other")
    first = head(store).n
    every = dict.fromkeys(study.cases, "a" * 64)  # more than one page of keys
    assert group_cases(store, study.project, every, study.lead) == 1_100
    then = head(store).n
    one, two = study.cases[:2]
    assert group_cases(store, study.project, {one: "b" * 64, two: "a" * 64}, study.lead) == 1
    assert group_cases(store, study.project, {one: "b" * 64}, study.lead) == 0
    assert head(store).n == then + 1  # nothing changed, nothing is told
    assert grouped_since(store, study.project, then)
    assert not grouped_since(store, study.project, then + 1)
    assert not grouped_since(store, other.project, first)
    assert groups_at(store, study.project, first) == dict.fromkeys(study.cases, "")
    assert groups_at(store, study.project, then) == {one: "a" * 64}
    assert groups_at(store, study.project, then + 1) == {}
    found = get_cases(store, [one, two])
    assert [found[case].group for case in (one, two)] == ["b" * 64, "a" * 64]
    again = new_store()
    rebuild(read_events(store), again)
    assert state_digests(again) == state_digests(store)


def test_a_case_of_another_project_or_no_group_changes_nothing(store: Store) -> None:
    study, other = new_study(store), new_study(store, name="other")
    before = head(store).n
    mixed = {study.cases[0]: "g", other.cases[0]: "g"}
    with pytest.raises(NotFoundError):
        group_cases(store, study.project, mixed, study.lead)
    with pytest.raises(InputError, match="group"):
        group_cases(store, study.project, {study.cases[0]: ""}, study.lead)
    assert group_cases(store, study.project, {}, study.lead) == 0
    assert head(store).n == before
