"""A house that a real browser can visit."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.web.conftest import PASSWORD, House


@contextmanager
def opened(house: House) -> Generator[str]:
    """Serve a house; its address."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        server = uvicorn.Server(uvicorn.Config(house.app, lifespan="off", log_level="critical"))
        running = threading.Thread(target=server.run, args=([place],), daemon=True)
        running.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
        server.should_exit = True
        running.join(10)


@contextmanager
def visitor(browser: Any, address: str, email: str) -> Generator[Any]:
    """A page of somebody who is logged in; a script error or a breach of the policy fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    # a form that is refused (422) is no fault of its page
    page.on(
        "console",
        lambda one: (
            faults.append(one.text) if one.type == "error" and "422" not in one.text else None
        ),
    )
    page.goto(f"{address}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(lambda url: "/login" not in url)
    yield page
    assert faults == []
    context.close()
