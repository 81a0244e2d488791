"""Fixtures for all tests: the real reads that live beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SHARED = Path(
    os.environ.get("OVERREAD_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests on real reads out where there are none, in one line; CI fails instead."""
    if _SHARED.is_dir() or os.environ.get("CI"):
        return
    left_out = [item for item in items if "shared_data" in item.keywords]
    if left_out:
        items[:] = [item for item in items if "shared_data" not in item.keywords]
        config.hook.pytest_deselected(items=left_out)
        config.stash[_LEFT_OUT] = len(left_out)


_LEFT_OUT = pytest.StashKey[int]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    if count := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(f"left out {count} tests on real reads: no folder {_SHARED}")


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
