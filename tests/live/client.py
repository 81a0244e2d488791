"""A lean HTTP client on asyncio streams, so that the load is not what is measured.

A request is one write, an answer is parsed by hand (status, length, body): some 0.1 ms of
processor time, where a client library takes ten times that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass
class Reply:
    """What came back; ``value`` is its JSON."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def value(self) -> Any:
        return json.loads(self.body)


@dataclass
class Person:
    """A browser of somebody: one connection kept open, a cookie, a CSRF token."""

    port: int
    email: str
    cookie: str = ""
    csrf: str = ""
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def log_in(self, password: str) -> None:
        reply = await self.ask("POST", "/api/login", {"email": self.email, "password": password})
        if reply.status != 200:
            raise RuntimeError(f"log-in of a reader: {reply.status}")
        self.cookie = reply.headers["set-cookie"].split(";")[0]
        self.csrf = reply.value["csrf"]

    async def ask(self, method: str, path: str, value: Any = None) -> Reply:
        """Send JSON; as of :meth:`send`."""
        body = b"" if value is None else json.dumps(value).encode()
        return await self.send(method, path, body, "application/json")

    async def send(self, method: str, path: str, body: bytes, kind: str) -> Reply:
        """Send a request and wait for all of the answer.

        Raises:
            ConnectionError: the server went away before it had answered.
        """
        head = (
            f"{method} {quote(path, safe='/?=&%')} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Cookie: {self.cookie}\r\nX-CSRF-Token: {self.csrf}\r\n"
            f"Content-Type: {kind}\r\nAccept-Encoding: gzip\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            reader, writer = await self._connected()
            writer.write(head.encode() + body)
            return await _reply(reader)
        except (OSError, EOFError) as error:
            self.hang_up()
            raise ConnectionError("the server went away") from error

    def hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def leave(self) -> None:
        """Close the connection and see it closed."""
        if self._streams is not None:
            _, writer = self._streams
            self.hang_up()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():  # closed when idle
            self.hang_up()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        return self._streams


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    if "set-cookie" in headers:  # the cookie keeps its capitals
        line = next(line for line in head if line.lower().startswith("set-cookie"))
        headers["set-cookie"] = line.split(": ", 1)[1]
    if headers.get("transfer-encoding") == "chunked":
        return Reply(status, await _chunks(reader), headers)
    return Reply(status, await reader.readexactly(int(headers.get("content-length", 0))), headers)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readexactly(2)
    return b"".join(parts)
