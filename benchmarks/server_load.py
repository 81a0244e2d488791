"""Fifty readers at one server process: how long they wait for a claim, a draft, a submission.

The real server (``overread serve``) over HTTP with sessions and CSRF, on SQLite and PostgreSQL
with every commit on disk; the readers are a process of their own beside it on the same machine.
A closed loop: claim (two cases, as the page does), fetch the picture, draw, submit, think.
``think_5s`` is a quick reader (the peers' clinicians need some 5 s a grade); ``think_0s`` is
saturation: what the server can do, where fifty who never think wait for each other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from _common import arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.live.server import running_server
from tests.live.study import PASSWORD, furnish
from tests.store.cluster import find_programs, running_cluster

_ROOT = Path(__file__).parents[1]
WORK = {
    # name: protocol, think seconds, strokes saved a case, pictures fetched
    "grade_think_5s": ("knee-grade", 5.0, 0, True),
    "mask_think_15s": ("vessel-mask", 15.0, 8, True),
    "grade_think_0s": ("knee-grade", 0.0, 0, False),
}


def main() -> None:
    """Each database, each kind of work."""
    small = arguments(__doc__).small
    only = os.environ.get("OVERREAD_BENCH_ONLY", "")
    readers, seconds, side = (6, 3.0, 128) if small else (50, 30.0, 1024)
    figures: dict[str, Any] = {"readers": readers, "picture": f"{side} x {side}, 16 bit"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        programs = find_programs()
        if programs is None:
            raise SystemExit("PostgreSQL is missing: on Debian, apt install postgresql")
        cluster = stack.enter_context(running_cluster(programs, fsync=True))
        for turn, (name, (protocol, think, strokes, pictures)) in enumerate(WORK.items()):
            kinds = ["sqlite", "postgresql"]
            if small:  # in turn
                kinds = [kinds[turn % 2]]
            for kind in kinds:
                key = f"{kind}_{name}"
                if only not in key:
                    continue
                load = {
                    "kind": "grade" if protocol == "knee-grade" else "mask",
                    "think": min(think, 0.3) if small else think,
                    "strokes": strokes,
                    "pictures": pictures,
                    "seconds": seconds,
                    "warm": 0.2 if small else 5.0,
                }
                database = cluster.new() if kind == "postgresql" else ""
                told = measure(
                    folder / key,
                    database,
                    load,
                    protocol=protocol,
                    readers=readers,
                    side=side,
                )
                print(key, json.dumps(told), flush=True)
                figures |= {f"{key}_{what}": value for what, value in told.items()}
    finish(figures)


def measure(
    home: Path, database: str, load: dict[str, Any], *, protocol: str, readers: int, side: int
) -> dict[str, Any]:
    """Milliseconds that readers waited, and how busy server and client were."""
    cases = 300 if load["seconds"] < 5 else 4_000
    study = furnish(
        home,
        database=database,
        protocol=protocol,
        cases=cases,
        readers=readers,
        reads_per_case=6,
        side=side,
    )
    with running_server(home, database=database) as server:
        settings = load | {
            "port": server.port,
            "pid": server.process.pid,
            "project": study.project,
            "readers": study.readers,
            "password": PASSWORD,
        }
        command = [sys.executable, "-m", "tests.live.load", json.dumps(settings)]
        done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
    if told["wrong"]:
        raise SystemExit(f"answers other than 200: {told['wrong']}")
    found: dict[str, Any] = {}
    for what, seconds in told["times"].items():
        p50, p95, p99 = np.percentile(np.multiply(seconds, 1000), [50, 95, 99])
        found[f"{what}_ms"] = {
            "p50": round(p50, 1), "p95": round(p95, 1), "p99": round(p99, 1), "n": len(seconds),
        }  # fmt: skip
    found["reads_per_second"] = round(len(told["times"]["submit"]) / load["seconds"], 1)
    cpu = told["server_cpu_seconds"]
    found["server_cpu_share"] = round(cpu / load["seconds"], 2)
    found["server_cpu_ms_a_read"] = round(1000 * cpu / max(1, len(told["times"]["submit"])), 1)
    found["client_cpu_share"] = round(told["client_cpu_share"], 2)
    found["load_average"] = round(told["load_average"], 1)
    return found


if __name__ == "__main__":
    main()
