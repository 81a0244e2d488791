"""Models that leads brought, on both databases: by the log, and what they have answered since."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import Store, read_events, rebuild, state_digests
from overread.store.errors import NotFoundError
from overread.store.learning.pre_label_models import (
    answered_by,
    keep_model,
    list_models,
    remove_model,
)
from overread.store.learning.pre_labels import Proposal, add_pre_labels
from overread.store.learning.pre_labels_withdrawn import withdraw_pre_labels
from tests.store.study import new_study

FILE = "ab" * 32
ABOUT = {"name": "grader", "version": "2", "classes": ["0", "1"]}


def test_models_follow_from_the_log_and_are_removed(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    of = {"question": "q", "file": FILE}
    assert list_models(store, study.project) == []
    keep_model(store, study.project, "q:ab", study.lead, about=ABOUT, **of)
    keep_model(store, study.project, "q:cd", study.lead, about=ABOUT | {"name": "b"}, **of)
    keep_model(store, study.project, "q:ab", study.lead, about=ABOUT | {"version": "3"}, **of)
    second, first = list_models(store, study.project)
    assert (first.id, first.question, first.file) == ("q:ab", "q", FILE)
    assert first.about == ABOUT | {"version": "3"}
    assert first.event > second.event
    remove_model(store, study.project, "q:cd", study.lead)
    assert [one.id for one in list_models(store, study.project)] == ["q:ab"]
    with pytest.raises(NotFoundError):
        remove_model(store, study.project, "q:cd", study.lead)
    with pytest.raises(InputError, match="file must"):
        keep_model(store, study.project, "q:x", study.lead, question="q", file="x", about=ABOUT)
    actions = [one.action for one in read_events(store) if "model_" in one.action]
    assert actions == ["pre_label_model_brought"] * 3 + ["pre_label_model_removed"]
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
    assert list_models(empty, study.project) == list_models(store, study.project)


def test_what_it_answered_counts_since_it_was_brought_and_while_it_stands(store: Store) -> None:
    study = new_study(store)
    first, second, third = study.cases[:3]
    of = {"question": "q", "file": FILE}
    as_said = {"model": "grader", "version": "2", "by": study.lead}
    add_pre_labels(store, study.project, [Proposal(third, "q", "yes")], **as_said)
    keep_model(store, study.project, "q:ab", study.lead, about=ABOUT, **of)
    (row,) = list_models(store, study.project)
    assert answered_by(store, study.project, row) == set()  # by another of this name, before
    more = [Proposal(one, "q", "yes") for one in (first, second)]
    add_pre_labels(store, study.project, more, **as_said)
    elsewhere = as_said | {"version": "4"}
    add_pre_labels(store, study.project, [Proposal(third, "q", "no")], **elsewhere)
    add_pre_labels(store, study.project, [Proposal(third, "other", "no")], **as_said)
    assert answered_by(store, study.project, row) == {first, second}
    withdraw_pre_labels(
        store, study.project, question="q", model="grader", version="2", by=study.lead
    )
    assert answered_by(store, study.project, row) == set()
