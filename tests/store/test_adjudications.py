"""A senior decides, sends back, withdraws; nobody adjudicates what they read; on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NotFoundError,
    Slot,
    Store,
    add_user,
    claim,
    each_read,
    get_draft,
    last_read,
    list_reader_counts,
    plan_slots,
    plan_tasks,
    read_events,
    reads_of_case,
    reassign,
    rebuild,
    remove_member,
    role_in,
    set_member,
    state_digests,
    submit_read,
)
from overread.store.quality.adjudications import (
    adjudications_of_case,
    cases_with,
    decide,
    get_adjudication,
    get_standard,
    list_adjudications,
    list_seniors,
    open_adjudication,
    projects_of_senior,
    send_back,
    set_senior,
    standards_of_project,
    withdraw_standard,
)
from overread.store.work.asked_again import (
    ADJUDICATION,
    Again,
    asked_of_case,
    count_again,
    waiting_again,
    why_again,
)
from tests.store.conftest import Clock
from tests.store.study import Study, a_read, new_study


def disputed(store: Store, *, cases: int = 2) -> tuple[Study, str, list[str]]:
    """A study whose first case two readers read differently; a senior; the reads."""
    study = new_study(store, cases=cases, readers=2)
    for k, one in enumerate(study.readers):
        (task,) = claim(store, study.project, one)
        submit_read(store, a_read(task.id, one, answer={"q": "yes" if k else "no"}))
    senior = add_user(store, "senior@example.org", "Sena", "reader", "system").id
    set_member(store, study.project, senior, study.lead)
    set_senior(store, study.project, senior, study.lead, senior=True)
    return study, senior, [one.id for one in reads_of_case(store, study.cases[0])]


def test_a_decision_is_the_standard_of_its_case(store: Store) -> None:
    study, senior, reads = disputed(store)
    case = study.cases[0]
    opened = open_adjudication(store, case, senior, reads)
    assert set(opened.shown) == set(reads)
    assert open_adjudication(store, case, senior, reads[::-1]) == opened
    before = last_read(store, study.project)
    said = {"answer": {"q": "yes"}, "protocol_version": 1, "picked": reads[1], "seconds": 9.0}
    made = decide(store, opened.id, senior, words="seen on both views", **said)
    assert (made.answer, made.cannot_be_read, made.words) == (
        {"q": "yes"}, False, "seen on both views",
    )  # fmt: skip
    assert decide(store, opened.id, senior, words="seen on both views", **said) == made
    with pytest.raises(ConflictError):
        decide(store, opened.id, senior, words="another", **said)
    assert get_standard(store, case) == made
    assert standards_of_project(store, study.project) == {case: made}
    assert standards_of_project(store, study.project, until=made.event - 1) == {}
    assert last_read(store, study.project) > before
    (row,) = list_adjudications(store, study.project, "decided")
    assert (row.picked, row.seconds, row.senior) == (reads[1], 9.0, senior)
    with pytest.raises(ConflictError):
        open_adjudication(store, case, senior, reads)
    withdraw_standard(store, case, "the images were swapped", study.lead)
    assert get_standard(store, case) is None
    assert last_read(store, study.project)[0] > made.event
    with pytest.raises(NotFoundError):
        withdraw_standard(store, case, "again", study.lead)
    assert open_adjudication(store, case, senior, reads).number == 2


def test_the_order_of_the_reads_is_drawn_anew_for_each_adjudication(store: Store) -> None:
    study, senior, reads = disputed(store, cases=1)
    orders = set()
    for k in range(12):
        opened = open_adjudication(store, study.cases[0], senior, reads)
        orders.add(opened.shown)
        decide(store, opened.id, senior, answer={}, protocol_version=1, words=f"{k}")
        withdraw_standard(store, study.cases[0], "once more", study.lead)
    assert orders == {tuple(reads), tuple(reads[::-1])}


def test_nobody_adjudicates_what_they_read_or_are_to_read(store: Store) -> None:
    study, senior, reads = disputed(store)
    for one in study.readers:
        assert cases_with(store, study.project, one) == {study.cases[0]}
        with pytest.raises(ConflictError, match="read by you"):
            open_adjudication(store, study.cases[0], one, reads)
    plan_slots(store, study.project, [Slot(study.cases[0], senior)], study.lead)
    with pytest.raises(ConflictError, match="read by you"):
        open_adjudication(store, study.cases[0], senior, reads)


def test_who_adjudicates_a_case_is_given_none_of_it_to_read(store: Store) -> None:
    study, senior, reads = disputed(store, cases=1)
    plan_tasks(store, study.project, study.lead, reads_per_case=3)
    open_adjudication(store, study.cases[0], senior, reads)
    assert claim(store, study.project, senior) == []
    assert plan_slots(store, study.project, [Slot(study.cases[0], senior)], study.lead) == 0
    other = add_user(store, "other@example.org", "Otto", "reader", "system").id
    set_member(store, study.project, other, study.lead)
    (task,) = claim(store, study.project, other)
    with pytest.raises(ConflictError):
        reassign(store, task.id, senior, study.lead, in_hand=True)
    counts = {one.reader: one.skipped for one in list_reader_counts(store, study.project)}
    assert counts[senior] == 0  # they refused nothing


def test_two_seniors_have_a_case_one_after_the_other(store: Store, clock: Clock) -> None:
    study, senior, reads = disputed(store)
    mine = open_adjudication(store, study.cases[0], senior, reads)
    with pytest.raises(ConflictError, match="another senior"):
        open_adjudication(store, study.cases[0], study.lead, reads)
    clock.pass_seconds(3_700)
    theirs = open_adjudication(store, study.cases[0], study.lead, reads)
    states = [one.state for one in adjudications_of_case(store, study.cases[0])]
    assert states == ["left", "open"]
    with pytest.raises(ConflictError):
        decide(store, mine.id, senior, answer={}, protocol_version=1, words="late")
    for not_theirs in (get_adjudication, lambda *of: decide(*of, answer={}, protocol_version=1,
                                                           words="x")):  # fmt: skip
        with pytest.raises(NotFoundError):
            not_theirs(store, theirs.id, senior)


def test_sent_back_the_readers_read_again_and_that_counts(store: Store) -> None:
    study, senior, reads = disputed(store)
    case, (one, two) = study.cases[0], study.readers
    opened = open_adjudication(store, case, senior, reads)
    again = [Again(case, one, {"q": "no"}), Again(case, two)]
    assert send_back(store, opened.id, senior, words="the lower lobe?", again=again) == 2
    assert waiting_again(store, study.project, ADJUDICATION) == {case: 2}
    with pytest.raises(ConflictError):
        send_back(store, opened.id, senior, words="again?", again=again)
    tasks = claim(store, study.project, one, count=5)
    (task,) = [each for each in tasks if each.case.id == case]
    assert task.round == 1
    assert why_again(store, [each.id for each in tasks]) == {
        task.id: asked_of_case(store, case)[task.id]
    }
    assert asked_of_case(store, case)[task.id].words == "the lower lobe?"
    draft = get_draft(store, task.id, one)
    assert draft is not None
    assert draft.answer == {"q": "no"}
    submit_read(store, a_read(task.id, one, answer={"q": "yes"}))
    assert waiting_again(store, study.project, ADJUDICATION) == {case: 1}
    assert count_again(store, study.project, ADJUDICATION) == (2, 1)
    replaced = {(row["reader"], row["round"]): row["replaces"]
                for row in each_read(store, study.project)}  # fmt: skip
    assert replaced == {(one, 0): False, (two, 0): False, (one, 1): True}


def test_a_reason_and_two_readers_are_needed(store: Store) -> None:
    study, senior, reads = disputed(store)
    with pytest.raises(InputError):
        open_adjudication(store, study.cases[0], senior, reads[:1])
    with pytest.raises(NotFoundError):
        open_adjudication(store, "no case", senior, reads)
    opened = open_adjudication(store, study.cases[0], senior, reads)
    with pytest.raises(InputError):
        decide(store, opened.id, senior, answer={}, protocol_version=1, words=" ")
    with pytest.raises(InputError):
        send_back(store, opened.id, senior, words="", again=[])
    with pytest.raises(InputError, match="asked again"):
        send_back(store, opened.id, senior, words="who?", again=[])
    assert get_adjudication(store, opened.id, senior).state == "open"


def test_who_adjudicates_may_read_or_not(store: Store) -> None:
    study, senior, _ = disputed(store)
    assert list_seniors(store, study.project) == [senior]
    set_senior(store, study.project, study.readers[0], study.lead, senior=True)
    set_senior(store, study.project, senior, study.lead, senior=False)
    assert list_seniors(store, study.project) == [study.readers[0]]
    remove_member(store, study.project, study.readers[0], study.lead)
    assert list_seniors(store, study.project) == []
    assert role_in(store, study.project, study.readers[0]) is None
    set_senior(store, study.project, study.readers[0], study.lead, senior=True)
    assert role_in(store, study.project, study.readers[0]) == "senior"  # reads nothing here
    assert projects_of_senior(store, study.readers[0]) == [study.project]
    for project, who in ((study.project, "nobody"), ("nothing", senior)):
        with pytest.raises(NotFoundError):
            set_senior(store, project, who, study.lead, senior=True)


def test_all_of_it_follows_from_the_log(store: Store, new_store: Callable[[], Store]) -> None:
    study, senior, reads = disputed(store)
    opened = open_adjudication(store, study.cases[0], senior, reads)
    again = [Again(study.cases[0], one) for one in study.readers]
    send_back(store, opened.id, senior, words="the lower lobe?", again=again)
    opened = open_adjudication(store, study.cases[0], senior, reads)
    decide(store, opened.id, senior, answer={"q": "yes"}, protocol_version=1, words="clear")
    withdraw_standard(store, study.cases[0], "not clear", study.lead)
    opened = open_adjudication(store, study.cases[0], study.lead, reads)
    other = new_store()
    rebuild(read_events(store), other)
    assert state_digests(other) == state_digests(store)
