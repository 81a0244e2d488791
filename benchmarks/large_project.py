"""100,000 cases and 200,000 reads in one project: how long every page and route of it takes.

Asked of the real server over HTTP, one request at a time, as a lead and as a reader; the store is
filled in bulk with the events and rows that ordinary work makes. Seconds are the median of five
(a cold first one is told apart); exports are timed once, from the wish to the end of the file.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from _common import arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.live.client import Person
from tests.live.large import Large, fill
from tests.live.server import running_server
from tests.live.study import PASSWORD, radiograph
from tests.store.cluster import find_programs, running_cluster

from overread.app.study.home import open_home
from overread.images import pack_frame

_SLOW = 0.5  # seconds: a page that takes longer is told


def main() -> None:
    """Fill and ask, on either database."""
    small = arguments(__doc__).small
    only = os.environ.get("OVERREAD_BENCH_ONLY", "")
    cases = 300 if small else 100_000
    figures: dict[str, Any] = {"cases": cases}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # small: million_reads has the other database
        for name in ("sqlite",) if small else ("sqlite", "postgresql"):
            if only not in name:
                continue
            database = _new_database(stack) if name == "postgresql" else ""
            begin = perf_counter()
            made = filled(folder / name, database, cases)
            print(f"{name}: filled in {perf_counter() - begin:.0f} s", flush=True)
            with running_server(folder / name, database=database) as server:
                told = asyncio.run(asked(server.port, made, cases))
            slow = {what: took for what, took in told.items() if took > 1000 * _SLOW}
            figures |= {f"{name}_{what}_ms": took for what, took in told.items()}
            figures[f"{name}_slow"] = sorted(slow)
            figures["reads"] = made.reads
        figures["load_average"] = round(os.getloadavg()[0], 1)
    finish(figures)


def _new_database(stack: ExitStack) -> str:
    programs = find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is missing: on Debian, apt install postgresql")
    return stack.enter_context(running_cluster(programs, fsync=True)).new()


def filled(home: Path, database: str, cases: int, *, readers: int = 20) -> Large:
    """A home with the project in it."""
    opened = open_home(home, database=database)
    try:
        blob = opened.blobs.put(pack_frame(radiograph(64, seed=1)))
        return fill(opened.store, cases=cases, readers=readers, blob=blob)
    finally:
        opened.store.close()


async def asked(port: int, made: Large, cases: int) -> dict[str, float]:
    """Milliseconds of each page and route."""
    lead, reader = Person(port, made.lead), Person(port, made.readers[0])
    await lead.log_in(PASSWORD)
    await reader.log_in(PASSWORD)
    pages, api, last = f"/projects/{made.project}", f"/api/projects/{made.project}", cases - 50
    routes = {
        "home": (lead, "GET", "/home"),
        "projects": (lead, "GET", "/projects"),
        "overview": (lead, "GET", pages),
        "cases_first": (lead, "GET", f"{pages}/cases"),
        "cases_last": (lead, "GET", f"{pages}/cases?after={last}"),
        "cases_by_name": (lead, "GET", f"{pages}/cases?q=case 0999"),
        "cases_by_no_name": (lead, "GET", f"{pages}/cases?q=nothing is called so"),
        "case_read_out": (lead, "GET", f"/cases/{made.first_case}"),
        "case_untouched": (lead, "GET", f"/cases/{made.last_case}"),
        "protocol": (lead, "GET", f"{pages}/protocol"),
        "import": (lead, "GET", f"{pages}/import"),
        "members": (lead, "GET", f"{pages}/members"),
        "export_page": (lead, "GET", f"{pages}/export"),
        "people": (lead, "GET", "/people"),
        "api_projects": (lead, "GET", "/api/projects"),
        "api_cases_first": (lead, "GET", f"{api}/cases"),
        "api_cases_last": (lead, "GET", f"{api}/cases?after={last}"),
        "api_case_reads": (lead, "GET", f"/api/cases/{made.first_case}/reads"),
        "api_case_consensus": (lead, "GET", f"/api/cases/{made.first_case}/consensus"),
        "api_imports": (lead, "GET", f"{api}/imports"),
        "reader_home": (reader, "GET", "/home"),
        "reader_projects": (reader, "GET", "/api/projects"),
        "reader_progress": (reader, "GET", f"{api}/progress"),
        "reader_own_reads": (reader, "GET", f"{api}/reads/mine"),
        "reader_claim": (reader, "POST", f"{api}/claim", {"count": 2}),
    }
    told: dict[str, float] = {}
    for what, (who, *request) in routes.items():
        first, *rest = [await _ask(who, *request) for _ in range(6)]
        told[what], told[f"{what}_first"] = median(rest), first
        print(f"  {what:20s} {told[what]:8.1f} ms, first {first:8.1f} ms", flush=True)
    for what, format_ in (("reads", "csv"), ("consensus", "csv"), ("reads", "parquet")):
        took = await _exported(lead, f"{api}/exports", what, format_)
        print(f"  export {what} {format_} {took:8.1f} ms", flush=True)
        told[f"export_{what}_{format_}"] = took
    return told


async def _exported(who: Person, exports: str, what: str, format_: str) -> float:
    """Milliseconds until the file of an export is here; the server works meanwhile."""
    begin, key = perf_counter(), str(uuid4())
    reply = await who.ask(
        "POST", exports, {"export_id": key, "what": what, "format": format_, "questions": []}
    )
    while reply.status in {200, 202} and not reply.value["done"]:
        await asyncio.sleep(0.2)
        reply = await who.ask("GET", f"{exports}/{key}")
    if reply.status not in {200, 202} or reply.value["file"] is None:
        raise SystemExit(f"export of {what} as {format_}: {reply.body.decode()}")
    await _ask(who, "GET", f"{exports}/{key}/file")
    return round(1000 * (perf_counter() - begin), 1)


async def _ask(who: Person, method: str, path: str, value: Any = None) -> float:
    begin = perf_counter()
    reply = await who.ask(method, path.replace(" ", "%20"), value)
    if reply.status != 200:
        raise SystemExit(f"{path.partition('?')[0]}: {reply.status}")
    return round(1000 * (perf_counter() - begin), 1)


if __name__ == "__main__":
    main()
