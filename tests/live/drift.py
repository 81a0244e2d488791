"""A study of three programs that read through the API; the boxes of the first can shrink."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overread.client import Client, connect
from tests.live.server import Server, running_server
from tests.live.study import PASSWORD, furnish

TEXT = """title: Fractures
reads_per_case: 3
watch: {on_alarm: {change: pause, level: pause}, check_cases: 12}
questions:
  - {id: fractures, prompt: Box each fracture, kind: box, classes: [fracture]}
guideline: |
  # Boxes
  The box holds both cortices, and ends where the line ends.
  # Light
  Read in a dim room.
atlas:
  - id: whole
    question: fractures
    class: fracture
    do: true
    why: The box holds both cortices.
    rows: 200
    columns: 200
    drawing: {fractures: [{id: a, class: fracture, frame: 0, x1: 60, y1: 70, x2: 130, y2: 140}]}
"""
SIDE = 200
CASES = 130


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


@contextmanager
def drifting_study(home: Path) -> Generator[tuple[Server, Readers]]:
    """A server with the study, and its readers, signed in."""
    study = furnish(home, protocol=TEXT, cases=CASES, readers=3, reads_per_case=3, side=SIDE)
    with ExitStack() as stack:
        running = stack.enter_context(running_server(home))
        clients = tuple(
            stack.enter_context(connect(f"http://127.0.0.1:{running.port}")) for _ in study.readers
        )
        for client, email in zip(clients, study.readers, strict=True):
            client.sign_in(email, PASSWORD)
        random = np.random.default_rng(4)
        centre = random.uniform(60, 140, (CASES, 2))
        size = np.exp(random.normal(3.4, 0.25, (CASES, 2)))
        yield running, Readers(study.project, clients, random, centre, size)


def lead_at(browser: Any, running: Server, project: str, **look: Any) -> Any:
    """The lead's browser, on the page of the readers' charts."""
    return browser_of(browser, running, "lead@example.org", f"/projects/{project}/quality", **look)


def browser_of(browser: Any, running: Server, email: str, path: str, **look: Any) -> Any:
    """A browser of somebody who is signed in, on a page; a script error or a breach fails it."""
    page = browser.new_context(**look).new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console", lambda one: page.faults.append(one.text) if "Content Sec" in one.text else None
    )
    address = f"http://127.0.0.1:{running.port}"
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    page.goto(f"{address}{path}")
    return page


def told(page: Any) -> str:
    """What the page says now."""
    page.reload()
    return " ".join(page.locator("main").inner_text().split())
