"""A page asks the database as often for many readers and cases as for a few."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from overread.protocol import template
from overread.store import (
    NewGold,
    add_gold,
    add_user,
    claim,
    create_project,
    plan_tasks,
    set_member,
    submit_read,
)
from overread.store.study.cases import add_cases
from overread.web.access.roles import Route
from overread.web.routes import ROUTES
from tests.store.study import a_read, new_case
from tests.web.conftest import House

BESIDE = ("(_work)", "(_run)", "(_in_turn)")
"""What threads beside the pages work at: how often they ask has nothing to do with a route."""

LOT = 2
"""What a page may ask more by chance (a watch beside it is done or not); one a reader is 7 more."""

LEAST = 30  # routes that ask for a project, a reader or a case, and answer


def project_of(house: House, readers: int, cases: int) -> dict[str, str]:
    """What stands in a path of a project that so many read, each some cases."""
    store, lead = house.store, house.people["lead"].id
    project = create_project(store, f"of {readers}", template("knee-grade"), lead, lead=lead).id
    people = [
        add_user(store, f"r{readers}-{k}@example.org", f"Reader {k}", "reader", lead).id
        for k in range(readers)
    ]
    for one in [house.people["reader"].id, *people]:
        set_member(store, project, one, lead)
    new = [new_case(f"{readers} {k}") for k in range(cases)]
    first, *more = (key for key, _ in add_cases(store, project, new, lead))
    gold = [NewGold(case, {"grade": "1"}, 1, "hidden") for case in more[::4]]
    add_gold(store, project, gold, lead)
    plan_tasks(store, project, lead, reads_per_case=2)
    for one in people:
        for task in claim(store, project, one, count=3):
            submit_read(store, a_read(task.id, one, answer={"grade": "1"}))
    return {"{project}": project, "{reader}": people[0], "{case}": first, "{number}": "0"}


def path_of(route: Route, names: dict[str, str]) -> str:
    """The route for these; "" where it asks for something else, or for none of them."""
    path = route.path
    for name, key in names.items():
        path = path.replace(name, key)
    return "" if "{" in path or path == route.path or route.method != "GET" else path


def test_no_route_asks_more_often_for_more(house: House) -> None:
    heard: list[Any] = []

    def hear(*of: Any) -> None:
        if not threading.current_thread().name.endswith(BESIDE):
            heard.append(of[2])

    sa.event.listen(house.store.engine, "before_cursor_execute", hear)

    def asked(path: str, who: str) -> int:
        """Statements of the quietest of three times: the first one may have work to begin."""
        counts = []
        for _ in range(3):
            heard.clear()
            reply = house.people[who].get(path)
            counts.append(len(heard))
            if reply.status_code != 200:
                return 0
        return min(counts)

    few, many = project_of(house, 2, 12), project_of(house, 9, 60)
    growing, answered = {}, 0
    for route in ROUTES:
        if path := path_of(route, few):
            who = "lead" if "lead" in route.roles else "reader"
            before, after = asked(path, who), asked(path_of(route, many), who)
            answered += after > 0
            if after > before + LOT:
                growing[route.path] = before, after
    if answered < LEAST:
        pytest.fail(f"only {answered} routes answered")
    assert not growing
