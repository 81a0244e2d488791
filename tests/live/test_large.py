"""The large project of the benchmark is what the store's own work would have made."""

from __future__ import annotations

from pathlib import Path

from overread.store import (
    open_store,
    project_progress,
    read_events,
    rebuild,
    state_digests,
    verify,
)
from tests.live.large import fill


def test_a_project_written_in_bulk_follows_from_its_log(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db", sync=False)
    made = fill(store, cases=30, readers=5, blob="0" * 64)
    empty = open_store(tmp_path / "empty.db", sync=False)
    rebuild(read_events(store), empty)
    assert verify(store).sound
    assert state_digests(empty) == state_digests(store)
    progress = project_progress(store, made.project)
    assert (progress.cases, progress.reads, progress.done) == (30, made.reads, 60)
    store.close()
    empty.close()
