"""Random work in a study, against a slow and plain model of who may be given what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from overread.store import (
    ConflictError,
    Receipt,
    Slot,
    Store,
    Submission,
    add_cases,
    add_protocol_version,
    change_user,
    claim,
    get_project,
    get_read,
    head,
    heartbeat,
    left_of_readers,
    plan_slots,
    plan_tasks,
    quarantine,
    read_events,
    reader_progress,
    reassign,
    rebuild,
    release,
    save_draft,
    skip,
    state_digests,
    submit_read,
    verify,
)
from overread.store import tables as t
from tests.store.conftest import Clock
from tests.store.study import a_read, new_case, new_study, sha

READER = st.integers(0, 2)
PICK = st.integers(0, 1_000)


def tallied(store: Store) -> dict[tuple[str, ...], float]:
    """What the database counts by itself, without what comes to nothing."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(t.tallies)).all()
    return {tuple(row[:3]): round(row.amount, 6) for row in rows if abs(row.amount) > 1e-9}


def counted(store: Store) -> dict[tuple[str, ...], float]:
    """The same, row by row."""
    made: Counter[tuple[str, ...]] = Counter()
    with store.reading() as connection:
        for row in connection.execute(sa.select(t.tasks)):
            made[row.project, row.reader or "", row.state] += 1
            if row.state == "open" and row.planned_for:
                made[row.project, row.planned_for, "kept"] += 1
        for row in connection.execute(sa.select(t.reads)):
            made[row.project, row.reader, "reads"] += 1
            made[row.project, row.reader, "seconds"] += row.seconds
            made[row.project, row.reader, "surplus"] += row.surplus
            made[row.project, row.reader, "surplus first"] += row.surplus and row.revision == 1
        for row in connection.execute(sa.select(t.cases)):
            made[row.project, "", "free"] += row.state == "open" and row.free > 0
    return {key: round(float(amount), 6) for key, amount in made.items() if amount}


class Work(RuleBasedStateMachine):
    """Three readers, a lead and a clock."""

    def __init__(self, new_store: Callable[[], Store], clock: Clock) -> None:
        super().__init__()
        self.new_store, self.clock = new_store, clock
        self.store = new_store()
        self.study = new_study(self.store, cases=2, reads_per_case=2)
        self.cases = list(self.study.cases)
        self.held: list[tuple[str, str]] = []
        self.given: list[tuple[Submission, Receipt]] = []

    def rows(self, table: sa.Table) -> list[sa.Row]:
        with self.store.reading() as connection:
            return list(connection.execute(sa.select(table)))

    def pick(self, k: int) -> tuple[str, str]:
        return self.held[k % len(self.held)]

    @rule(count=st.integers(1, 3), again=st.booleans())
    def add(self, count: int, again: bool) -> None:
        start = 0 if again else len(self.cases)
        new = [new_case(f"more {start + k}") for k in range(count)]
        added = add_cases(self.store, self.study.project, new, self.study.lead)
        self.cases += [key for key, fresh in added if fresh]

    @rule(reads=st.integers(1, 3), named=st.booleans())
    def plan(self, reads: int, named: bool) -> None:
        readers = self.study.readers if named else ()
        settings_ = {"reads_per_case": reads, "readers": readers}
        plan_tasks(self.store, self.study.project, self.study.lead, **settings_)

    @rule(case=PICK, reader=st.none() | READER, repeat=st.booleans())
    def plan_one(self, case: int, reader: int | None, repeat: bool) -> None:
        key = self.cases[case % len(self.cases)]
        one = None if reader is None else self.study.readers[reader]
        slot = Slot(key, one, round=int(repeat and one is not None))
        plan_slots(self.store, self.study.project, [slot], self.study.lead)

    @rule(reader=READER, count=st.integers(1, 3))
    def take(self, reader: int, count: int) -> None:
        one = self.study.readers[reader]
        expected = self.expected(one, count)
        tasks = claim(self.store, self.study.project, one, count=count, lease_seconds=60)
        assert [task.id for task in tasks] == expected
        self.held += [(task.id, one) for task in tasks]

    def expected(self, one: str, count: int) -> list[str]:
        """Whom the queue should give what, told from the tables without any index or mark."""
        tasks = sorted(self.rows(t.tasks), key=lambda row: row.position)
        reads = {(r.case_id, r.round) for r in self.rows(t.reads) if r.reader == one}
        skipped = {row.case_id for row in self.rows(t.skips) if row.reader == one}
        expires = {row.task: row.expires for row in self.rows(t.leases)}
        mine = [r for r in tasks if r.reader == one and r.state == "claimed"][:count]
        got: list[sa.Row] = []
        for row in tasks:
            others = [o for o in tasks if o.case_id == row.case_id and o.id != row.id]
            if row.planned_for == one:
                had = any(o.reader == one and o.round == row.round for o in others)
                ready = row.round == 0 or (row.case_id, row.round - 1) in reads
                free = row.state == "open" and ready
                free = free and not had and (row.case_id, row.round) not in reads
            else:
                kept = any(o.planned_for == one and o.round == 0 for o in others)
                had = kept or any(o.reader == one for o in others)
                had = had or row.case_id in skipped or row.case_id in {c for c, _ in reads}
                run_out = row.state == "claimed" and row.reader != one
                run_out = run_out and expires.get(row.id, "") <= self.store.now()
                free = row.planned_for is None and (row.state == "open" or run_out) and not had
            if free and not any((g.case_id, g.round) == (row.case_id, row.round) for g in got):
                got.append(row)
        chosen = [*mine, *got[: count - len(mine)]]
        return [row.id for row in sorted(chosen, key=lambda row: row.position)]

    @rule(seconds=st.sampled_from([1, 40, 60]))
    def wait(self, seconds: int) -> None:
        self.clock.pass_seconds(seconds)

    @precondition(lambda self: self.held)
    @rule(k=PICK, base=st.integers(0, 2), word=st.text(max_size=3), flag=st.booleans())
    def submit(self, k: int, base: int, word: str, flag: bool) -> None:
        task, one = self.pick(k)
        said = {"answer": {"q": word}, "base_revision": base, "cannot_be_read": flag}
        given = a_read(task, one, **said)
        try:
            receipt = submit_read(self.store, given)
        except ConflictError as stale:
            assert stale.current_version != base  # noqa: PT017 - a conflict may or may not come
        else:
            assert receipt.revision == base + 1
            self.given.append((given, receipt))

    @precondition(lambda self: self.given)
    @rule(k=PICK)
    def submit_again(self, k: int) -> None:
        given, receipt = self.given[k % len(self.given)]
        before = head(self.store)
        assert submit_read(self.store, replace(given, seconds=1.0)) == receipt
        assert head(self.store) == before

    @precondition(lambda self: self.held)
    @rule(k=PICK, act=st.sampled_from(["heartbeat", "release", "skip", "draft", "reassign"]))
    def handle(self, k: int, act: str) -> None:
        task, one = self.pick(k)
        acts: dict[str, Callable[[], object]] = {
            "heartbeat": partial(heartbeat, self.store, task, one, lease_seconds=60),
            "release": partial(release, self.store, task, one),
            "skip": partial(skip, self.store, task, one, "not today"),
            "draft": partial(save_draft, self.store, task, one, version=0, answer={"q": "d"}),
            "reassign": partial(reassign, self.store, task, self.study.readers[k % 3], "system"),
        }
        before = state_digests(self.store)
        try:
            acts[act]()
        except ConflictError:
            assert state_digests(self.store) == before

    @rule(reader=READER, active=st.booleans(), reason=st.sampled_from(["cut", "hangs"]))
    def change(self, reader: int, active: bool, reason: str) -> None:
        change_user(self.store, self.study.readers[reader], "system", active=active)
        quarantine(self.store, self.study.project, sha(str(reader)), reason, "system")
        version = get_project(self.store, self.study.project).protocol_version
        where = (self.store, self.study.project)
        add_protocol_version(*where, f"title: {version}", "system", base_version=version)

    @invariant()
    def no_reader_counts_twice_for_a_case(self) -> None:
        done = [
            (r.case_id, r.round, r.reader)
            for r in self.rows(t.reads)
            if not r.surplus and r.revision == 1
        ]
        assert len(done) == len(set(done))
        finished = [row for row in self.rows(t.tasks) if row.state == "done"]
        assert len(finished) == len(done)

    @invariant()
    def each_case_knows_how_far_it_is(self) -> None:
        tasks = self.rows(t.tasks)
        for case in self.rows(t.cases):
            mine = [row for row in tasks if row.case_id == case.id]
            states = {row.state for row in mine}
            expected = "unplanned" if not mine else "done" if states == {"done"} else "open"
            free = sum(row.state == "open" and row.planned_for is None for row in mine)
            assert (case.state, case.free) == (expected, free)

    @invariant()
    def what_is_left_of_all_is_what_is_left_of_each(self) -> None:
        for reader, left in left_of_readers(self.store, self.study.project).items():
            far = reader_progress(self.store, self.study.project, reader)
            assert left == far.total - far.done

    @invariant()
    def tallies_say_what_the_rows_say(self) -> None:
        assert tallied(self.store) == counted(self.store)

    def teardown(self) -> None:
        assert verify(self.store, head(self.store)).sound
        for given, receipt in self.given:
            row = get_read(self.store, receipt.read_id)
            assert (row.answer, row.revision) == (given.answer, receipt.revision)
        empty = self.new_store()
        assert rebuild(read_events(self.store), empty) == head(self.store)
        assert state_digests(empty) == state_digests(self.store)


def test_random_work_is_given_out_rightly_and_rebuilt(
    new_store: Callable[[], Store], clock: Clock
) -> None:
    run_state_machine_as_test(
        partial(Work, new_store, clock),
        settings=settings(
            max_examples=5,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
