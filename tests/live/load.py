"""Readers at work over HTTP, in a process of their own; the last line it prints is JSON.

``python -m tests.live.load SETTINGS`` (JSON: port, pid, project, readers, password, seconds, think,
kind, strokes, pictures). A closed loop: each reader claims the next case, fetches its picture,
draws (a draft saved after each stroke), submits, and thinks in between, for a time that is
exponentially distributed. Claims ask for two cases, as the reading page does: the next case is
there before it is wanted.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.live.client import Person, Reply
from tests.live.server import cpu_seconds


@dataclass
class Clocked:
    """What is noted between the end of the warming up and the end."""

    warm: float
    end: float
    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def counts(self, start: float) -> bool:
        return self.warm <= start < self.end

    async def ask(self, one: Person, what: str, *request: Any) -> tuple[Reply, float]:
        start = time.perf_counter()
        reply = await one.ask(*request)
        took = time.perf_counter() - start
        if self.counts(start):
            self.times[what].append(took)
            if reply.status != 200:
                self.wrong[f"{what} {reply.status}"] += 1
        return reply, took


def main() -> None:
    print(json.dumps(asyncio.run(_all(json.loads(sys.argv[1])))))  # noqa: T201


async def _all(settings: dict[str, Any]) -> dict[str, Any]:
    people = [Person(settings["port"], email) for email in settings["readers"]]
    for at in range(0, len(people), 4):
        few = people[at : at + 4]
        await asyncio.gather(*(one.log_in(settings["password"]) for one in few))
    cpu, begin = time.process_time(), time.perf_counter()
    warm = begin + settings["warm"]
    clocked = Clocked(warm, warm + settings["seconds"])
    spent = asyncio.create_task(_spent(settings["pid"], settings["warm"], settings["seconds"]))
    readers = (_reader(one, settings, clocked, random.Random(n)) for n, one in enumerate(people))
    await asyncio.gather(*readers)
    return {
        "times": clocked.times,
        "wrong": clocked.wrong,
        "server_cpu_seconds": await spent,
        "client_cpu_share": (time.process_time() - cpu) / (time.perf_counter() - begin),
        "load_average": os.getloadavg()[0],
    }


async def _spent(pid: int, warm: float, seconds: float) -> float:
    """Processor time of the server while it is measured."""
    await asyncio.sleep(warm)
    before = cpu_seconds(pid)
    await asyncio.sleep(seconds)
    return cpu_seconds(pid) - before


async def _reader(
    one: Person, settings: dict[str, Any], clocked: Clocked, chance: random.Random
) -> None:
    await asyncio.sleep(chance.uniform(0, settings["think"]))
    where, seen = f"/api/projects/{settings['project']}/claim", set[str]()
    while (begin := time.perf_counter()) < clocked.end:
        reply, claimed = await clocked.ask(one, "claim", "POST", where, {"count": 2})
        tasks = reply.value["tasks"]
        if not tasks:
            raise RuntimeError("the study is read out: make it larger")
        for task in tasks:
            if settings["pictures"] and task["id"] not in seen:
                seen.add(task["id"])
                await clocked.ask(one, "picture", "GET", task["case"]["frame_urls"][0])
        sent = await _read(one, tasks[0], settings, clocked, chance)
        if clocked.counts(begin):
            clocked.times["both"].append(claimed + sent)


async def _read(
    one: Person, task: Any, settings: dict[str, Any], clocked: Clocked, chance: random.Random
) -> float:
    """Draw, save and submit; tell how long the submission took."""
    kind, strokes, path = settings["kind"], settings["strokes"], f"/api/tasks/{task['id']}"
    pause = settings["think"] / (strokes + 1)
    for version in range(strokes + 1):
        if pause:
            await asyncio.sleep(chance.expovariate(1 / pause))
        if version < strokes:
            body = {"version": version, "answer": answer(kind, task, version, strokes)}
            await clocked.ask(one, "draft", "PUT", f"{path}/draft", body)
    body = {"read_id": str(uuid4()), "answer": answer(kind, task, strokes, strokes)}
    _, took = await clocked.ask(one, "submit", "POST", f"{path}/submit", body)
    return took


def answer(kind: str, task: Any, stroke: int, strokes: int) -> dict[str, Any]:
    """A grade, or a mask that grows with each stroke (four painted runs a row)."""
    if kind == "grade":
        return {"grade": str(stroke % 5)}
    rows, columns = task["case"]["rows"], task["case"]["columns"]
    painted = rows * (stroke + 1) // (strokes + 1)
    row = [[0, columns // 8], [1, columns // 8], [0, columns // 4], [2, columns // 8]]
    row += [[0, columns - sum(length for _, length in row)]]
    runs = row * painted
    if painted < rows:
        runs = [*runs[:-1], [0, runs[-1][1] + (rows - painted) * columns]]
    joined: list[list[int]] = []
    for code, length in runs:
        if joined and joined[-1][0] == code:
            joined[-1] = [code, joined[-1][1] + length]
        else:
            joined.append([code, length])
    return {"vessels": [{"frame": 0, "rows": rows, "columns": columns, "runs": joined}]}


if __name__ == "__main__":
    main()
