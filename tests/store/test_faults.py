"""Many at once, killed, crashed, starved of disk: nothing is given twice, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from overread.store import (
    FullError,
    Store,
    claim,
    get_read,
    head,
    open_store,
    project_progress,
    read_events,
    reads_of_project,
    rebuild,
    state_digests,
    submit_read,
    verify,
)
from tests.store import workers
from tests.store.cluster import running_cluster
from tests.store.study import a_read, new_study


def study_at(url: str, **size: int) -> tuple[Store, list[str]]:
    store = open_store(url)
    study = new_study(store, **size)
    return store, [study.project, *study.readers]


def assert_kept(store: Store, acknowledged: list[str], empty: Store) -> None:
    """All acknowledged reads are there, the log holds, and it explains the state."""
    assert acknowledged
    assert len(set(acknowledged)) == len(acknowledged)
    for key in acknowledged:
        assert get_read(store, key).answer
    assert verify(store, head(store)).sound
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_sixteen_claimers_never_get_the_same_task(new_url: Callable[[], str]) -> None:
    url = new_url()
    store, who = study_at(url, cases=48, readers=16, reads_per_case=1)
    told = workers.run("claim", url, *who, sync=False)["told"]
    granted = [task for one in told for task in one["tasks"]]
    assert len(granted) == len(set(granted)) == 48
    progress = project_progress(store, who[0])
    assert (progress.done, progress.reads, progress.surplus) == (48, 48, 0)
    assert len(reads_of_project(store, who[0], "q")) == 48
    assert verify(store).sound
    store.close()


def test_killed_writers_lose_nothing_acknowledged(
    new_url: Callable[[], str], tmp_path: Path
) -> None:
    url = new_url()
    store, who = study_at(url, cases=60, readers=4, reads_per_case=4)
    acknowledged = workers.run("kill", url, *who, kills=10, seed=7)["acknowledged"]
    empty = open_store(tmp_path / "empty.db", sync=False)
    assert_kept(store, acknowledged, empty)
    store.close()
    empty.close()


@pytest.mark.postgres
def test_a_crashed_database_loses_nothing_acknowledged(
    postgres_programs: Path, tmp_path: Path
) -> None:
    with running_cluster(postgres_programs, fsync=True) as cluster:
        store, who = study_at(cluster.new(), cases=10, readers=1, reads_per_case=1)
        acknowledged: list[str] = []
        for _ in range(2):
            task = claim(store, who[0], who[1])[0].id
            acknowledged.append(submit_read(store, a_read(task, who[1])).read_id)
            cluster.crash()
        empty = open_store(tmp_path / "empty.db", sync=False)
        assert_kept(store, acknowledged, empty)
        store.close()
        empty.close()


def test_a_full_disk_is_told_and_left_behind(tmp_path: Path) -> None:
    url = str(tmp_path / "store.db")
    store, who = study_at(url, cases=1, readers=1, reads_per_case=1)
    told = workers.run("starve", url, *who, blobs=str(tmp_path / "blobs"))
    for words in (told["refused"], told["blob_refused"]):
        assert "nothing" in words
        assert "Make room" in words
    assert told["leftover"] == []
    assert told["sound_when_full"]
    assert told["blob_after"]
    assert len(told["kept"]) > 1
    empty = open_store(tmp_path / "empty.db", sync=False)
    assert_kept(store, told["kept"], empty)
    store.close()
    empty.close()


def test_a_full_database_is_told_and_left_behind(tmp_path: Path) -> None:
    store, who = study_at(str(tmp_path / "store.db"), cases=1, readers=1, reads_per_case=1)
    task = claim(store, *who)[0].id
    before = head(store)
    with store.reading() as connection:
        pages = connection.execute(sa.text("PRAGMA page_count")).scalar()
        connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(FullError, match="Make room"):
        submit_read(store, a_read(task, who[1], answer={"q": "y" * 100_000}))
    assert head(store) == before
    with store.reading() as connection:
        connection.execute(sa.text("PRAGMA max_page_count = 1000000"))
    assert submit_read(store, a_read(task, who[1], answer={"q": "y" * 100_000})).revision == 1
    assert verify(store).sound
    store.close()
