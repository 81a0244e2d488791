"""Claims, leases, skips and plans, on both databases."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NotFoundError,
    Slot,
    Store,
    add_cases,
    change_project,
    claim,
    get_task,
    heartbeat,
    list_reader_counts,
    plan_slots,
    plan_tasks,
    project_progress,
    reader_progress,
    reassign,
    release,
    remove_member,
    save_draft,
    skip,
    submit_read,
)
from tests.store.conftest import Clock
from tests.store.study import a_read, new_case, new_study


def numbers(tasks: list) -> list[int]:
    return [task.case.number for task in tasks]


def test_a_reader_gets_each_case_once_and_slots_run_out(store: Store) -> None:
    study = new_study(store, cases=3, readers=3, reads_per_case=2)
    seen: dict[str, list[int]] = {}
    for reader in study.readers:
        seen[reader] = []
        while tasks := claim(store, study.project, reader):
            submit_read(store, a_read(tasks[0].id, reader))
            seen[reader].append(tasks[0].case.number)
    assert list(seen.values()) == [[1, 2, 3], [1, 2, 3], []]
    assert project_progress(store, study.project).done == 6


def test_a_reload_gets_the_same_tasks_with_a_new_lease(store: Store, clock: Clock) -> None:
    study = new_study(store)
    one = study.readers[0]
    first = claim(store, study.project, one, count=2, lease_seconds=60)
    clock.pass_seconds(30)
    again = claim(store, study.project, one, count=3, lease_seconds=60)
    assert [task.id for task in again[:2]] == [task.id for task in first]
    assert numbers(again) == [1, 2, 3]
    assert again[0].lease_expires > first[0].lease_expires
    assert again[0].case.frames
    assert again[0].protocol_version == 1


def test_a_task_that_ran_out_goes_to_another_and_the_late_read_is_surplus(
    store: Store, clock: Clock
) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    slow, quick, _ = study.readers
    task = claim(store, study.project, slow, lease_seconds=60)[0].id
    clock.pass_seconds(59)
    assert claim(store, study.project, quick) == []
    clock.pass_seconds(1)
    assert [got.id for got in claim(store, study.project, quick)] == [task]
    assert claim(store, study.project, slow) == []
    with pytest.raises(ConflictError):
        heartbeat(store, task, slow)
    assert get_task(store, task, slow).state == "lost"
    assert submit_read(store, a_read(task, slow)).surplus
    assert project_progress(store, study.project).done == 0
    assert not submit_read(store, a_read(task, quick)).surplus
    progress = project_progress(store, study.project)
    assert (progress.done, progress.reads, progress.surplus) == (1, 2, 1)
    assert claim(store, study.project, slow) == []


def test_a_late_read_that_nobody_took_over_counts(store: Store, clock: Clock) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    task = claim(store, study.project, study.readers[0], lease_seconds=60)[0].id
    clock.pass_seconds(3600)
    assert not submit_read(store, a_read(task, study.readers[0])).surplus
    assert claim(store, study.project, study.readers[1]) == []


def test_who_lost_a_task_may_get_the_other_slot_of_the_case(store: Store, clock: Clock) -> None:
    study = new_study(store, cases=2, reads_per_case=2)
    one, two, three = study.readers
    claim(store, study.project, one, count=2, lease_seconds=60)
    claim(store, study.project, three, count=2, lease_seconds=6000)
    clock.pass_seconds(60)
    assert numbers(claim(store, study.project, two, count=2)) == [1, 2]
    assert claim(store, study.project, one) == []
    release(store, claim(store, study.project, three)[0].id, three)
    assert numbers(claim(store, study.project, one)) == [1]


def test_heartbeat_keeps_a_task(store: Store, clock: Clock) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    one, two, _ = study.readers
    task = claim(store, study.project, one, lease_seconds=60)[0].id
    for _ in range(5):
        clock.pass_seconds(50)
        assert heartbeat(store, task, one, lease_seconds=60) > store.now()
        assert claim(store, study.project, two) == []


def test_released_tasks_are_free_and_the_draft_waits(store: Store) -> None:
    study = new_study(store, cases=2, reads_per_case=1)
    one, two, _ = study.readers
    task = claim(store, study.project, one)[0].id
    assert numbers(claim(store, study.project, two)) == [2]
    save_draft(store, task, one, version=0, answer={"q": "half"})
    release(store, task, one)
    with pytest.raises(ConflictError):
        release(store, task, one)
    back = claim(store, study.project, one)[0]
    assert back.id == task
    assert back.draft is not None
    assert back.draft.answer == {"q": "half"}


def test_a_skipped_case_goes_to_others_only(store: Store) -> None:
    study = new_study(store, cases=2, reads_per_case=1)
    one, two, _ = study.readers
    skip(store, claim(store, study.project, one)[0].id, one, "I know this patient")
    assert numbers(claim(store, study.project, one, count=5)) == [2]
    assert numbers(claim(store, study.project, two, count=5)) == [1]
    assert list_reader_counts(store, study.project)[0].skipped == 1


def test_planned_slots_are_shared_out_evenly_and_kept(store: Store) -> None:
    study = new_study(store, cases=6, readers=3, reads_per_case=0)
    plan = {"reads_per_case": 2, "readers": study.readers}
    assert plan_tasks(store, study.project, study.lead, **plan) == 12
    assert plan_tasks(store, study.project, study.lead, **plan) == 0
    got = [numbers(claim(store, study.project, one, count=10)) for one in study.readers]
    assert [len(cases) for cases in got] == [4, 4, 4]
    assert sorted([*got[0], *got[1], *got[2]]) == sorted([1, 2, 3, 4, 5, 6] * 2)


def test_a_planned_slot_is_not_given_to_others_and_skipped_waits_for_the_lead(
    store: Store, clock: Clock
) -> None:
    study = new_study(store, cases=1, reads_per_case=0)
    one, two, _ = study.readers
    plan_slots(store, study.project, [Slot(study.cases[0], one)], study.lead)
    assert claim(store, study.project, two) == []
    task = claim(store, study.project, one, lease_seconds=1)[0].id
    clock.pass_seconds(10)
    assert claim(store, study.project, two) == []
    with pytest.raises(ConflictError):
        reassign(store, task, two, study.lead)
    skip(store, task, one, "away")
    assert claim(store, study.project, one) == []
    reassign(store, task, two, study.lead)
    assert [got.id for got in claim(store, study.project, two)] == [task]


def test_a_repeat_comes_after_the_read_it_repeats(store: Store) -> None:
    study = new_study(store, cases=2, reads_per_case=1)
    one, two, _ = study.readers
    repeat = [Slot(study.cases[0], one, round=1)]
    assert plan_slots(store, study.project, repeat, study.lead) == 1
    assert plan_slots(store, study.project, repeat, study.lead) == 0
    tasks = claim(store, study.project, one, count=5)
    assert [task.round for task in tasks] == [0, 0]
    submit_read(store, a_read(tasks[0].id, one))
    again = claim(store, study.project, one, count=5)
    assert [(task.case.number, task.round) for task in again] == [(2, 0), (1, 1)]
    assert claim(store, study.project, two, count=5) == []
    assert not submit_read(store, a_read(again[1].id, one)).surplus
    with pytest.raises(InputError, match="repeat must name its reader"):
        plan_slots(store, study.project, [Slot(study.cases[0], None, round=1)], study.lead)


def test_cases_added_later_are_planned_later(store: Store) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    one = study.readers[0]
    claim(store, study.project, one)
    add_cases(store, study.project, [new_case("late")], study.lead)
    assert numbers(claim(store, study.project, one, count=5)) == [1]
    assert plan_tasks(store, study.project, study.lead, reads_per_case=1) == 1
    assert numbers(claim(store, study.project, one, count=5)) == [1, 2]
    assert plan_tasks(store, study.project, study.lead, reads_per_case=3, cases=study.cases) == 2


def test_strangers_see_nothing(store: Store) -> None:
    study = new_study(store)
    other = new_study(store, name="other")
    one, two, _ = study.readers
    task = claim(store, study.project, one)[0].id
    with pytest.raises(NotFoundError):
        claim(store, other.project, one)
    for act in (heartbeat, release, get_task):
        with pytest.raises(NotFoundError):
            act(store, task, two)
    with pytest.raises(NotFoundError):
        skip(store, task, two, "no reason")
    with pytest.raises(NotFoundError):
        submit_read(store, a_read(task, two))
    with pytest.raises(NotFoundError):
        plan_slots(store, study.project, [Slot(other.cases[0])], study.lead)
    with pytest.raises(NotFoundError):
        plan_slots(store, study.project, [Slot(study.cases[0], other.readers[0])], study.lead)
    remove_member(store, study.project, one, study.lead)
    with pytest.raises(NotFoundError):
        claim(store, study.project, one)
    assert submit_read(store, a_read(task, one)).revision == 1


def test_an_archived_project_gives_no_tasks(store: Store) -> None:
    study = new_study(store)
    change_project(store, study.project, study.lead, archived=True)
    assert claim(store, study.project, study.readers[0]) == []


def test_progress_of_a_reader(store: Store) -> None:
    study = new_study(store, cases=4, readers=3, reads_per_case=1)
    one, two, three = study.readers
    assert reader_progress(store, study.project, one).total == 4
    assert reader_progress(store, study.project, one).left_seconds is None
    first = claim(store, study.project, one)[0]
    submit_read(store, a_read(first.id, one, seconds=10.0))
    skip(store, claim(store, study.project, two)[0].id, two, "blurred")
    progress = reader_progress(store, study.project, one)
    assert (progress.done, progress.total) == (1, 4)
    assert (progress.median_seconds, progress.left_seconds) == (10.0, 30.0)
    assert reader_progress(store, study.project, two).total == 2
    assert reader_progress(store, study.project, three).total == 3


@pytest.mark.parametrize(("name", "value"), [("count", 0), ("count", 51), ("lease_seconds", 0)])
def test_claims_out_of_bounds_are_refused(store: Store, name: str, value: int) -> None:
    study = new_study(store)
    with pytest.raises(InputError):
        claim(store, study.project, study.readers[0], **{name: value})


def test_plans_out_of_bounds_are_refused(store: Store) -> None:
    study = new_study(store)
    two = study.readers[:2]
    with pytest.raises(InputError, match="readers"):
        plan_tasks(store, study.project, study.lead, reads_per_case=3, readers=two)
    with pytest.raises(InputError, match="readers"):
        plan_tasks(store, study.project, study.lead, reads_per_case=1, readers=two[:1] * 2)
    with pytest.raises(NotFoundError):
        plan_tasks(store, "nowhere", study.lead, reads_per_case=1)
    with pytest.raises(NotFoundError):
        plan_tasks(store, study.project, study.lead, reads_per_case=1, cases=["none"])


def test_several_run_out_slots_of_one_case_do_not_hide_the_next_case(
    store: Store, clock: Clock
) -> None:
    study = new_study(store, cases=2, readers=3, reads_per_case=2)
    one, two, three = study.readers
    claim(store, study.project, one, count=2, lease_seconds=60)
    claim(store, study.project, two, count=2, lease_seconds=60)
    clock.pass_seconds(60)
    assert numbers(claim(store, study.project, three, count=2)) == [1, 2]
