"""Plans in a project: exact, balanced, the same again; what is done or in a hand stays."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from overread.app.study.plan_ground import ReaderWish
from overread.app.study.plan_project import (
    PlanWish,
    draw_again,
    draw_up,
    readers_now,
    write,
    write_again,
)
from overread.app.study.project_readers import plan_reads, set_readers
from overread.errors import InputError
from overread.store import (
    NewCase,
    NewGold,
    Store,
    Submission,
    add_cases,
    add_gold,
    add_user,
    claim,
    create_project,
    give_feedback,
    head,
    open_store,
    raise_alarm,
    read_events,
    rebuild,
    release,
    skip,
    state_digests,
    submit_read,
)
from overread.store.work.plan_view import FIRST, ViewedTask, view_tasks
from overread.store.work.plans import get_plan, plan_parts, write_plan
from overread.store.work.repeats import repeatable_cases
from tests.store.conftest import clock, new_store, new_url, store

__all__ = ["clock", "new_store", "new_url", "store"]

TEXT = """title: Knees
reads_per_case: 2
questions:
  - {id: grade, prompt: Grade, kind: nominal, classes: [a, b]}
"""


class Study:
    """A project with readers, cases of two modalities and patients of three cases."""

    def __init__(self, store: Store, *, cases: int = 60, readers: int = 4) -> None:
        self.store = store
        self.project = create_project(store, "p", TEXT, "system").id
        self.readers = [self.join(k) for k in range(readers)]
        self.cases = self.bring(range(cases))
        set_readers(store, self.project, self.readers, by="system")

    def join(self, k: int) -> str:
        return add_user(self.store, f"{k}@example.org", f"R{k}", "reader", "system").id

    def bring(self, numbers: range) -> list[str]:
        new = [
            NewCase(
                f"{k:064x}",
                [f"{k:064x}"],
                {"rows": 4, "columns": 4, "frames": 1, "modality": "CR" if k % 3 else "MR"},
                group=f"patient {k // 3}",
                meta={"site": "north" if k % 2 else "south"},
            )
            for k in numbers
        ]
        return [key for key, _ in add_cases(self.store, self.project, new, "system")]

    def wish(self, **more: Any) -> PlanWish:
        who = tuple(ReaderWish(one) for one in self.readers)
        return PlanWish(**({"readers": who, "overlap": 0.2, "size": 5} | more))

    def tasks(self) -> list[ViewedTask]:
        return view_tasks(self.store, self.project)

    def planned(self) -> list[ViewedTask]:
        return [one for one in self.tasks() if one.role]

    def read(self, reader: str, count: int) -> list[str]:
        """Let somebody read; their cases in the order they came."""
        made: list[str] = []
        for _ in range(count):
            for task in claim(self.store, self.project, reader):
                self.submit(task.id, reader)
                made.append(task.case.id)
        return made

    def submit(self, task: str, reader: str) -> None:
        submit_read(
            self.store,
            Submission(
                read_id=str(uuid4()), task=task, reader=reader, answer={"grade": "a"},
                protocol_version=1, seconds=5.0,
            ),
        )  # fmt: skip


def readers_of_cases(tasks: list[ViewedTask]) -> Counter[str]:
    return Counter(one.case for one in tasks if one.role in FIRST)


@pytest.fixture
def study(store: Store) -> Study:
    return Study(store)


def test_a_plan_takes_the_place_of_the_open_slots_and_is_exact(study: Study) -> None:
    assert len(study.tasks()) == 120  # two slots of each case, open to all
    made = write(study.store, study.project, study.wish(), by="system")
    assert (made.number, made.opened, made.withdrawn) == (1, 84, 120)
    tasks = study.tasks()
    assert len(tasks) == len(study.planned()) == 84
    many = readers_of_cases(tasks)
    assert Counter(many.values()) == {1: 48, 3: 12}
    assert all((one.role == "overlap") == (many[one.case] == 3) for one in tasks)
    assert Counter(one.planned_for for one in tasks) == dict.fromkeys(study.readers, 21)
    assert len({(one.case, one.planned_for) for one in tasks}) == 84
    # a later import or another choice of readers opens no slot beside the plan
    assert plan_reads(study.store, study.project, by="system") == 0


def test_readers_are_served_their_own_in_the_order_of_the_sub_batches(study: Study) -> None:
    write(study.store, study.project, study.wish(batches=2), by="system")
    planned = study.planned()
    for reader in study.readers:
        mine = sorted((one for one in planned if one.planned_for == reader), key=lambda o: o.rank)
        assert study.read(reader, 30) == [one.case for one in mine]
        parts = [(one.batch, one.sub_batch) for one in mine]
        assert parts == sorted(parts)
        assert {batch for batch, _ in parts} == {1, 2}
    assert all(one.planned == one.done for one in plan_parts(study.store, study.project))


def test_the_same_seed_gives_the_same_plan_on_any_database(
    new_store: Callable[[], Store],
) -> None:
    def told(seed: int) -> list[tuple[object, ...]]:
        study = Study(new_store())
        write(study.store, study.project, study.wish(seed=seed), by="system")
        number = {key: at for at, key in enumerate(study.cases)}
        return [
            (number[o.case], study.readers.index(str(o.planned_for)), o.batch, o.sub_batch, o.rank)
            for o in study.planned()
        ]

    assert told(3) == told(3)
    assert told(3) != told(4)


@pytest.mark.parametrize("groups", ["together", "apart"])
def test_patients_are_kept_together_or_apart(study: Study, groups: Any) -> None:
    wish = study.wish(groups=groups, overlap=0.1 if groups == "together" else 0.0)
    write(study.store, study.project, wish, by="system")
    patient = {case: at // 3 for at, case in enumerate(study.cases)}
    who: dict[int, list[object]] = {}
    for one in study.planned():
        who.setdefault(patient[one.case], []).append(one.planned_for)
    for readers in who.values():
        if groups == "apart":
            assert len(readers) == len(set(readers)) == 3
        else:
            assert set(Counter(readers).values()) == {3}


def test_hidden_gold_and_repeats_come_at_their_rates(study: Study) -> None:
    gold = study.cases[:10]
    new = [NewGold(case, {"grade": "a"}, 1, "hidden") for case in gold]
    add_gold(study.store, study.project, new, "system")
    wish = study.wish(gold=0.1, repeats=0.1, distance=5)
    write(study.store, study.project, wish, by="system")
    tasks = study.planned()
    for reader in study.readers:
        mine = [one for one in tasks if one.planned_for == reader]
        first = [one for one in mine if one.role in FIRST]
        of = Counter(one.role for one in mine)
        assert of["gold"] == round(0.1 * len(first))
        assert of["repeat"] == round(0.1 * len(first))
        rank = {one.case: one.rank for one in first}
        assert all(one.rank - rank[one.case] >= 5 for one in mine if one.role == "repeat")
        assert {one.case for one in mine if one.role == "gold"} <= set(gold)
        assert len(study.read(reader, 60)) == len(mine)
    assert not {one.case for one in tasks if one.role in FIRST} & set(gold)
    assert {one.round for one in tasks if one.role == "repeat"} == {1}


def test_limits_and_modalities_are_respected(study: Study) -> None:
    one, two, *rest = study.readers
    who = (ReaderWish(one, most=5), ReaderWish(two, None, ("MR",)), *map(ReaderWish, rest))
    write(study.store, study.project, study.wish(readers=who), by="system")
    of = {key: "MR" if at % 3 == 0 else "CR" for at, key in enumerate(study.cases)}
    tasks = study.planned()
    assert sum(task.planned_for == one for task in tasks) == 5
    assert {of[task.case] for task in tasks if task.planned_for == two} == {"CR"}
    few = (ReaderWish(one, 5), ReaderWish(two, 5))
    with pytest.raises(InputError, match="reads"):
        draw_up(study.store, study.project, study.wish(readers=few, overlap=0.0))


def test_what_is_read_or_in_a_hand_before_the_plan_counts_in_it(study: Study) -> None:
    one, two, three, _ = study.readers
    read = study.read(one, 6)
    held = [task.id for task in claim(study.store, study.project, two, count=3)]
    back = claim(study.store, study.project, three)[0]
    release(study.store, back.id, three)
    made = write(study.store, study.project, study.wish(overlap=0.0), by="system")
    many = readers_of_cases(study.tasks())
    assert set(many.values()) == {1, 2}  # one was read by one and is held by another
    assert sum(many.values()) == 60 + sum(n == 2 for n in many.values())
    assert {task.id for task in claim(study.store, study.project, two, count=3)} == set(held)
    done = {task.case for task in study.tasks() if task.state == "done"}
    assert done == set(read)
    # what somebody gave back is not thrown away, as their draft may hang on it: here two others
    # have the case already, so that it stays open to whoever comes
    assert made.moved == 0
    free = [task.id for task in study.tasks() if task.state == "open" and not task.planned_for]
    assert free == [back.id]


def test_a_reader_who_came_and_one_who_left(study: Study) -> None:
    write(study.store, study.project, study.wish(), by="system")
    one, two, *rest = study.readers
    done = {reader: study.read(reader, 5) for reader in study.readers}
    held = claim(study.store, study.project, rest[0], count=2)
    overlap = {t.case for t in study.planned() if t.role == "overlap"}
    before = {t.id: t for t in study.planned() if t.state in {"done", "claimed"}}
    new = study.join(9)
    set_readers(study.store, study.project, [one, *rest, new], by="system")
    made = write_again(study.store, study.project, by="system")
    assert made.number == 2
    tasks = study.planned()
    after = {t.id: t for t in tasks if t.state in {"done", "claimed"}}
    assert after == before
    many = readers_of_cases(tasks)
    assert dict(many) == {case: 3 if case in overlap else 1 for case in study.cases}
    left = Counter(t.planned_for for t in tasks if t.state == "open")
    assert two not in left
    assert max(left.values()) - min(left.values()) <= 2
    assert {t.id for t in claim(study.store, study.project, rest[0], count=2)} == {
        t.id for t in held
    }
    assert all(set(cases) == {t.case for t in tasks if t.reader == who and t.state == "done"}
               for who, cases in done.items())  # fmt: skip
    plan = get_plan(study.store, study.project)
    assert plan is not None
    now = {wish.id for wish in readers_now(study.store, study.project, plan)}
    assert now == {one, *rest, new}


def test_cases_that_came_later_follow_in_a_batch_of_their_own(study: Study) -> None:
    write(study.store, study.project, study.wish(), by="system")
    study.read(study.readers[0], 4)
    new = study.bring(range(100, 110))
    write_again(study.store, study.project, by="system")
    assert {t.batch for t in study.planned() if t.case in new} == {2}
    assert set(readers_of_cases(study.planned())) == {*study.cases, *new}


def test_a_refused_case_goes_to_another(study: Study) -> None:
    write(study.store, study.project, study.wish(overlap=0.0), by="system")
    one = study.readers[0]
    task = claim(study.store, study.project, one)[0]
    skip(study.store, task.id, one, "I know this patient")
    made = write_again(study.store, study.project, by="system")
    assert made.moved == 1
    again = next(t for t in study.planned() if t.id == task.id)
    assert (again.state, again.planned_for != one) == ("open", True)
    assert set(readers_of_cases(study.planned()).values()) == {1}
    assert task.id in {t.id for t in claim(study.store, study.project, str(again.planned_for),
                                           count=50)}  # fmt: skip


def test_what_is_set_aside_is_planned_for_another(study: Study) -> None:
    write(study.store, study.project, study.wish(overlap=0.0), by="system")
    one, *rest = study.readers
    good = study.read(one, 3)
    point = head(study.store).n
    bad = study.read(one, 4)
    raise_alarm(study.store, study.project, one, {"words": "smaller"}, pause="Stop.", after=point)
    assert sum(t.planned_for is None for t in study.tasks() if t.state == "open") == 4
    still = tuple(ReaderWish(who) for who in rest)
    write_again(study.store, study.project, by="system", readers=still)
    tasks = study.tasks()
    open_ = [t for t in tasks if t.state == "open"]
    assert Counter(t.case for t in open_) == Counter(set(study.cases) - set(good))
    assert {t.planned_for for t in open_} == set(rest)
    assert {t.case for t in tasks if t.aside} == set(bad)


def test_another_plan_may_be_written_over_one_that_is_begun(study: Study) -> None:
    write(study.store, study.project, study.wish(), by="system")
    read = {reader: study.read(reader, 3) for reader in study.readers}
    write(study.store, study.project, study.wish(reads=2, overlap=0.0, seed=9), by="system")
    tasks = study.planned()
    assert set(readers_of_cases(tasks).values()) <= {2, 3}  # three where all had read it
    for reader, cases in read.items():
        assert {t.case for t in tasks if t.reader == reader and t.state == "done"} == set(cases)


def test_who_claims_between_planning_and_writing_keeps_the_case(study: Study) -> None:
    drawn = draw_up(study.store, study.project, study.wish(overlap=0.0))
    took = claim(study.store, study.project, study.readers[0], count=4)
    made = write_plan(study.store, study.project, drawn.new, "system")
    assert made.left_out == 4
    left = [t for t in study.tasks() if t.case in {one.case.id for one in took}]
    assert {t.id for t in left} == {t.id for t in took}
    again = draw_again(study.store, study.project)
    assert again.kept == 4
    assert set(Counter(t.case for t in study.tasks()).values()) == {1}


def test_readers_who_claim_while_plans_are_written_lose_nothing(study: Study) -> None:
    write(study.store, study.project, study.wish(), by="system")
    faults: list[BaseException] = []
    stop = threading.Event()

    def read(reader: str) -> None:
        try:
            while not stop.is_set() and study.read(reader, 1):
                pass
        except BaseException as error:  # noqa: BLE001 - told below
            faults.append(error)

    running = [threading.Thread(target=read, args=(one,)) for one in study.readers]
    for one in running:
        one.start()
    for _ in range(5):
        write_again(study.store, study.project, by="system")
    for one in running:
        one.join(60)
    stop.set()
    assert faults == []
    write_again(study.store, study.project, by="system")
    for one in study.readers:
        study.read(one, 60)
    tasks = [t for t in study.tasks() if t.state == "done"]
    many = Counter(t.case for t in tasks)
    assert Counter(many.values()) == {1: 48, 3: 12}
    assert len({(t.case, t.reader) for t in tasks}) == 84
    assert not [t for t in study.tasks() if t.state != "done"]


def test_the_log_alone_gives_the_same_state(study: Study, tmp_path: Any) -> None:
    write(study.store, study.project, study.wish(repeats=0.1, distance=3), by="system")
    for reader in study.readers[:3]:
        study.read(reader, 7)
    skip_one = claim(study.store, study.project, study.readers[3])[0]
    skip(study.store, skip_one.id, study.readers[3], "no")
    set_readers(study.store, study.project, study.readers[1:], by="system")
    write_again(study.store, study.project, by="system")
    empty = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(study.store), empty)
    assert state_digests(empty) == state_digests(study.store)
    empty.close()


def test_what_cannot_hold_is_said_in_numbers(study: Study) -> None:
    with pytest.raises(InputError, match="readers must be 1 or more"):
        draw_up(study.store, study.project, study.wish(readers=()))
    with pytest.raises(InputError, match="hidden gold"):
        draw_up(study.store, study.project, study.wish(gold=0.1))
    with pytest.raises(InputError, match="read in the project"):
        draw_up(study.store, study.project, study.wish(readers=(ReaderWish("nobody"),)))
    with pytest.raises(InputError, match="plan must be written"):
        draw_again(study.store, study.project)
    with pytest.raises(InputError, match="overlap must have 5 readers"):
        draw_up(study.store, study.project, study.wish(overlap_readers=5))


def test_no_case_is_repeated_that_its_reader_was_shown_again_or_read_just_now(
    study: Study,
) -> None:
    one = study.readers[0]
    read = study.read(one, 20)
    alarm = raise_alarm(study.store, study.project, one, {"words": "smaller"})
    assert alarm is not None
    assert give_feedback(study.store, alarm, read[:10], "system") == 10
    wish = study.wish(repeats=0.2, distance=5)
    drawn = draw_up(study.store, study.project, wish)
    told = give_feedback(study.store, alarm, [read[10]], "system")  # while the plan is looked at
    assert told == 1
    write_plan(study.store, study.project, drawn.new, "system")
    again = [t.case for t in study.planned() if t.planned_for == one and t.role == "repeat"]
    assert again
    assert not set(again) & set(read[:11])
    # a correction is another look: the distance counts from the last
    rest = [case for case in read[11:] if case not in again]
    assert set(repeatable_cases(study.store, study.project, one, distance=0)) == set(rest)
    assert not repeatable_cases(study.store, study.project, one, distance=9)
    mine = next(t.id for t in study.tasks() if t.case == rest[0] and t.reader == one)
    submit_read(
        study.store,
        Submission(
            read_id=str(uuid4()), task=mine, reader=one, answer={"grade": "b"},
            protocol_version=1, base_revision=1,
        ),
    )  # fmt: skip
    assert repeatable_cases(study.store, study.project, one, distance=0)[0] == rest[0]


def test_repeats_without_room_are_left_out_with_a_word(study: Study) -> None:
    for reader in study.readers:
        read = study.read(reader, 12)
        alarm = raise_alarm(study.store, study.project, reader, {"words": "smaller"})
        assert alarm is not None
        assert give_feedback(study.store, alarm, read, "system") == 12
    wish = study.wish(reads=2, overlap=0.0, repeats=0.2, distance=25)
    drawn = draw_up(study.store, study.project, wish)
    assert drawn.plan.counts()["repeat"] == 0
    (note,) = (one for one in drawn.notes if "left out" in one)
    assert "at least 25 reads" in note
    assert write_plan(study.store, study.project, drawn.new, "system").left_out == 0
