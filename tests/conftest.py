"""Fixtures for all tests: real reads that live beside the checkout, the browser, PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.cluster import Cluster, running_cluster

_SHARED = Path(
    os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")
)


_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
    Path(found) for found in [shutil.which("initdb")] if found
]
_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
_PAGE = Path(__file__).parents[1] / "src/overread/web/static/read/index.html"
_NEEDS = {
    "shared_data": (_SHARED.is_dir(), f"tests on real reads: no folder {_SHARED}"),
    "browser": (_BROWSER is not None, "tests in a browser: no chromium"),
    "postgres": (bool(_POSTGRES), "tests on PostgreSQL: no initdb"),
    "page": (_PAGE.is_file(), "tests of the reading page: not built (make page)"),
}
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, in one line, the tests whose need is not met; CI fails instead."""
    if os.environ.get("CI"):
        return
    for marker, (met, words) in _NEEDS.items():
        left_out = [item for item in items if marker in item.keywords and not met]
        if left_out:
            items[:] = [item for item in items if marker not in item.keywords]
            config.hook.pytest_deselected(items=left_out)
            config.stash.setdefault(_LEFT_OUT, []).append(f"left out {len(left_out)} {words}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose need is not met: in CI nothing is left out."""
    for marker, (met, words) in _NEEDS.items():
        if marker in item.keywords and not met:
            pytest.fail(words)


_LEFT_OUT = pytest.StashKey[list[str]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    for line in config.stash.get(_LEFT_OUT, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; a missing one is a failure here."""
    if _BROWSER is None:
        pytest.fail("chromium is missing: the reports are looked at in a real browser")
    return _BROWSER


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """The one Chromium of a test process: Playwright runs once in a process, and no more."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=_QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """Folder of initdb, pg_ctl and postgres; missing ones are a failure here."""
    if not _POSTGRES:
        pytest.fail("PostgreSQL is missing: on Debian, apt install postgresql")
    return _POSTGRES[-1].parent


@pytest.fixture(scope="session")
def cluster(postgres_programs: Path) -> Iterator[Cluster]:
    """The one PostgreSQL of a test process, without fsync: durability is tested on its own."""
    with running_cluster(postgres_programs, fsync=False) as running:
        yield running


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data; a missing folder is a failure here."""
    if not _SHARED.is_dir():
        pytest.fail(f"the folder of real data is missing: {_SHARED}")
    return _SHARED


@pytest.fixture(scope="session")
def shared_reads(shared_data: Path) -> Path:
    """Folder of real reads."""
    return shared_data / "reads"
