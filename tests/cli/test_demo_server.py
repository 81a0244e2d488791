"""``overread demo --serve``: the printed links in a real browser, the port, Ctrl-C."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from overread.app.demo import demo_study
from overread.app.demo.demo_images import PROJECTS
from overread.cli.demo_server import DemoServer, demo_server
from overread.store import list_cases, reads_of_case
from tests.cli.program import overread


@pytest.fixture(scope="module")
def few() -> Iterator[None]:
    """The demo without its long clip."""
    images = tuple(one for one in PROJECTS[0].images if "clip" not in one.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_study, "PROJECTS", (replace(PROJECTS[0], images=images), *PROJECTS[1:]))
        yield


@pytest.fixture(scope="module")
def served(few: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("demo")
    out = io.StringIO()
    terminal = Console(file=out, width=80)
    with demo_server(
        folder / "home", port=0, reports=folder, terminal=terminal,
        step=lambda _what: lambda *_: None,
    ) as server:  # fmt: skip
        yield server, terminal, out


def links(served: Any) -> tuple[str, str]:
    """The links as they are printed."""
    server, terminal, out = served
    server.tell(terminal)
    return tuple(re.findall(rf"{what}\s+(\S+)", out.getvalue())[-1] for what in ("Read", "Lead"))


@pytest.mark.browser
@pytest.mark.page
def test_one_click_and_three_keys_make_the_first_read(served: Any, browser: Any) -> None:
    read, lead = links(served)
    server: DemoServer = served[0]
    project = server.study.projects[0].id
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(read)
    page.wait_for_url(f"**/read/{project}")
    page.locator(".card").first.wait_for()
    page.get_by_text(f"0 of {server.study.projects[0].cases}").wait_for()
    page.get_by_role("button", name="Chest or heart").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("3")
    with page.expect_response(lambda reply: reply.url.endswith("/submit")):
        page.keyboard.press("Enter")
    page.get_by_text(f"1 of {server.study.projects[0].cases}").wait_for()
    assert wrong == []
    store = server.home.store
    reads = [r for c in list_cases(store, project) for r in reads_of_case(store, c.case.id)]
    (mine,) = [one for one in reads if not one.comment]  # the simulated readers say so in theirs
    assert mine.answer == {"part": "Chest or heart", "quality": "Very good"}
    host = browser.new_context()
    overview = host.new_page()
    overview.goto(lead)
    overview.wait_for_url(f"**/projects/{project}")
    assert overview.get_by_text("Demo reader").count() == 1
    overview.get_by_role("link", name="Reports").click()
    overview.get_by_text("No such report yet").wait_for()
    overview.goto(read)  # used up
    overview.get_by_text("This link is no longer valid").wait_for()
    _, terminal, out = served
    out.truncate(0)
    server.tell(terminal)
    assert out.getvalue().count("overread login-link") == 2
    context.close()
    host.close()


def test_a_port_in_use_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = overread("demo", "--out", tmp_path / "out", "--serve", "--port", port, "--no-pdf")
        assert ended.code == 2
        assert f"--port must be free; got {port}" in ended.said
        assert "PORT=" in ended.said
        assert not (tmp_path / "out").exists()
        ended = overread("serve", "--home", tmp_path / "home", "--port", port)
        assert (ended.code, f"got {port}" in ended.said) == (2, True)


def test_a_new_link_by_the_command(served: Any) -> None:
    home = served[0].home.folder
    ended = overread(
        "login-link", "reader@demo.invalid", "--home", home, "--address", served[0].address,
        "--project", PROJECTS[0].name,
    )  # fmt: skip
    assert ended.code == 0
    link = ended.out.split()[0]
    with urllib.request.urlopen(link, timeout=20) as page:
        assert b"Welcome, Demo reader" in page.read()
    ended = overread("login-link", "nobody@demo.invalid", "--home", home)
    assert ended.code == 2
    assert "account" in ended.said


def test_ctrl_c_ends_it_and_a_second_start_goes_on(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom overread.app.demo import demo_study as d\n"
        "from dataclasses import replace\n"
        "d.PROJECTS = (replace(d.PROJECTS[2], images=d.PROJECTS[2].images[:2]),)\n"
        "from overread.cli.main import main\nmain()"
    )
    command = [sys.executable, "-c", code, "demo", "--serve", "--port", "0", "--no-pdf"]
    command += ["--scans", "1", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    seen: list[str] = []
    for _ in range(2):
        log = tmp_path / "log"
        with log.open("wb") as file, subprocess.Popen(
            command, stdout=file, stderr=file, env=environment
        ) as process:  # fmt: skip
            text = _until(log, "Meanwhile", process)
            process.send_signal(signal.SIGINT)
            assert _ended(process) == 130, log.read_text()
        assert "nothing half-written" in log.read_text()
        assert "Traceback" not in log.read_text()
        address = re.findall(r"http://127.0.0.1:\d+", text)[0]
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(address, timeout=5)
        seen.append(re.findall(r"Projects: (.*?)\. Ready", text)[0])
    assert seen == ["Bone, painted (2 cases)"] * 2
    assert not [one.name for one in (tmp_path / "out").iterdir() if one.name != "home"]


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _until(log: Path, words: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        text = log.read_text()
        if words in text:
            return text
        time.sleep(0.05)
    return pytest.fail(log.read_text())
