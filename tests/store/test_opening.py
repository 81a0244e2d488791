"""Opening, migrating, and refusing what cannot be opened."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from overread.errors import InputError
from overread.store import (
    BrokenLogError,
    BusyError,
    ConflictError,
    FullError,
    NewerStoreError,
    NotFoundError,
    Store,
    StoreError,
    list_projects,
    open_store,
)
from overread.store import tables as t
from overread.store.schema.migrations import MIGRATIONS, migrate, store_version
from tests.store.study import new_study


def test_the_migrated_tables_are_those_the_code_knows(store: Store) -> None:
    with store.reading() as connection:
        inspect = sa.inspect(connection)
        made = set(inspect.get_table_names())
        assert made == set(t.users.metadata.tables) | {"store_version"}
        for table in t.users.metadata.sorted_tables:
            columns = {c["name"]: c for c in inspect.get_columns(table.name)}
            assert list(columns) == [c.name for c in table.c], table.name
            key = tuple(inspect.get_pk_constraint(table.name)["constrained_columns"])
            assert key == tuple(c.name for c in table.primary_key), table.name
            for column in table.c:
                found = columns[column.name]
                assert found["nullable"] == column.nullable or column.primary_key
                assert isinstance(found["type"], column.type._type_affinity), column


def test_opening_again_keeps_all(new_url: Callable[[], str]) -> None:
    url = new_url()
    store = open_store(url, sync=False)
    study = new_study(store)
    store.close()
    again = open_store(url, sync=False)
    assert [project.id for project in list_projects(again)] == [study.project]
    again.close()


def test_a_newer_store_is_refused_untouched(new_url: Callable[[], str]) -> None:
    url = new_url()
    store = open_store(url, sync=False)
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE store_version SET number = 99"))
    store.close()
    with pytest.raises(NewerStoreError, match=r"version 99.*Install the newer"):
        open_store(url, sync=False)


def test_a_failed_step_leaves_the_old_store(store: Store) -> None:
    good = [{"both": "CREATE TABLE extra (a INTEGER)"}]
    bad = [
        {"both": "ALTER TABLE users ADD COLUMN nick TEXT"},
        {"both": "INSERT INTO extra VALUES (1)"},
        {"both": "CREATE NONSENSE"},
    ]
    with pytest.raises(StoreError), store.writing() as connection:
        migrate(connection, [*MIGRATIONS, good, bad])
    with store.reading() as connection:
        assert store_version(connection) == len(MIGRATIONS)
        inspect = sa.inspect(connection)
        assert not inspect.has_table("extra")
        assert "nick" not in {c["name"] for c in inspect.get_columns("users")}
    with store.writing() as connection:
        assert migrate(connection, [*MIGRATIONS, good]) == len(MIGRATIONS) + 1
    with store.writing() as connection:
        assert migrate(connection, [*MIGRATIONS, good]) == len(MIGRATIONS) + 1


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        ":memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "mysql://h/d",
        "x://",
        "/no/a",
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="store must"):
        open_store(url)


def test_a_database_that_is_away_is_told() -> None:
    with pytest.raises(BusyError, match="cannot be reached") as away:
        open_store("postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(away.value)


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"these are my notes, and no database\n" * 100)
    with pytest.raises(BrokenLogError):
        open_store(path)
    assert path.read_bytes().startswith(b"these")


def test_sqlite_is_set_for_safety(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.db")
    with store.reading() as connection:
        found = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "truncate",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 60_000,
    }
    store.close()


@pytest.mark.postgres
def test_errors_of_postgresql_are_translated(request: pytest.FixtureRequest) -> None:
    store = open_store(request.getfixturevalue("cluster").new())
    for state, kind in (("53100", FullError), ("53300", BusyError), ("40P01", BusyError)):
        raised = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
        with pytest.raises(kind), store.writing() as connection:
            connection.execute(sa.text(raised))
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(BusyError, match="reached"), store.writing() as connection:
        connection.execute(sa.text(cut))
    assert list_projects(store) == []
    store.close()


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("task", "t"),
        ConflictError("draft", "is old", current_version=3),
        BusyError("x"),
    ],
)
def test_errors_travel_between_processes(error: StoreError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
