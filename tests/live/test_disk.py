"""The disk of a running server fills up, and has room again."""

from __future__ import annotations

import asyncio
import re
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

from overread.store import (
    get_read,
    head,
    open_store,
    read_events,
    rebuild,
    state_digests,
    verify,
)
from tests.live.client import Person, Reply
from tests.live.server import Server, running_server
from tests.live.study import PASSWORD, furnish
from tests.web.conftest import png


class SmallDisk:
    """No file of the server's may grow beyond what the largest has now, and a little.

    The system refuses the write as a full disk does (EFBIG for ENOSPC); unlike a small file
    system this needs no rights. What is below the limit, and reading, goes on.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    def fill(self, spare: int) -> None:
        size = (self.server.home / "overread.sqlite").stat().st_size
        self._limit(size + spare)

    def make_room(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        pid = self.server.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    study = furnish(home, cases=40, readers=1, reads_per_case=1)
    with running_server(home) as server:
        day = _day(server, study.project, study.readers[0], study.lead)
        with ThreadPoolExecutor(1) as beside:  # a browser may own this thread's loop
            acknowledged = beside.submit(asyncio.run, day).result()
    store, empty = open_store(home / "overread.sqlite"), open_store(tmp_path / "empty.db")
    for key, comment in acknowledged.items():
        assert get_read(store, key).comment == comment
    assert verify(store, head(store)).sound
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
    blobs = home / "blobs"
    assert list((blobs / "new").iterdir()) == []
    assert list((home / "uploads").iterdir()) == []
    store.close()
    empty.close()


async def _day(server: Server, project: str, email: str, lead_email: str) -> dict[str, str]:
    disk, kept = SmallDisk(server), dict[str, str]()
    reader, lead = Person(server.port, email), Person(server.port, lead_email)
    await reader.log_in(PASSWORD)
    await lead.log_in(PASSWORD)
    await _submit(reader, project, kept)
    disk.fill(20_000)
    refused = None
    while refused is None:
        body, reply = await _submit(reader, project, kept)
        refused = body if reply.status != 200 else None
    _assert_full(reply)
    claimed = (await reader.ask("GET", f"/api/projects/{project}/progress")).value
    assert claimed["done"] == len(kept)  # reading goes on
    page = await _upload(lead, project, png(1, (1_500, 1_500)))
    assert page.status == 507
    assert b"Make room on the server" in page.body
    disk.make_room()
    task, again = refused
    reply = await reader.ask("POST", f"/api/tasks/{task}/submit", again)
    assert (reply.status, reply.value["revision"]) == (200, 1)
    kept[again["read_id"]] = again["comment"]
    await _submit(reader, project, kept)
    assert (await _upload(lead, project, png(1, (1_500, 1_500)))).status == 303
    await _imported(lead, project)
    await reader.leave()
    await lead.leave()
    return kept


async def _submit(reader: Person, project: str, kept: dict[str, str]) -> tuple[Any, Reply]:
    (task,) = (await reader.ask("POST", f"/api/projects/{project}/claim", {"count": 1})).value[
        "tasks"
    ]
    body = {"read_id": str(uuid4()), "answer": {"grade": "2"}, "comment": str(uuid4()) * 100}
    reply = await reader.ask("POST", f"/api/tasks/{task['id']}/submit", body)
    if reply.status == 200:
        kept[body["read_id"]] = body["comment"]
    return (task["id"], body), reply


def _assert_full(reply: Reply) -> None:
    assert reply.status == 507
    error = reply.value["error"]
    assert (error["name"], error["got"]) == ("disk", "a full disk")
    assert "Make room" in error["remedy"]


async def _upload(lead: Person, project: str, content: bytes) -> Reply:
    parts = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{lead.csrf}\r\n'.encode()
    parts += b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
    parts += b"Content-Type: image/png\r\n\r\n" + content + b"\r\n--x--\r\n"
    return await lead.send(
        "POST", f"/projects/{project}/import", parts, "multipart/form-data; boundary=x"
    )


async def _imported(lead: Person, project: str) -> None:
    for _ in range(600):
        reply = await lead.ask("GET", f"/api/projects/{project}/imports")
        (job,) = reply.value["imports"]
        if job["done"]:
            assert job["error"] is None
            page = await lead.ask("GET", f"/projects/{project}/import")
            assert re.search(rb"1 new case", page.body)
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the import does not end")
