"""Processes that work on one store at once, and are killed or starved at it.

A script of its own (``python -m tests.store.workers ACTION URL PROJECT READER...``), so that the
children are forked from a process without threads. The last line it prints is JSON. Tests and
benchmarks use it.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from overread.store import (
    FullError,
    Store,
    Submission,
    claim,
    open_blobs,
    open_store,
    submit_read,
    verify,
)

ROOT = Path(__file__).parents[2]


def run(action: str, url: str, project: str, *readers: str, **settings: object) -> Any:
    """Run an action in a process of its own and return what it tells."""
    command = [sys.executable, "-m", "tests.store.workers", action, url, project, *readers]
    command.append(json.dumps(settings))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def forked(work: Callable[[], Any]) -> tuple[int, int]:
    """Start a child that writes what ``work`` returns, as JSON, to the pipe that is returned."""
    receive, send = os.pipe()
    child = os.fork()
    if child:
        os.close(send)
        return child, receive
    code = 1
    try:
        os.close(receive)
        with os.fdopen(send, "w") as out:
            json.dump(work(), out)
        code = 0
    finally:
        os._exit(code)


def everything(pipe: int) -> str:
    with os.fdopen(pipe) as lines:
        return lines.read()


def in_children(works: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once, each in a child; what they return, in order."""
    children = [forked(work) for work in works]
    told = [everything(pipe) for _, pipe in children]
    for child, _ in children:
        if os.waitpid(child, 0)[1]:
            raise RuntimeError("a child failed")
    return [json.loads(text) for text in told]


def claiming(url: str, project: str, readers: list[str], *, sync: bool) -> dict[str, Any]:
    """Each reader claims and submits until nothing is left."""

    def one(reader: str) -> dict[str, list[Any]]:
        store = open_store(url, sync=sync)
        told: dict[str, list[Any]] = {"tasks": [], "claim": [], "submit": []}
        while True:
            start = time.perf_counter()
            got = claim(store, project, reader)
            told["claim"].append(time.perf_counter() - start)
            if not got:
                return told
            start = time.perf_counter()
            submit_read(store, _read(got[0].id, reader))
            told["submit"].append(time.perf_counter() - start)
            told["tasks"].append(got[0].id)

    return {"told": in_children([partial(one, reader) for reader in readers])}


def naive(url: str, project: str, readers: list[str], *, sync: bool) -> dict[str, Any]:
    """The peer: look for an open task, then mark it, as two statements."""

    def one(reader: str) -> list[str]:
        store, mine = open_store(url, sync=sync), list[str]()
        look = sa.text("SELECT id FROM tasks WHERE project = :p AND state = 'open' LIMIT 1")
        mark = sa.text("UPDATE tasks SET state = 'claimed', reader = :r WHERE id = :t")
        while True:
            with store.engine.connect() as connection:
                task = connection.scalar(look, {"p": project})
            if task is None:
                return mine
            with store.engine.execution_options(overread_write=True).begin() as connection:
                connection.execute(mark, {"r": reader, "t": task})
            mine.append(task)

    return {"told": in_children([partial(one, reader) for reader in readers])}


def killing(url: str, project: str, readers: list[str], *, kills: int, seed: int) -> dict[str, Any]:
    """Kill -9 a process again and again while a thread of it for each reader submits.

    Returns:
        The ids of all reads that were acknowledged.
    """
    chance = random.Random(seed)
    acknowledged: list[str] = []
    for _ in range(kills):
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            os.close(receive)
            _submit_for_ever(url, project, readers, send)
        os.close(send)
        with os.fdopen(receive) as lines:
            first = lines.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            os.kill(child, signal.SIGKILL)
            told = [first, *lines]
        os.waitpid(child, 0)
        acknowledged += [line.strip() for line in told if line.endswith("\n")]
    return {"acknowledged": acknowledged}


def _submit_for_ever(url: str, project: str, readers: list[str], out: int) -> None:
    """Never returns; acknowledges each read by its id on a line."""
    store = open_store(url)

    def work(reader: str) -> None:
        revisions: dict[str, int] = {}
        while True:
            got = claim(store, project, reader, count=1)
            task = got[0].id if got else random.choice(list(revisions))
            given = _read(task, reader, base_revision=revisions.get(task, 0))
            receipt = submit_read(store, given)
            os.write(out, f"{receipt.read_id}\n".encode())
            revisions[task] = receipt.revision

    try:
        threads = [Thread(target=work, args=(reader,)) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        os._exit(1)


def starving(url: str, project: str, readers: list[str], *, blobs: str) -> dict[str, Any]:
    """Let the disk be full for this process, then let it have room again."""
    store, place = open_store(url), open_blobs(blobs)
    path = Path(store.engine.url.database or "")
    task = claim(store, project, readers[0])[0].id
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 200_000, hard))
    kept: list[str] = []
    refused = lost = ""
    while not refused:
        try:
            kept.append(submit_read(store, _long_read(store, task, readers[0], len(kept))).read_id)
        except FullError as error:
            refused = str(error)
    try:
        place.put(b"x" * (path.stat().st_size + 300_000))
    except FullError as error:
        lost = str(error)
    leftover = sorted(str(p) for p in Path(blobs).rglob("*") if p.is_file())
    sound_when_full = verify(store).sound
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    kept.append(submit_read(store, _long_read(store, task, readers[0], len(kept))).read_id)
    key = place.put(b"x" * (path.stat().st_size + 300_000))
    return {
        "kept": kept,
        "refused": refused,
        "blob_refused": lost,
        "leftover": leftover,
        "sound_when_full": sound_when_full,
        "blob_after": place.has(key),
    }


def _read(task: str, reader: str, **more: Any) -> Submission:
    settings = {"answer": {"q": "yes"}, "protocol_version": 1} | more
    return Submission(read_id=str(uuid4()), task=task, reader=reader, **settings)


def _long_read(_store: Store, task: str, reader: str, revision: int) -> Submission:
    return _read(task, reader, base_revision=revision, answer={"q": "y" * 20_000})


def main() -> None:
    """Run the action named on the command line."""
    action, url, project, *rest = sys.argv[1:]
    act = {"claim": claiming, "naive": naive, "kill": killing, "starve": starving}[action]
    print(json.dumps(act(url, project, rest[:-1], **json.loads(rest[-1]))))  # noqa: T201


if __name__ == "__main__":
    main()
