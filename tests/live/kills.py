"""Kill the server, or its database, again and again under readers who work; then look."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overread.store import (
    Store,
    find_user,
    get_draft,
    get_read,
    head,
    open_store,
    read_events,
    reads_of_project,
    rebuild,
    state_digests,
    verify,
)
from tests.live.server import Server
from tests.live.study import PASSWORD, Study

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """What was acknowledged and what became of it."""

    kills: int
    acknowledged: int
    lost: int
    changed: int
    duplicates: int
    drafts: int
    drafts_lost: int
    resent: int
    busy: int
    skipped: int
    chain_sound: bool
    rebuilt_equal: bool
    wrong: tuple[str, ...]


def storm(
    server: Server, study: Study, kill: Callable[[], None], *, kills: int, seed: int
) -> dict[str, Any]:
    """Let all readers work while ``kill`` is done so many times; what they were told."""
    settings = {
        "port": server.port,
        "project": study.project,
        "readers": study.readers,
        "password": PASSWORD,
        "seed": seed,
    }
    command = [sys.executable, "-m", "tests.live.storm", json.dumps(settings)]
    chance = random.Random(seed)
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as readers:
        assert readers.stdin is not None
        assert readers.stdout is not None
        assert readers.stdout.readline() == "ready\n"
        for _ in range(kills):
            for _ in range(chance.randrange(1, 40)):  # in the thick of it, not at the start
                assert readers.stdout.readline() == "kept\n"
            time.sleep(chance.uniform(0, 0.05))
            kill()
        readers.stdin.close()
        told: dict[str, Any] = json.loads(readers.stdout.read().splitlines()[-1])
    return told


def kill_server(server: Server) -> Callable[[], None]:
    """Kill -9, start again, wait until it listens."""

    def kill() -> None:
        server.kill()
        server.start()
        server.wait()

    return kill


def outcome(url: str, study: Study, told: dict[str, Any], empty: Path, *, kills: int) -> Outcome:
    """Hold what readers were told against the store."""
    store, replayed = open_store(url), open_store(empty, sync=False)
    try:
        columns = reads_of_project(store, study.project, "grade", latest=False)
        places = list(zip(columns.task, columns.reader, columns.revision, strict=True))
        kept = dict(zip(columns.read, columns.value, strict=True))
        drafts = told["drafts"]
        rebuild(read_events(store), replayed)
        return Outcome(
            kills=kills,
            acknowledged=len(told["reads"]),
            lost=sum(key not in kept for key in told["reads"]),
            changed=sum(not _same(store, key, read) for key, read in told["reads"].items()),
            duplicates=len(columns.read) - len(set(columns.read)) + len(places) - len(set(places)),
            drafts=len(drafts),
            drafts_lost=sum(not _draft_there(store, *one) for one in drafts.items()),
            resent=told["resent"],
            busy=told["busy"],
            skipped=told["skipped"],
            chain_sound=verify(store, head(store)).sound,
            rebuilt_equal=state_digests(replayed) == state_digests(store),
            wrong=tuple(told["wrong"]),
        )
    finally:
        store.close()
        replayed.close()


def _same(store: Store, key: str, read: list[Any]) -> bool:
    task, email, revision, grade = read
    there = get_read(store, key)
    return (there.task, there.reader, there.revision, there.answer) == (
        task,
        _id(store, email),
        revision,
        {"grade": grade},
    )


def _draft_there(store: Store, task: str, draft: list[str]) -> bool:
    email, comment = draft
    there = get_draft(store, task, _id(store, email))
    return there is not None and there.comment == comment


def _id(store: Store, email: str) -> str:
    found = find_user(store, email)
    assert found is not None
    return found[0].id
