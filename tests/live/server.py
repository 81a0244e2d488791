"""``overread serve`` as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_WAIT_SECONDS = 120  # a busy machine is no fault
_FIND_COMMAND = "import sys; from overread.cli.main import main; sys.exit(main())"


@dataclass
class Server:
    """A server that can be killed and started again at the same port."""

    home: Path
    database: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    def kill(self) -> None:
        """Kill -9: nothing is tidied up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def start(self) -> None:
        self.process = _started(self.home, self.database, self.port, self.log)

    def wait(self) -> None:
        """Wait until it listens."""
        end = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.02)
        raise RuntimeError("the server does not come up")


@contextmanager
def running_server(home: Path, *, database: str = "") -> Iterator[Server]:
    """Serve a home until the end of the block."""
    port = free_port()
    log = home.with_suffix(".log")
    server = Server(home, database, port, _started(home, database, port, log))
    try:
        server.wait()
        yield server
    finally:
        server.process.send_signal(signal.SIGINT)
        try:
            server.process.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, all threads."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _started(home: Path, database: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _FIND_COMMAND, "serve", "--home", str(home)]
    command += ["--port", str(port)]
    if database:
        command += ["--database", database]
    with log.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
