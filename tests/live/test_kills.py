"""The real server is killed under readers at work; the benchmark does it a hundred times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.kills import Outcome, kill_server, outcome, storm
from tests.live.server import running_server
from tests.live.study import furnish
from tests.store.cluster import running_cluster
from tests.store.conftest import BOTH


def assert_nothing_lost(found: Outcome) -> None:
    assert found.wrong == ()
    assert found.acknowledged > 0
    assert (found.lost, found.changed, found.duplicates, found.drafts_lost) == (0, 0, 0, 0)
    assert found.chain_sound
    assert found.rebuilt_equal


@pytest.mark.parametrize("kind", BOTH)
def test_killed_servers_lose_nothing_acknowledged(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = "" if kind == "sqlite" else _new_database(request)
    home = tmp_path / "home"
    study = furnish(home, database=database, cases=300, readers=8, reads_per_case=2)
    with running_server(home, database=database) as server:
        told = storm(server, study, kill_server(server), kills=2, seed=3)
    url = database or str(home / "overread.sqlite")
    assert_nothing_lost(outcome(url, study, told, tmp_path / "empty.db", kills=2))


def _new_database(request: pytest.FixtureRequest) -> str:
    new: Callable[[], str] = request.getfixturevalue("cluster").new
    return new()


@pytest.mark.postgres
def test_a_crashed_database_under_a_server_loses_nothing(
    postgres_programs: Path, tmp_path: Path
) -> None:
    with running_cluster(postgres_programs, fsync=True) as cluster:
        database, home = cluster.new(), tmp_path / "home"
        study = furnish(home, database=database, cases=300, readers=8, reads_per_case=2)
        with running_server(home, database=database) as server:
            told = storm(server, study, cluster.crash, kills=2, seed=5)
        assert_nothing_lost(outcome(database, study, told, tmp_path / "empty.db", kills=2))
