"""A real server in a process of its own, and a wire to it that can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from overread.client import Client, Person, connect
from overread.protocol import template
from tests.live.people import set_up_link
from tests.live.server import Server, running_server

PASSWORD = "a long enough password"


@dataclass
class Study:
    """A server with a lead signed in and one project."""

    server: Server
    folder: Path
    lead: Client
    person: Person
    project: str = ""
    readers: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def reader(self, name: str) -> Client:
        """Invite somebody, let them in and let them read."""
        link = self.lead.invite(f"{name}@example.org").link
        client = connect(self.address)
        self.readers.append(client.join(link, name.title(), PASSWORD).id)
        self.lead.set_readers(self.project, self.readers)
        return client


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    folder = tmp_path_factory.mktemp("client")
    with running_server(folder / "home") as server:
        link = set_up_link(server)
        with connect(link.split("/set-up/")[0]) as lead:
            person = lead.join(link, "Ada Admin", PASSWORD, email="ada@example.org")
            made = Study(server, folder, lead, person)
            made.project = lead.create_project("Fractures", template("fracture-boxes"))
            yield made


@dataclass
class Wire:
    """A port that leads to the server; the next ``lost`` answers never come back."""

    port: int
    lost: int = 0
    seen: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Hand every request on over a connection of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listening.getsockname()[1])
    going = threading.Event()

    def serve() -> None:
        while not going.is_set():
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=hand_on, args=(near,), daemon=True).start()

    def hand_on(near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            near.settimeout(10)
            request = b""
            while b"\r\n\r\n" not in request:
                request += near.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            length = next(
                (int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length")), 0
            )
            while len(body) < length:
                body += near.recv(65536)
            kept = [x for x in lines if not x.lower().startswith(("connection", "host"))]
            head = "\r\n".join([*kept, f"Host: 127.0.0.1:{port}", "Connection: close"]).encode(
                "latin-1"
            )
            far.sendall(head + b"\r\n\r\n" + body)
            wire.seen.append(lines[0])
            answer = b""
            while chunk := far.recv(65536):
                answer += chunk
            if wire.lost:  # it was done; nobody hears of it
                wire.lost -= 1
                return
            near.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        going.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
