"""A store in a file, for the loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from overread.store import Store, open_store


class Clock:
    """Time that goes on."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=Clock(), sync=False)
    yield opened
    opened.close()
