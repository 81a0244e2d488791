"""Readers who submit, draft, skip and correct while the server is killed; nothing may be lost.

``python -m tests.live.storm SETTINGS`` (JSON: port, project, readers, password, seed) works until
its standard input ends, whatever dies meanwhile. It prints "ready", a line for each read that was
acknowledged, and at the end as JSON what the server said.
A request that the server did not answer is sent again with the same ids, as the page does.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.live.client import Person, Reply

_PAUSE = 0.1


@dataclass
class Told:
    """What was acknowledged, and answers that should not be."""

    reads: dict[str, list[Any]] = field(default_factory=dict)
    drafts: dict[str, list[Any]] = field(default_factory=dict)
    skipped: int = 0
    resent: int = 0
    busy: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    print(json.dumps(vars(asyncio.run(_all(json.loads(sys.argv[1]))))))  # noqa: T201


async def _all(settings: dict[str, Any]) -> Told:
    people = [Person(settings["port"], email) for email in settings["readers"]]
    await asyncio.gather(*(one.log_in(settings["password"]) for one in people))
    print("ready", flush=True)  # noqa: T201
    told, over = Told(), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, over.set)
    readers = (
        Reader(one, settings["project"], told, over, random.Random(settings["seed"] + n))
        for n, one in enumerate(people)
    )
    await asyncio.gather(*(_work(one) for one in readers))
    return told


@dataclass
class Reader:
    """One reader in the storm. Args: mine: (task, revision) of what they submitted."""

    one: Person
    project: str
    told: Told
    over: asyncio.Event
    chance: random.Random
    mine: list[tuple[str, int]] = field(default_factory=list)


async def _sure(reader: Reader, *request: Any) -> Reply | None:
    """Send until there is an answer; None where the end came before it."""
    told, over = reader.told, reader.over
    while True:
        try:
            reply = await reader.one.ask(*request)
        except ConnectionError:
            if over.is_set():
                return None
            told.resent += 1
        else:
            if reply.status != 503:
                return reply
            told.busy += 1
            if over.is_set():
                return None
        await asyncio.sleep(_PAUSE)


async def _work(reader: Reader) -> None:
    told, chance = reader.told, reader.chance
    while not reader.over.is_set():
        where = f"/api/projects/{reader.project}/claim"
        reply = await _sure(reader, "POST", where, {"count": 2})
        if reply is None or _wrong(told, "claim", reply):
            return
        tasks = reply.value["tasks"]
        if not tasks:
            told.wrong.append("the study is read out: make it larger")
            return
        task = chance.choice(tasks)["id"]
        what = chance.random()
        if what < 0.15 and reader.mine:
            await _correct(reader)
        elif what < 0.2:
            reply = await _sure(reader, "POST", f"/api/tasks/{task}/skip", {"reason": "x"})
            # 409: it was skipped already, and the answer died with the server
            if reply is None or (reply.status != 409 and _wrong(told, "skip", reply)):
                return
            told.skipped += 1
        else:
            await _draft_and_submit(reader, task)


async def _draft_and_submit(reader: Reader, task: str) -> None:
    told, chance = reader.told, reader.chance
    if chance.random() < 0.5:
        draft = {"version": 0, "answer": {"grade": "1"}, "comment": str(uuid4()), "seconds": 1}
        reply = await _sure(reader, "PUT", f"/api/tasks/{task}/draft", draft)
        # 409: a draft was left there before
        if reply is None or (reply.status != 409 and _wrong(told, "draft", reply)):
            return
        if reply.status == 200:
            told.drafts[task] = [reader.one.email, draft["comment"]]
    if chance.random() < 0.15:
        return  # left with its draft
    told.drafts.pop(task, None)  # the submission ends it, acknowledged or not
    receipt = await _submit(reader, task, 0)
    if receipt is not None:
        reader.mine.append((task, receipt["revision"]))


async def _correct(reader: Reader) -> None:
    at = reader.chance.randrange(len(reader.mine))
    task, revision = reader.mine[at]
    receipt = await _submit(reader, task, revision)
    if receipt is not None:
        reader.mine[at] = (task, receipt["revision"])


async def _submit(reader: Reader, task: str, base: int) -> dict[str, Any] | None:
    grade = str(reader.chance.randrange(5))
    body = {"read_id": str(uuid4()), "answer": {"grade": grade}, "base_revision": base}
    reply = await _sure(reader, "POST", f"/api/tasks/{task}/submit", body)
    if reply is None or _wrong(reader.told, "submit", reply):
        return None
    receipt: dict[str, Any] = reply.value
    read = [task, reader.one.email, receipt["revision"], grade]
    reader.told.reads[body["read_id"]] = read
    print("kept", flush=True)  # noqa: T201
    return receipt


def _wrong(told: Told, what: str, reply: Reply) -> bool:
    if reply.status == 200:
        return False
    told.wrong.append(f"{what} {reply.status} {reply.body[:200]!r}")
    return True


if __name__ == "__main__":
    main()
