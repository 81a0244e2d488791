"""The plan through the real server: looked at, written, read, planned again; reads on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.study.home import open_home
from overread.app.study.more_reads import demanded
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import project_table
from overread.client import Client, connect
from overread.store import list_cases, list_users, remove_member
from overread.store.work.demands import list_demands
from overread.store.work.plan_view import view_tasks
from tests.end_to_end.shots import shot
from tests.live.server import Server, running_server
from tests.live.study import PASSWORD, furnish
from tests.reading_page.hands import eventually

CLASSES = ("clear", "nodule", "effusion")
PLAIN = """title: Chest findings
reads_per_case: 1
questions:
  - {id: finding, prompt: What is seen, kind: nominal, classes: [clear, nodule, effusion]}
"""
ON_DEMAND = PLAIN.replace(
    "reads_per_case: 1", "reads: {on_demand: {at_least: 2, at_most: 4, sure: 0.9}}"
)


@contextmanager
def read_by(running: Server, emails: tuple[str, ...]) -> Generator[tuple[Client, ...]]:
    """Programs that read, signed in."""
    with ExitStack() as stack:
        clients = tuple(
            stack.enter_context(connect(f"http://127.0.0.1:{running.port}")) for _ in emails
        )
        for client, email in zip(clients, emails, strict=True):
            client.sign_in(email, PASSWORD)
        yield clients


def lead_page(browser: Any, running: Server, project: str) -> Any:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    address = f"http://127.0.0.1:{running.port}"
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill("lead@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    page.goto(f"{address}/projects/{project}/plan")
    return page


def told(page: Any) -> str:
    return " ".join(page.locator("main").inner_text().split())


@pytest.mark.browser
def test_a_plan_is_written_read_and_planned_again(tmp_path: Path, browser: Any) -> None:
    home = tmp_path / "home"
    study = furnish(home, protocol=PLAIN, cases=60, readers=4, reads_per_case=1, side=32)
    store = open_home(home).store
    people = {one.email: one.id for one in list_users(store)}
    late = study.readers[3]
    remove_member(store, study.project, people[late], "system")
    with running_server(home) as running, read_by(running, study.readers) as clients:
        page = lead_page(browser, running, study.project)
        assert "tasks go to whoever comes first" in told(page)
        page.get_by_label("Overlap, % of the cases").fill("20")
        page.get_by_label("Reads of a sub-batch").fill("7")
        page.get_by_label("Hidden repeats, %").fill("10")
        page.get_by_label("Reads between two looks").fill("5")
        page.get_by_label("Seconds a read").fill("30")
        page.get_by_role("button", name="Show what this gives").click()
        page.wait_for_load_state()
        looked = told(page)
        assert "93 reads: 48 cases read by one, 12 cases by 3 (overlap), 9 hidden repeats" in looked
        assert "Each reader has 28 first reads" in looked
        shot(page, "plan-preview")
        page.get_by_role("button", name="Write the plan").click()
        page.wait_for_url("**/plan?written=yes")
        assert "0 of 93 reads done" in told(page)
        for client, count in zip(clients[:3], (14, 9, 20), strict=True):
            for _ in range(count):
                (task, *_) = client.claim(study.project)
                client.submit(task, {"finding": "clear"}, seconds=20.0)
        page.reload()
        assert "43 of 93 reads done" in told(page)
        shot(page, "plan")
        done = {one.id for one in view_tasks(store, study.project) if one.state == "done"}
        # the second reader leaves, the fourth reads from now on
        form = [("reader", people[one]) for one in (study.readers[0], *study.readers[2:])]
        page.goto(page.url.replace("/plan", "/members").split("?")[0])
        for box in page.locator("input[name=reader]").all():
            box.set_checked(box.get_attribute("value") in {value for _, value in form})
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_load_state()
        page.goto(f"http://127.0.0.1:{running.port}/projects/{study.project}/plan")
        assert "1 reader came, 1 reader left with cases to read" in told(page)
        page.get_by_role("button", name="Re-plan what is left").click()
        page.wait_for_url("**/plan?written=yes")
        tasks = view_tasks(store, study.project)
        assert done <= {one.id for one in tasks if one.state == "done"}
        first = Counter(one.case for one in tasks if one.role in {"only", "overlap"})
        assert Counter(first.values()) == {1: 48, 3: 12}
        left = Counter(one.planned_for for one in tasks if one.state == "open")
        assert people[study.readers[1]] not in left
        assert left[people[late]] > 0
        assert clients[3].claim(study.project)
        shot(page, "plan-again")
        page.context.close()
    store.close()


def test_reads_on_demand_stop_where_the_consensus_is_sure(tmp_path: Path) -> None:
    """Four simulated readers; how many reads are saved is printed and held to a wide range."""
    home, cases = tmp_path / "home", 100
    study = furnish(home, protocol=ON_DEMAND, cases=cases, readers=4, reads_per_case=2, side=32)
    store = open_home(home).store
    random = np.random.default_rng(11)
    number = {one.case.id: one.case.number for one in list_cases(store, study.project, limit=500)}
    truth = random.choice(3, cases + 1, p=[0.6, 0.25, 0.15])
    skill, seconds = (0.97, 0.93, 0.93, 0.85), (20.0, 12.0, 12.0, 8.0)

    def read_all(clients: tuple[Client, ...]) -> int:
        made = 0
        for k, client in enumerate(clients):
            while tasks := client.claim(study.project):
                right = truth[number[tasks[0].case.id]]
                said = right if random.random() < skill[k] else random.integers(3)
                client.submit(tasks[0], {"finding": CLASSES[said]}, seconds=seconds[k])
                made += 1
                if made % 10 == 0:
                    break
        return made

    def is_over() -> bool:
        made, found = read_all(clients), demanded(store, study.project)
        return not made and found is not None and found.done == cases

    with running_server(home) as running, read_by(running, study.readers) as clients:
        while read_all(clients):
            pass
        eventually(is_over, "every case is decided")
    found = demanded(store, study.project)
    assert found is not None
    question = protocol_of(store, study.project).protocol.questions[0]
    table = project_table(store, study.project, question)
    assert table is not None
    consensus = reach_consensus(table).result
    right = [CLASSES[truth[number[case]]] for case in consensus.cases.tolist()]
    said_ = [CLASSES[code] for code in consensus.value.code.tolist()]
    accuracy = np.mean([a == b for a, b in zip(right, said_, strict=True)])
    print(  # noqa: T201
        f"{found.reads} reads of {found.fixed}: {found.saved:.0%} saved, {accuracy:.1%} right"
    )
    assert 0.1 < found.saved < 0.5
    assert accuracy > 0.9
    rows = list_demands(store, study.project)
    tasks = view_tasks(store, study.project)
    many = Counter(one.case for one in tasks if one.state == "done")
    assert {case: one.reads for case, one in rows.items()} == dict(many)
    assert set(many.values()) <= {2, 3, 4}
    assert all(one.probability >= 0.9 for one in rows.values() if one.state == "sure")
    assert all(many[case] == 4 for case, one in rows.items() if one.state == "spent")
    assert all(one.state == "done" for one in tasks)
    store.close()
