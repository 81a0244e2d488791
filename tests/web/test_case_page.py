"""The lead looks at a case in a real browser: every read in its colour, the consensus above."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import uvicorn

from tests.web.conftest import PASSWORD, House

BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 1, "y1": 2, "x2": 30, "y2": 20}


@pytest.mark.browser
def test_reads_are_laid_over_the_case(house: House, browser: Any) -> None:
    case = ""
    for who, left in (("reader", 1), ("other", 3)):
        (task,) = house.tasks(who)
        case = task["case"]["id"]
        answer = {"fractures": [{**BOX, "x1": left}]}
        assert house.read(who, task, answer, comment="<b>seen</b>").status_code == 200
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        server = uvicorn.Server(uvicorn.Config(house.app, lifespan="off", log_level="critical"))
        running = threading.Thread(target=server.run, args=([place],), daemon=True)
        running.start()
        address = f"http://127.0.0.1:{place.getsockname()[1]}"
        while not server.started:
            time.sleep(0.01)
        said, shapes, first = _look(browser, address, case)
        server.should_exit = True
        running.join(10)
    assert shapes == [("consensus", 2), ("reader-1", 1), ("reader-2", 3)]
    assert said[0].startswith("Consensus")
    assert "from 2 reads" in said[0]
    assert {one.split("\n")[0] for one in said[1:]} == {"Rhea Reader", "Otto Other"}
    assert all("<b>seen</b>" in one for one in said[1:])
    assert len(first) == 2  # a layer that is switched off is not drawn


def _look(
    browser: Any, address: str, case: str
) -> tuple[list[str], list[tuple[str, float]], list[object]]:
    """What the layers say, every box with its left edge, and the boxes without the first layer."""
    context = browser.new_context()
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
    page.goto(f"{address}/login")
    page.fill("[name=email]", "lead@example.org")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{address}/projects")
    page.goto(f"{address}/cases/{case}")
    page.locator("fieldset", has_text="Consensus").wait_for(timeout=60_000)
    said = [one.strip() for one in page.locator("fieldset").all_inner_texts()]
    shapes = page.eval_on_selector_all(
        "svg rect", "all => all.map(e => [e.getAttribute('class'), +e.getAttribute('x')])"
    )
    page.locator("fieldset input").first.uncheck()
    first = page.locator("svg rect").all()
    assert faults == []
    context.close()
    return said, sorted((name, x) for name, x in shapes), list(first)
