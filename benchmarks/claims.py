"""Sixteen processes claim and submit at once: no task is granted twice, on either database.

The peer is what annotation servers do: look for an open task, then mark it, as two statements.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from _common import arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.store import workers
from tests.store.cluster import find_programs, running_cluster
from tests.store.study import new_study

from overread.store import open_store, verify

CLAIMERS = 16


def main() -> None:
    """Measure both databases with every commit on disk, and the peer beside them."""
    small = arguments(__doc__).small
    # small: sixteen at once are in tests/store/test_faults.py; here it is seen that this runs
    tasks, claimers = (24, 2) if small else (10_000, CLAIMERS)
    figures: dict[str, Any] = {"claimers": claimers, "tasks": tasks}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {"sqlite": [str(folder / "ours.db"), str(folder / "peer.db")]}
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is missing: on Debian, apt install postgresql")
        cluster = stack.enter_context(running_cluster(programs, fsync=True))
        urls["postgresql"] = [cluster.new(), cluster.new()]
        for name, (ours, peer) in urls.items():
            measured = measure(ours, tasks, claimers)
            figures |= {f"{name}_{key}": value for key, value in measured.items()}
            figures[f"{name}_peer_double_grants"] = peer_doubles(peer, tasks, claimers)
            print({key: value for key, value in figures.items() if key.startswith(name)})
    finish(figures)


def measure(url: str, tasks: int, claimers: int) -> dict[str, float]:
    """Double grants, throughput, and how long a claim and a submission took."""
    who = study(url, tasks, claimers)
    start = perf_counter()
    told = workers.run("claim", url, *who, sync=True)["told"]
    took = perf_counter() - start
    store = open_store(url)
    if not verify(store).sound:
        raise SystemExit("the log is not sound")
    store.close()
    granted = [task for one in told for task in one["tasks"]]
    if len(set(granted)) != tasks:
        raise SystemExit(f"{tasks} tasks, but {len(set(granted))} were granted")
    both = [seconds for one in told for key in ("claim", "submit") for seconds in one[key]]
    return {
        "double_grants": len(granted) - len(set(granted)),
        "reads_per_second": round(tasks / took, 1),
        "p50_ms": round(1000 * quantiles(both, n=20)[9], 1),
        "p95_ms": round(1000 * quantiles(both, n=20)[18], 1),
    }


def peer_doubles(url: str, tasks: int, claimers: int) -> int:
    """Double grants of the peer on the same tables."""
    told = workers.run("naive", url, *study(url, tasks, claimers), sync=False)["told"]
    granted = [task for one in told for task in one]
    return len(granted) - len(set(granted))


def study(url: str, tasks: int, claimers: int) -> list[str]:
    """A project of so many cases, a read each; its id and the claimers' ids."""
    store = open_store(url)
    made = new_study(store, cases=tasks, readers=claimers, reads_per_case=1)
    store.close()
    return [made.project, *made.readers]


if __name__ == "__main__":
    main()
