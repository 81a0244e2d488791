"""What a learning project asks for, on both databases: opened, withdrawn, kept, told by the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import Store, claim, read_events, rebuild, state_digests, submit_read
from overread.store.errors import ConflictError, NotFoundError
from overread.store.learning.asking import (
    STOPPED,
    ask_again,
    ask_cases,
    kept_open,
    last_asked,
    list_asked,
    loop_state,
    set_loop,
    waiting,
)
from overread.store.study.cases import count_cases
from tests.store.study import a_read, new_study


def test_cases_are_asked_for_and_withdrawn_while_nobody_has_them(
    store: Store, new_store: Callable[[], Store]
) -> None:
    study = new_study(store, cases=5, reads_per_case=0)
    one, two, three, four, _ = study.cases
    wanted = [(one, "start"), (two, "held back"), (three, "model")]
    assert ask_cases(store, study.project, wanted, reads=2) == {one, two, three}
    assert ask_cases(store, study.project, [(one, "model")]) == set()  # it has its slots
    (task,) = claim(store, study.project, study.readers[0])
    assert task.case.id == one
    opened = ask_cases(store, study.project, [(four, "lot")], unwanted=[one, three], labels=7)
    assert opened == {four}
    now = waiting(store, study.project)
    assert (now.untouched, now.in_hand) == ({two, four}, {one})
    assert now.readers == {study.readers[0]}
    asked = list_asked(store, study.project)
    assert list(asked) == [one, two, four]
    assert (asked[two].why, asked[four].labels) == ("held back", 7)
    submit_read(store, a_read(task.id, study.readers[0]))
    assert waiting(store, study.project).touched == {one}  # the other reader's slot
    set_loop(store, study.project, STOPPED, study.lead, words="enough")
    assert loop_state(store, study.project).words == "enough"
    again = new_store()
    rebuild(read_events(store), again)
    assert state_digests(again) == state_digests(store)


def test_what_was_chosen_before_another_asked_is_not_asked_for(store: Store) -> None:
    study = new_study(store, cases=3, reads_per_case=0)
    one, two, three = study.cases
    known = last_asked(store, study.project)
    assert ask_cases(store, study.project, [(one, "model")], known=known) == {one}
    with pytest.raises(ConflictError, match="cases to ask for"):
        ask_cases(store, study.project, [(two, "model")], unwanted=[one], known=known)
    assert waiting(store, study.project).untouched == {one}
    assert ask_cases(
        store, study.project, [(three, "lot")], known=last_asked(store, study.project)
    ) == {three}


def test_one_more_read_is_kept_for_its_reader(store: Store) -> None:
    study = new_study(store, cases=2, reads_per_case=0)
    ask_cases(store, study.project, [(study.cases[0], "model")])
    (task,) = claim(store, study.project, study.readers[0])
    submit_read(store, a_read(task.id, study.readers[0]))
    wanted = [(study.cases[0], study.readers[0]), (study.cases[0], study.readers[1])]
    assert ask_again(store, study.project, wanted) == 1
    assert kept_open(store, study.project) == {study.readers[1]: 1}


def test_what_cannot_be_asked_for_is_refused(store: Store) -> None:
    study = new_study(store, cases=1, reads_per_case=0)
    with pytest.raises(InputError, match="be one of start"):
        ask_cases(store, study.project, [(study.cases[0], "because")])
    with pytest.raises(NotFoundError):
        ask_cases(store, study.project, [("nothing", "model")])
    with pytest.raises(InputError, match="be on or stopped"):
        set_loop(store, study.project, "away", study.lead)
    assert list_asked(store, study.project) == {}
    assert count_cases(store, study.project) == 1
