"""Links that log in: once, in time, for somebody who may come in; and the step to their table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from overread.errors import InputError
from overread.store import (
    NotFoundError,
    Store,
    UserRow,
    add_user,
    change_user,
    find_user,
    get_link,
    make_link,
    open_store,
    read_events,
    use_link,
    use_login_link,
)
from overread.store import tables as t
from overread.store.engine import Store as Engine
from overread.store.schema.migrations import MIGRATIONS, migrate
from tests.store.conftest import Clock

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def rhea(store: Store) -> UserRow:
    return add_user(store, "rhea@example.org", "Rhea", "reader", "system")


def test_a_link_logs_in_once(store: Store, rhea: UserRow) -> None:
    make_link(store, "login", ONE, "system", seconds=60, email="Rhea@example.org ")
    user, link = use_login_link(store, ONE)
    assert (user.id, link.purpose, link.project) == (rhea.id, "login", None)
    assert find_user(store, rhea.email) == (rhea, None)  # no password was made on the way
    for use in (use_login_link, get_link):
        with pytest.raises(NotFoundError):
            use(store, ONE)
    said = [one.body for one in read_events(store) if one.action in {"link_made", "link_used"}]
    assert len(said) == 2
    assert not any(ONE in body for body in said)


def test_time_over_shut_out_or_of_another_kind(store: Store, rhea: UserRow, clock: Clock) -> None:
    make_link(store, "login", ONE, "system", seconds=60, email=rhea.email)
    make_link(store, "password", OTHER, "system", seconds=600, email=rhea.email)
    with pytest.raises(NotFoundError):
        use_login_link(store, OTHER)
    with pytest.raises(NotFoundError):  # a session's link gives no password
        use_link(store, ONE, "hash", name="Rhea", email="new@example.org")
    assert get_link(store, ONE).purpose == "login"
    clock.pass_seconds(61)
    with pytest.raises(NotFoundError):
        use_login_link(store, ONE)
    make_link(store, "login", "3" * 64, "system", seconds=60, email=rhea.email)
    change_user(store, rhea.id, "system", active=False)
    with pytest.raises(NotFoundError):
        use_login_link(store, "3" * 64)
    with pytest.raises(NotFoundError):
        make_link(store, "login", "4" * 64, "system", seconds=60, email=rhea.email)
    with pytest.raises(InputError, match="empty"):
        make_link(store, "login", "4" * 64, "system", seconds=60)


def test_links_of_version_1_still_work(new_url: Callable[[], str]) -> None:
    url = new_url()
    store = open_store(url, sync=False)
    with store.writing() as connection:
        drop(connection)
        migrate(connection, MIGRATIONS[:1])
        row = {"token_hash": ONE, "purpose": "invitation", "email": "a@example.org"}
        row |= {"role": "lead", "created": "2026", "created_by": "system", "expires": "9999"}
        connection.execute(t.links.insert().values(**row))
    store.close()
    again: Engine = open_store(url, sync=False)
    assert get_link(again, ONE).email == "a@example.org"
    add_user(again, "b@example.org", "B", "reader", "system")
    make_link(again, "login", OTHER, "system", seconds=60, email="b@example.org")
    assert use_link(again, ONE, "hash", name="A").role == "lead"
    again.close()


def drop(connection: sa.Connection) -> None:
    """Take all tables away, as before the first start."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    metadata.drop_all(connection)
    if connection.dialect.name == "postgresql":
        ours = sa.text(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'overread%' "
            "AND pg_function_is_visible(oid)"
        )
        for name in connection.scalars(ours).all():
            connection.exec_driver_sql(f"DROP FUNCTION {name}()")
