"""A store in a file, for the loop; and one with images encoded, to be copied."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from overread.store import Store, add_protocol_version, head, open_blobs, open_store
from tests.app.learning.study import Study, new_study, protocol


class Clock:
    """Time that goes on."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


def opened(folder: Path) -> Store:
    """A store whose ids, and so the lots that hang on them, are the same in every run."""
    made = open_store(f"sqlite:///{folder / 'store.db'}", clock=Clock(), sync=False)
    rng = random.Random(head(made).n)  # other ids when it is opened again
    return replace(made, new_id=lambda: str(UUID(int=rng.getrandbits(128), version=4)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = opened(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """48 cases with their latents; nobody reads it."""
    folder = tmp_path_factory.mktemp("encoded")
    made = new_study(opened(folder), folder, cases=48)
    assert made.embed() == 48
    made.store.close()
    return made


@pytest.fixture
def study(encoded: Study, tmp_path: Path) -> Iterator[Study]:
    """A copy of it."""
    folder = Path(encoded.blobs.root).parent
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    store = opened(tmp_path)
    blobs = open_blobs(str(tmp_path / "blobs"))
    yield replace(encoded, store=store, blobs=blobs, truth=dict(encoded.truth))
    store.close()


def wish(study: Study, **more: str) -> None:
    """Another protocol."""
    add_protocol_version(study.store, study.project, protocol(**more), study.lead, base_version=1)
