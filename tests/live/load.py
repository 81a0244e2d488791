"""Readers at work over HTTP, in a process of their own; the last line it prints is JSON.

``python -m tests.live.load SETTINGS`` (JSON: port, project, readers, password, seconds, think,
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
from typing import Any
from uuid import uuid4

from tests.live.client import Person, Reply

Times = defaultdict[str, list[float]]


def main() -> None:
    print(json.dumps(asyncio.run(_all(json.loads(sys.argv[1])))))  # noqa: T201


async def _all(settings: dict[str, Any]) -> dict[str, Any]:
    times: Times = defaultdict(list)
    people = [Person(settings["port"], email) for email in settings["readers"]]
    for start in range(0, len(people), 4):
        await asyncio.gather(
            *(one.log_in(settings["password"]) for one in people[start : start + 4])
        )
    wrong: dict[str, int] = defaultdict(int)
    cpu, wall, begin = time.process_time(), time.perf_counter(), time.perf_counter()
    warm = begin + settings["warm"]
    end = warm + settings["seconds"]
    await asyncio.gather(
        *(
            _reader(one, settings, warm, end, times, wrong, random.Random(number))
            for number, one in enumerate(people)
        )
    )
    return {
        "times": times,
        "wrong": wrong,
        "client_cpu_share": (time.process_time() - cpu) / (time.perf_counter() - wall),
        "load_average": os.getloadavg()[0],
    }


async def _reader(
    one: Person,
    settings: dict[str, Any],
    warm: float,
    end: float,
    times: Times,
    wrong: dict[str, int],
    chance: random.Random,
) -> None:
    async def timed(what: str, *request: Any) -> tuple[Reply, float]:
        start = time.perf_counter()
        reply = await one.ask(*request)
        took = time.perf_counter() - start
        if start >= warm:
            times[what].append(took)
            if reply.status != 200:
                wrong[f"{what} {reply.status}"] += 1
        return reply, took

    async def thinking(mean: float) -> None:
        if mean:
            await asyncio.sleep(chance.expovariate(1 / mean))

    strokes, think = settings["strokes"], settings["think"]
    await asyncio.sleep(chance.uniform(0, think))
    seen: set[str] = set()
    while time.perf_counter() < end:
        begin = time.perf_counter()
        where = f"/api/projects/{settings['project']}/claim"
        reply, claimed = await timed("claim", "POST", where, {"count": 2})
        tasks = reply.value["tasks"]
        if not tasks:
            raise RuntimeError("the study is read out: make it larger")
        for task in tasks:
            if settings["pictures"] and task["id"] not in seen:
                seen.add(task["id"])
                await timed("picture", "GET", task["case"]["frame_urls"][0])
        task = tasks[0]
        for version in range(strokes):
            await thinking(think / (strokes + 1))
            body = {"version": version, "answer": answer(settings["kind"], task, version, strokes)}
            await timed("draft", "PUT", f"/api/tasks/{task['id']}/draft", body)
        await thinking(think / (strokes + 1))
        body = {
            "read_id": str(uuid4()),
            "answer": answer(settings["kind"], task, strokes, strokes),
            "seconds": think,
        }
        _, sent = await timed("submit", "POST", f"/api/tasks/{task['id']}/submit", body)
        if begin >= warm:
            times["both"].append(claimed + sent)


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
