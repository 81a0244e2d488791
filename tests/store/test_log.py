"""The hash chain finds every kind of forgery; the state follows from the log alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InputError
from overread.store import (
    BrokenLogError,
    Event,
    Head,
    Store,
    add_case,
    claim,
    dump_events,
    event_hash,
    head,
    load_events,
    plan_tasks,
    read_events,
    rebuild,
    release,
    save_draft,
    skip,
    state_digests,
    submit_read,
    verify,
    verify_events,
)
from overread.store import tables as t
from tests.store.study import a_read, new_case, new_study


def some_history(store: Store) -> None:
    study = new_study(store, cases=3, reads_per_case=2)
    one, two, three = study.readers
    tasks = claim(store, study.project, one, count=3)
    submit_read(store, a_read(tasks[0].id, one, answer={"q": "\x00 é"}))
    submit_read(store, a_read(tasks[0].id, one, base_revision=1))
    skip(store, tasks[1].id, one, "no")
    release(store, tasks[2].id, one)
    save_draft(store, claim(store, study.project, two)[0].id, two, version=0, answer={})
    plan_tasks(store, study.project, three, reads_per_case=3, readers=study.readers)


def tamper(store: Store, *statements: str) -> None:
    """Change the log as somebody with the database's password could."""
    with store.writing() as connection:
        if store.engine.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER IF EXISTS events_no_{verb}"))
        else:
            connection.execute(sa.text("DROP TRIGGER IF EXISTS events_append_only ON events"))
        for statement in statements:
            connection.execute(sa.text(statement))


def test_an_untouched_log_is_sound(store: Store) -> None:
    assert verify(store).sound
    assert head(store) == Head(0, "0" * 64)
    some_history(store)
    known = head(store)
    found = verify(store, known)
    assert found.sound
    assert found.events == known.n == len(list(read_events(store)))
    add_case(store, new_study(store, name="more").project, new_case("x"), "system")
    assert verify(store, known).sound


@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE events SET body = replace(body, 'Reader 1', 'Reader 9')", 5),
        ("UPDATE events SET actor = 'somebody' WHERE n = 7", 7),
        ("UPDATE events SET at = '2020-01-01T00:00:00.000000+00:00' WHERE n = 1", 1),
        ("UPDATE events SET project = NULL WHERE n = 2", 2),
        ("DELETE FROM events WHERE n = 6", 7),
        ("DELETE FROM events WHERE n = 1", 2),
    ],
)
def test_edits_and_removals_are_found(store: Store, statement: str, at: int) -> None:
    some_history(store)
    known = head(store)
    tamper(store, statement)
    for found in (verify(store), verify(store, known)):
        assert (found.sound, found.at) == (False, at)
        assert found.problem


def test_a_change_of_order_is_found(store: Store) -> None:
    some_history(store)
    swap = [(5, 1000), (6, 5), (1000, 6)]
    tamper(store, *(f"UPDATE events SET n = {b} WHERE n = {a}" for a, b in swap))
    assert verify(store).at == 5


def test_a_cut_end_is_found_with_an_exported_head(store: Store) -> None:
    some_history(store)
    known = head(store)
    tamper(store, f"DELETE FROM events WHERE n > {known.n - 3}")
    assert verify(store).sound
    found = verify(store, known)
    assert (found.sound, found.at) == (False, known.n - 2)
    tamper(store, "DELETE FROM events")
    assert not verify(store, known).sound


def test_a_whole_new_chain_is_found_with_an_exported_head(store: Store) -> None:
    some_history(store)
    known = head(store)
    forged: list[Event] = []
    for event in read_events(store):
        previous = forged[-1].hash if forged else event.previous_hash
        body = event.body.replace("Reader 1", "Reader 9")
        bare = replace(event, body=body, previous_hash=previous)
        forged.append(replace(bare, hash=event_hash(bare)))
    assert verify_events(iter(forged)).sound
    assert verify_events(iter(forged), known).at == known.n


def test_state_is_rebuilt_from_the_log(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    some_history(store)
    assert rebuild(read_events(store), empty) == head(store)
    assert state_digests(empty) == state_digests(store)
    assert list(read_events(empty)) == list(read_events(store))
    with pytest.raises(InputError, match="empty"):
        rebuild(read_events(store), empty)


def test_a_rebuilt_store_goes_on(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store, cases=2, reads_per_case=1)
    one, two, _ = study.readers
    held = claim(store, study.project, one)[0].id
    rebuild(read_events(store), empty)
    assert [task.id for task in claim(empty, study.project, one)] == [held]
    assert not submit_read(empty, a_read(held, one)).surplus
    assert [task.case.number for task in claim(empty, study.project, two, count=5)] == [2]
    assert verify(empty, head(store)).sound


@pytest.mark.postgres
def test_a_log_moves_from_one_database_to_the_other(
    store: Store, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from overread.store import open_store

    some_history(store)
    lines = "".join(dump_events(read_events(store)))
    urls = [str(tmp_path_factory.mktemp("moved") / "store.db")]
    urls.append(request.getfixturevalue("cluster").new())
    for url in urls:
        moved = open_store(url, sync=False)
        assert rebuild(load_events(lines.splitlines()), moved) == head(store)
        assert state_digests(moved) == state_digests(store)
        moved.close()


def test_a_broken_log_is_not_replayed_beyond_its_break(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    some_history(store)
    events = list(read_events(store))
    events[8] = replace(events[8], actor="somebody")
    with pytest.raises(BrokenLogError, match="event 9"):
        rebuild(events, empty)
    assert head(empty).n <= 8
    with pytest.raises(InputError, match="row 2"):
        list(load_events([next(dump_events(events)), "nonsense"]))


def _chain(bodies: list[str]) -> list[Event]:
    made: list[Event] = []
    for n, body in enumerate(bodies, start=1):
        previous = made[-1].hash if made else "0" * 64
        bare = Event(n, "2026", "system", "told", None, body, previous, "")
        made.append(replace(bare, hash=event_hash(bare)))
    return made


@given(st.lists(st.text(), min_size=2, max_size=8), st.data())
def test_any_single_forgery_breaks_a_chain(bodies: list[str], data: st.DataObject) -> None:
    events = _chain(bodies)
    known = Head(events[-1].n, events[-1].hash)
    assert verify_events(iter(events), known).sound
    at = data.draw(st.integers(0, len(events) - 1))
    forged = list(events)
    kind = data.draw(st.sampled_from(["edit", "remove", "swap", "repeat", "cut"]))
    if kind == "edit":
        forged[at] = replace(forged[at], body=forged[at].body + "x")
    elif kind == "remove":
        del forged[at]
    elif kind == "swap":
        other = (at + 1) % len(forged)
        forged[at], forged[other] = forged[other], forged[at]
    elif kind == "repeat":
        forged.insert(at, forged[at])
    else:
        forged = forged[:at]
    assert not verify_events(iter(forged), known).sound


def test_tables_of_state_and_of_work_are_all_there_are() -> None:
    known = {table.name for table in (*t.STATE, *t.WORKING, t.events)}
    assert known == set(t.users.metadata.tables)
