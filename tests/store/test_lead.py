"""What a lead does: who leads, work moved, flags answered, links withdrawn; on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NotFoundError,
    Slot,
    Store,
    add_user,
    claim,
    count_raised,
    create_project,
    give_reply,
    head,
    last_read,
    list_assigned,
    list_cases,
    list_links,
    list_projects,
    list_raised,
    list_reader_counts,
    make_link,
    neighbour_cases,
    plan_slots,
    project_of_task,
    projects_by_member,
    read_events,
    reassign,
    rebuild,
    replies_to,
    role_in,
    rounds_of_reader,
    save_draft,
    set_member,
    skip,
    state_digests,
    submit_read,
    take_back,
    use_link,
    withdraw_link,
)
from overread.store.schema.migrations import MIGRATIONS, migrate
from tests.store.conftest import Clock
from tests.store.study import a_read, new_study, sha
from tests.store.test_stateful import counted, tallied


def test_who_only_leads_is_given_nothing_to_read(store: Store) -> None:
    study = new_study(store, cases=2)
    other = create_project(store, "other", "title: x\n", study.lead, lead=study.lead).id
    assert role_in(store, other, study.lead) == "lead"
    leads = list_projects(store, member=study.lead, leads=True)
    assert [one.id for one in leads] == [other]
    set_member(store, study.project, study.lead, study.lead, role="lead")
    with pytest.raises(NotFoundError):
        claim(store, study.project, study.lead)
    with pytest.raises(NotFoundError):
        plan_slots(store, study.project, [Slot(study.cases[0], study.lead)], study.lead)
    set_member(store, study.project, study.lead, study.lead, role="both")
    assert len(claim(store, study.project, study.lead)) == 1
    roles = {one.name: one.role for one in list_reader_counts(store, study.project)}
    assert roles["Lead"] == "both"
    assert projects_by_member(store)[study.lead] == [(other, "lead"), (study.project, "both")]
    with pytest.raises(InputError):
        set_member(store, study.project, study.lead, study.lead, role="admin")


def undo(connection: sa.Connection, step: Sequence[dict[str, str]]) -> None:
    """Take back what a step made: tables (a later step may have made one anew), columns, ..."""
    dialect = connection.dialect.name
    for statement in reversed(step):
        for sql in (statement[kind] for kind in ("both", dialect) if kind in statement):
            trigger = re.match(r"CREATE TRIGGER (\w+) .*? ON (\w+)", sql, re.DOTALL)
            function = re.match(r"CREATE FUNCTION (\w+)", sql)
            if trigger:
                of = f" ON {trigger[2]}" if dialect == "postgresql" else ""
                connection.execute(sa.text(f"DROP TRIGGER {trigger[1]}{of}"))
            elif function:
                connection.execute(sa.text(f"DROP FUNCTION {function[1]}"))
            table = re.match(r"CREATE TABLE (\w+)", sql)
            column = re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", sql)
            index = re.match(r"CREATE (?:UNIQUE )?INDEX (\w+)", sql)
            if table:
                connection.execute(sa.text(f"DROP TABLE IF EXISTS {table[1]}"))
            elif column:
                connection.execute(sa.text(f"ALTER TABLE {column[1]} DROP COLUMN {column[2]}"))
            elif index:
                connection.execute(sa.text(f"DROP INDEX {index[1]}"))


def test_an_older_store_keeps_its_members(new_store: Callable[[], Store]) -> None:
    store = new_store()
    study = new_study(store, cases=0, reads_per_case=0)
    with store.writing() as connection:
        before = connection.execute(sa.text("SELECT * FROM members ORDER BY reader")).all()
        for step in reversed(MIGRATIONS[3:]):
            undo(connection, step)
        connection.execute(sa.text("DROP TABLE replies"))
        connection.execute(sa.text("DROP INDEX reads_to_look_at"))
        connection.execute(sa.text("UPDATE store_version SET number = 2"))
        assert migrate(connection) == len(MIGRATIONS)
        after = connection.execute(sa.text("SELECT * FROM members ORDER BY reader")).all()
    assert before == after
    set_member(store, study.project, study.readers[0], study.lead, role="both")


def test_an_older_store_is_counted_when_it_comes(store: Store) -> None:
    study = new_study(store, cases=3, reads_per_case=2)
    one, two, _ = study.readers
    for task in claim(store, study.project, one, count=2):
        submit_read(store, a_read(task.id, one, seconds=4.5))
    claim(store, study.project, two, count=1)
    before = counted(store)
    assert tallied(store) == before
    with store.writing() as connection:
        for step in reversed(MIGRATIONS[12:]):
            undo(connection, step)
        connection.execute(sa.text("UPDATE store_version SET number = 12"))
        migrate(connection)
    assert tallied(store) == before


def test_a_stuck_task_is_freed_and_the_late_read_is_kept(store: Store) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    slow, quick, _ = study.readers
    task = claim(store, study.project, slow)[0].id
    save_draft(store, task, slow, version=0, answer={"q": "half"})
    (held,) = list_assigned(store, study.project, "held")
    assert (held.id, held.reader, held.case) == (task, slow, study.cases[0])
    assert held.expires > store.now()
    assert project_of_task(store, task) == study.project
    assert claim(store, study.project, quick) == []
    take_back(store, task, study.lead)
    with pytest.raises(ConflictError):
        take_back(store, task, study.lead)
    assert [one.id for one in claim(store, study.project, quick)] == [task]
    assert submit_read(store, a_read(task, slow)).surplus
    assert not submit_read(store, a_read(task, quick)).surplus
    with pytest.raises(NotFoundError):
        take_back(store, "no-task", study.lead)
    with pytest.raises(NotFoundError):
        project_of_task(store, "no-task")


def test_a_task_moves_from_hand_to_hand(store: Store) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    one, two, three = study.readers
    task = claim(store, study.project, one)[0].id
    with pytest.raises(ConflictError):
        reassign(store, task, two, study.lead)
    reassign(store, task, two, study.lead, in_hand=True)
    (kept,) = list_assigned(store, study.project, "kept")
    assert (kept.reader, kept.round) == (two, 0)
    assert claim(store, study.project, three) == []
    assert submit_read(store, a_read(task, one)).surplus
    with pytest.raises(ConflictError, match="read this case"):
        reassign(store, task, one, study.lead)
    assert [got.id for got in claim(store, study.project, two)] == [task]
    skip(store, task, two, "I know her")
    (refused,) = list_assigned(store, study.project, "refused")
    assert (refused.reader_name, refused.reason) == ("Reader 1", "I know her")
    reassign(store, task, three, study.lead)
    assert [got.id for got in claim(store, study.project, three)] == [task]
    with pytest.raises(InputError):
        list_assigned(store, study.project, "lost")


def test_neighbours_of_a_case_and_the_last_read(store: Store) -> None:
    study = new_study(store, cases=3, reads_per_case=1)
    first, middle, last = study.cases
    assert neighbour_cases(store, study.project, 1) == (None, middle)
    assert neighbour_cases(store, study.project, 2) == (first, last)
    assert neighbour_cases(store, study.project, 3) == (middle, None)
    assert last_read(store, study.project) == (0, 1)
    one = study.readers[0]
    submit_read(store, a_read(claim(store, study.project, one)[0].id, one))
    event, version = last_read(store, study.project)
    assert (event, version) == (head(store).n, 1)


def test_rounds_of_a_reader(store: Store) -> None:
    study = new_study(store, cases=2, reads_per_case=1)
    one = study.readers[0]
    task = claim(store, study.project, one)[0]
    submit_read(store, a_read(task.id, one))
    assert rounds_of_reader(store, study.project, one) == {task.case.id: 0}
    plan_slots(store, study.project, [Slot(task.case.id, one, round=1)], study.lead)
    assert rounds_of_reader(store, study.project, one) == {task.case.id: 1}


def test_what_readers_raise_is_listed_and_answered(
    store: Store, new_store: Callable[[], Store], clock: Clock
) -> None:
    study = new_study(store, cases=3, readers=1, reads_per_case=1)
    one = study.readers[0]
    said = [{"ask_a_senior": True, "comment": "a nodule?"}, {"cannot_be_read": True}, {}]
    tasks = claim(store, study.project, one, count=3)
    for task, more in zip(tasks, said, strict=True):
        submit_read(store, a_read(task.id, one, **more))
    counts = {"ask_a_senior": 1, "cannot_be_read": 1, "comment": 1}
    assert count_raised(store, study.project) == counts
    (asked,) = list_raised(store, study.project, "ask_a_senior")
    assert (asked.comment, asked.reader_name, asked.reply) == ("a nodule?", "Reader 0", "")
    flagged = list_cases(store, study.project, flagged=True)
    assert [row.case.id for row in flagged] == list(study.cases[:2])
    assert len(list_cases(store, study.project, reader=one)) == 3
    assert len(list_cases(store, study.project, keys=study.cases[1:])) == 2
    counted = list_reader_counts(store, study.project)[0]
    assert (counted.flagged, counted.median_seconds) == (2, 5.0)
    for words in ("no", "no: a vessel"):
        give_reply(store, asked.read, words, study.lead)
        clock.pass_seconds(1)
    assert count_raised(store, study.project)["ask_a_senior"] == 0
    assert [row.words for row in replies_to(store, one)] == ["no: a vessel"]
    assert replies_to(store, study.lead) == []
    submit_read(store, a_read(tasks[1].id, one, base_revision=1))  # it can be read after all
    assert list_raised(store, study.project, "cannot_be_read") == []
    assert len(list_cases(store, study.project, flagged=True)) == 1
    assert list_raised(store, study.project, "comment", before=asked.event) == []
    with pytest.raises(NotFoundError):
        give_reply(store, "no-read", "words", study.lead)
    for wrong in (lambda: give_reply(store, asked.read, "", study.lead),
                  lambda: list_raised(store, study.project, "seconds")):  # fmt: skip
        with pytest.raises(InputError):
            wrong()
    again = new_store()
    rebuild(read_events(store), again)
    assert state_digests(again) == state_digests(store)


def test_an_invitation_can_be_withdrawn(store: Store, clock: Clock) -> None:
    admin = add_user(store, "a@example.org", "Ada", "admin", "system").id
    for k in range(3):
        email = f"{k}@example.org"
        make_link(store, "invitation", sha(str(k)), admin, seconds=60 * (k + 1), email=email)
        clock.pass_seconds(1)
    clock.pass_seconds(60)
    assert [one.email for one in list_links(store, purpose="invitation")] == [
        "2@example.org",
        "1@example.org",
    ]
    withdraw_link(store, sha("1"), admin)
    use_link(store, sha("2"), "hash", name="Two")
    assert list_links(store, purpose="invitation") == []
    for gone in ("0", "1", "2"):
        with pytest.raises(NotFoundError):
            withdraw_link(store, sha(gone), admin)
    with pytest.raises(NotFoundError):
        use_link(store, sha("1"), "hash", name="One")
