"""1,000,000 reads of 50 readers: how long the watch takes a read, and every page of the project.

The pages are those of the server's own table of routes, asked one at a time as the lead, or as a
reader where no lead is wanted: the median of five, and the first one, apart. The watch starts on
the full store, then readers read on: the time until a read has moved its reader's charts. Beside
it what it would take to go through all reads instead, as figures of an overview are got without
tallies, and reads compared without a window.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from _common import arguments, finish
from large_project import filled

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.live.client import Person
from tests.live.large import Large
from tests.live.server import running_server
from tests.live.study import PASSWORD
from tests.store.cluster import find_programs, running_cluster

from overread.app.quality.watch_project import ProjectWatch
from overread.app.study import next_tasks, submit_read
from overread.app.study.home import open_home
from overread.store import Store, project_progress
from overread.store import tables as t
from overread.web.routes import ROUTES

_SLOW_MS = 300.0


def main() -> None:
    """Fill, watch and ask; ``OVERREAD_BENCH_ONLY`` names one database."""
    small = arguments(__doc__).small
    only = os.environ.get("OVERREAD_BENCH_ONLY", "")
    cases, readers, reads_on = (60, 3, 6) if small else (500_000, 50, 100)
    figures: dict[str, Any] = {"cases": cases, "readers": readers}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is missing: on Debian, apt install postgresql")
        cluster = stack.enter_context(running_cluster(programs, fsync=True))
        # small: large_project has the other database
        for name in ("postgresql",) if small else ("sqlite", "postgresql"):
            if only not in name:
                continue
            database = cluster.new() if name == "postgresql" else ""
            made = filled(folder / name, database, cases, readers=readers)
            told = watched(folder / name, database, made, reads_on)
            with running_server(folder / name, database=database) as server:
                pages = asyncio.run(asked(server.port, made))
            figures["reads"] = made.reads
            figures |= {f"{name}_{what}": took for what, took in told.items()}
            figures[f"{name}_page_median_ms"] = round(median(pages.values()), 1)
            figures[f"{name}_page_slowest_ms"] = max(pages.values())
            figures[f"{name}_slow"] = {what: ms for what, ms in pages.items() if ms > _SLOW_MS}
    figures["load_average"] = round(os.getloadavg()[0], 1)
    finish(figures)


def watched(home: Path, database: str, made: Large, reads_on: int) -> dict[str, float]:
    """What the watch costs over ``reads_on`` further reads; counting with tallies and without."""
    opened = open_home(home, database=database)
    store, before = opened.store, _resident_mb()
    try:
        watch, begin = ProjectWatch(made.project), perf_counter()
        watch.catch_up(store)
        started, memory = perf_counter() - begin, _resident_mb() - before
        took = [_read_on(store, watch, made.project, k) for k in range(reads_on)]
        counted = _milliseconds(lambda: project_progress(store, made.project))
        gone_through = _milliseconds(lambda: _count_rows(store, made.project))
    finally:
        store.close()
    return {
        "watch_start_s": round(started, 1),
        "watch_memory_mb": round(memory),
        "watch_a_read_ms": round(median(took), 2),
        "watch_a_read_p95_ms": round(quantiles(took, n=20)[-1], 2),
        "counts_ms": round(counted, 2),
        "counts_times_faster_than_rows": round(gone_through / counted, 1),
    }


def _read_on(store: Store, watch: ProjectWatch, project: str, k: int) -> float:
    """Have a reader read one more case; milliseconds until the watch has taken it in."""
    with store.reading() as connection:
        readers = connection.scalars(
            sa.select(t.members.c.reader)
            .where(t.members.c.project == project, t.members.c.role == "reader")
            .order_by(t.members.c.reader)
        ).all()
    reader = readers[k % len(readers)]
    task = next_tasks.next_tasks(store, project, reader, count=1)[0]
    work = submit_read.Work(
        {"grade": str(k % 5)}, {"cannot_be_read": False, "ask_a_senior": False}, "", 5.0
    )
    submit_read.submit_read(
        store, task.id, reader, read_id=str(uuid4()), base_revision=0, work=work
    )
    begin = perf_counter()
    watch.catch_up(store)
    return 1000 * (perf_counter() - begin)


def _count_rows(store: Store, project: str) -> None:
    """The figures of an overview from the rows themselves."""
    with store.reading() as connection:
        for query in (
            sa.select(t.tasks.c.reader, t.tasks.c.state, sa.func.count())
            .where(t.tasks.c.project == project)
            .group_by(t.tasks.c.reader, t.tasks.c.state),
            sa.select(t.reads.c.reader, sa.func.count(), sa.func.sum(t.reads.c.seconds))
            .where(t.reads.c.project == project)
            .group_by(t.reads.c.reader),
        ):
            connection.execute(query).all()


async def asked(port: int, made: Large) -> dict[str, float]:
    """Milliseconds of every page and route that asks for the project, a case or a reader."""
    lead, reader = Person(port, made.lead), Person(port, made.readers[0])
    await lead.log_in(PASSWORD)
    await reader.log_in(PASSWORD)
    told: dict[str, float] = {}
    for route in ROUTES:
        path = route.path
        for name, key in (
            ("{project}", made.project),
            ("{case}", made.first_case),
            ("{reader}", made.first_reader),
            ("{number}", "0"),
        ):
            path = path.replace(name, key)
        if route.method != "GET" or "{" in path or not _is_page(path):
            continue
        who = lead if "lead" in route.roles else reader
        took = [await _took(who, path) for _ in range(6)]
        if None in took:
            continue  # what is not made yet, as the result of a check
        first, *rest = (one or 0.0 for one in took)
        told[route.path] = round(median(rest), 1)
        print(f"  {route.path:45s} {told[route.path]:8.1f} ms, first {first:8.1f} ms", flush=True)
    return told


async def _took(who: Person, path: str) -> float | None:
    begin = perf_counter()
    reply = await who.ask("GET", path)
    if reply.status not in {200, 404}:
        raise SystemExit(f"{path}: {reply.status}")
    return 1000 * (perf_counter() - begin) if reply.status == 200 else None


def _is_page(path: str) -> bool:
    return "/projects" in path or "/cases/" in path or path in {"/home", "/people"}


def _milliseconds(work: Any, repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        begin = perf_counter()
        work()
        best = min(best, perf_counter() - begin)
    return 1000 * best


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
