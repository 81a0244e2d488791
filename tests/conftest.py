"""Fixtures for all tests: real reads that live beside the checkout, the browser, PostgreSQL."""

from __future__ import annotations

import os
import re
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

# Tests that take long, by the beginning of their names: first, so that none is left to the end.
_LONG = (
    "tests/house/test_benchmarks.py",
    "tests/live/",
    "tests/end_to_end/",
    "tests/store/test_faults.py",
    "tests/images/test_child_faults.py",
    "tests/images/test_real_files.py",
    "tests/reading_page/",
    "tests/app/test_browser.py",
    "tests/app/test_demo",
)


# What is dear to make stands once a run: who uses it stays with one worker, and goes first.
_TOGETHER = {
    "the PostgreSQL": re.compile(r"\[postgres"),
    "the town": re.compile(r"^tests/end_to_end/test_(?!plan|drift)"),
    "the client's server": re.compile(r"^tests/client/"),
    "the shared house": re.compile(r"^tests/web/test_(matrix|openapi)"),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: a test that waits for a browser or a server leaves its core."""
    asked = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(asked) if asked else (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests out, one by one or together; pytest-xdist 3.8 loses its own groups."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            found = (name for name, these in _TOGETHER.items() if these.search(nodeid))
            return next(found, nodeid)

    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_configure() -> None:
    """One thread for linear algebra here and in every process below: workers fill the cores."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose need is not met (CI fails instead); among workers long ones first."""
    _leave_out(config, items)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
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
