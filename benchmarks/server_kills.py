"""The server is killed 100 times under readers who submit, draft, skip and correct: 0 reads lost.

``kill -9`` of the real server process, on SQLite and PostgreSQL, every commit on disk; then
PostgreSQL itself stopped without a checkpoint under a server that goes on. Each acknowledged read
must be there as it was sent, once; the hash chain must hold and the state follow from the log.
What a killed process cannot show is a loss of power: there the promise is the database's
(synchronous=FULL with a synced journal, fsync=on) and the disk's that says it has written.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from _common import arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.live.kills import kill_server, outcome, storm
from tests.live.server import running_server
from tests.live.study import furnish
from tests.store.cluster import find_programs, running_cluster


def main() -> None:
    """Kill the server on either database, then the database."""
    small = arguments(__doc__).small
    # small: tests/live/test_kills.py kills on each database; here it is seen that this runs
    kills, readers = (1, 2) if small else (100, 12)
    kinds = ("sqlite",) if small else ("sqlite", "postgresql", "database")
    only = os.environ.get("OVERREAD_BENCH_ONLY", "")
    figures: dict[str, Any] = {"readers": readers}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = None
        for name in kinds:
            if only not in name:
                continue
            if name != "sqlite" and cluster is None:
                cluster = stack.enter_context(running_cluster(_programs(), fsync=True))
            database = cluster.new() if cluster else ""
            times = kills // 5 if name == "database" else kills
            begin = perf_counter()
            home = folder / name
            study = furnish(
                home,
                database=database,
                cases=60 if small else 150 * times,
                readers=readers,
                reads_per_case=2,
            )
            with running_server(home, database=database) as server:
                kill = cluster.crash if cluster and name == "database" else kill_server(server)
                told = storm(server, study, kill, kills=times, seed=7)
            url = database or str(home / "overread.sqlite")
            found = asdict(outcome(url, study, told, folder / f"{name}.db", kills=times))
            found["seconds"] = round(perf_counter() - begin, 1)
            print(name, found, flush=True)
            if found["lost"] or found["changed"] or found["duplicates"] or found["drafts_lost"]:
                raise SystemExit("something that was acknowledged is not there")
            if found["wrong"] or not (found["chain_sound"] and found["rebuilt_equal"]):
                print(server.log.read_text()[-2000:])
                raise SystemExit("an answer or the log is not sound")
            figures |= {f"{name}_{key}": value for key, value in found.items() if key != "wrong"}
    finish(figures)


def _programs() -> Path:
    found = find_programs()
    if found is None:
        raise SystemExit("PostgreSQL is missing: on Debian, apt install postgresql")
    return found


if __name__ == "__main__":
    main()
