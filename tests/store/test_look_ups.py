"""What is asked for by a key is found by an index of that key, not by a walk through a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from overread.app.quality import onboarding_board, reader_board
from overread.app.study import plan_board
from overread.protocol import template
from overread.store import (
    Store,
    add_user,
    claim,
    create_project,
    list_reader_counts,
    set_member,
    submit_read,
)
from overread.store.study.columns import each_read, reads_of_project
from overread.store.work.assigned import given_cases
from tests.store.study import Study, a_read, new_study

Look = Callable[[Store, Study], object]


@contextmanager
def said_to(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Statements, with what they are given, as the database gets them."""
    found: list[tuple[str, Any]] = []

    def heard(*of: Any) -> None:
        found.append((of[2], of[3]))

    sa.event.listen(store.engine, "before_cursor_execute", heard)
    try:
        yield found
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", heard)


def plans(store: Store, look: Callable[[], object]) -> list[str]:
    """How SQLite finds each row of what is asked."""
    with said_to(store) as statements:
        look()
    found = []
    with store.reading() as connection:
        for statement, given in statements:
            if "reads" in statement or "tasks" in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                found += [row.detail for row in rows]
    return [one for one in found if one.startswith(("SEARCH", "SCAN"))]


def given(store: Store, study: Study) -> None:
    with store.reading() as connection:
        connection.execute(given_cases(study.project, study.readers[0])).all()


LOOKS: dict[str, tuple[Look, set[str]]] = {
    "reads of some cases": (
        lambda store, of: list(each_read(store, of.project, cases=of.cases[:2])),
        {"reads_of_case"},
    ),
    "reads of one case": (
        lambda store, of: reads_of_project(store, of.project, "q", case=of.cases[0]),
        {"reads_of_case"},
    ),
    "cases of a reader": (given, {"tasks_by_reader", "tasks_in_queue"}),
    "a reader's figures": (
        lambda store, of: list_reader_counts(store, of.project, reader=of.readers[0]),
        {"reads_of_reader"},
    ),
}


# PostgreSQL walks through what is small, whatever the index
@pytest.mark.parametrize("new_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", LOOKS)
def test_rows_are_found_by_their_own_index(store: Store, name: str) -> None:
    study, (look, wanted) = new_study(store), LOOKS[name]
    for reader in study.readers[:2]:
        for task in claim(store, study.project, reader, count=2):
            submit_read(store, a_read(task.id, reader))
    steps = plans(store, lambda: look(store, study))
    used = {word for step in steps for word in step.split()}
    assert wanted <= used, steps
    assert "reads_in_order" not in used, steps
    assert not [step for step in steps if step.startswith(("SCAN reads", "SCAN tasks"))]


def project_of(store: Store, readers: int, name: str) -> tuple[str, str]:
    lead = add_user(store, f"{name}@example.org", "Lead", "lead", "system").id
    project = create_project(store, name, template("knee-grade"), lead, lead=lead).id
    people = [
        add_user(store, f"{name}-{k}@example.org", f"Reader {k}", "reader", lead).id
        for k in range(readers)
    ]
    for one in people:
        set_member(store, project, one, lead)
    return project, people[0]


PAGES: dict[str, Callable[[Store, str, str], object]] = {
    "plan": lambda store, project, _: plan_board.board(store, project),
    "onboarding": lambda store, project, _: onboarding_board.board(store, project),
    "reader": lambda store, project, who: reader_board.reader_page(store, project, who, None),
    "readers": lambda store, project, _: list_reader_counts(store, project),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_more_often_for_more_readers(store: Store, page: str) -> None:
    asked = []
    for readers in (2, 7):
        project, first = project_of(store, readers, f"with-{readers}")
        with said_to(store) as statements:
            PAGES[page](store, project, first)
        asked.append(len(statements))
    assert 0 < asked[0] == asked[1]
