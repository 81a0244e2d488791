"""The seed's story through the real server: a reader's boxes shrink by 20 % while three read.

Three programs read by the API as the page does; the lead sees it in a browser, has the reader
checked on another overlap, and releases them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.client import Client, connect
from tests.live.server import Server, running_server
from tests.live.study import PASSWORD, furnish
from tests.reading_page.hands import eventually

pytestmark = [pytest.mark.browser, pytest.mark.page]

TEXT = """title: Fractures
reads_per_case: 3
watch: {on_alarm: pause, check_cases: 12}
questions:
  - {id: fractures, prompt: Box each fracture, kind: box, classes: [fracture]}
"""
SIDE = 200
CASES = 130
IN_CONTROL = 45  # cases read by all three before anything changes
MOST = 25  # overlap reads within which the change must be seen


@dataclass
class Readers:
    """Three programs that read; the first one's boxes can shrink."""

    project: str
    clients: tuple[Client, ...]
    random: np.random.Generator
    centre: Any
    size: Any
    seen: dict[str, int] = field(default_factory=dict)

    def read(self, count: int, who: Sequence[int] = (0, 1, 2), *, shrink: float = 0.0) -> int:
        """Let each read so many cases; returns how many were there to read."""
        made = 0
        for _ in range(count):
            for k in who:
                tasks = self.clients[k].claim(self.project)
                for task in tasks[:1]:
                    at = self.seen.setdefault(task.case.id, len(self.seen))
                    box = self.box(at, shrink if k == 0 else 0.0)
                    self.clients[k].submit(task, {"fractures": [box]}, seconds=8.0)
                    made += 1
        return made

    def box(self, at: int, shrink: float) -> dict[str, Any]:
        (x, y), (wide, high) = self.centre[at], self.size[at] * (1 - shrink)
        off = self.random.normal(0, 0.04, 4) * [wide, high, wide, high]
        corners = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]) + off
        x1, y1, x2, y2 = (float(one) for one in np.clip(corners, 0, SIDE))
        return {"id": "1", "class": "fracture", "frame": 0, "x1": x1, "y1": y1, "x2": x2, "y2": y2}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, Readers]]:
    home = tmp_path / "home"
    study = furnish(home, protocol=TEXT, cases=CASES, readers=3, reads_per_case=3, side=SIDE)
    with running_server(home) as running:
        address = f"http://127.0.0.1:{running.port}"
        clients = tuple(connect(address) for _ in study.readers)
        for client, email in zip(clients, study.readers, strict=True):
            client.sign_in(email, PASSWORD)
        random = np.random.default_rng(4)
        centre = random.uniform(60, 140, (CASES, 2))
        size = np.exp(random.normal(3.4, 0.25, (CASES, 2)))
        yield running, Readers(study.project, clients, random, centre, size)
        for client in clients:
            client.__exit__()


def test_a_drifting_reader_is_paused_shown_checked_and_released(
    server: tuple[Server, Readers], browser: Any
) -> None:
    running, readers = server
    readers.read(IN_CONTROL)
    page = lead_at(browser, running, readers.project)
    eventually(lambda: "No change seen" in told(page), "all three are steady")
    assert "waits" not in told(page)
    reads = 0
    while readers.read(1, shrink=0.2) == 3:
        reads += 1
        assert reads <= MOST
    assert reads >= 3
    eventually(lambda: "1 alarm waits" in told(page), "the page tells of it")
    page.get_by_role("link", name="Look at it").first.click()
    page.wait_for_load_state()
    said = " ".join(page.locator("main").inner_text().split())
    assert "Reader 0, paused" in said
    assert "smaller" in said
    assert "reads set aside" in said
    eventually(lambda: page.locator(".worst svg rect").count() > 3, "boxes side by side")
    # the others go on, and read the queued cases too
    readers.read(14, (1, 2))
    page.reload()
    page.get_by_role("button", name="Ask for the check").click()
    page.wait_for_load_state()
    assert readers.read(30, (0,)) == 12
    assert readers.clients[0].claim(readers.project) == []
    eventually(lambda: "in line with the others" in told(page), "the check says how it went")
    page.get_by_role("radio", name="Release").check()
    page.get_by_label("Why").fill("Twelve fresh cases in line; the atlas was looked at again.")
    page.get_by_role("button", name="Decide").click()
    page.wait_for_load_state()
    assert "Released" in told(page)
    assert readers.read(10, (0,)) == 10
    page.goto(page.url.split("/alarms/")[0] + f"/projects/{readers.project}/quality")
    assert "waits" not in told(page)
    page.context.close()


def lead_at(browser: Any, running: Server, project: str) -> Any:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    address = f"http://127.0.0.1:{running.port}"
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill("lead@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    page.goto(f"{address}/projects/{project}/quality")
    return page


def told(page: Any) -> str:
    page.reload()
    return " ".join(page.locator("main").inner_text().split())
