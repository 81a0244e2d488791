"""Run the web application in this process."""

from __future__ import annotations

import gc
import ipaddress
import logging
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from overread.errors import InputError

_TURN_SECONDS = 0.0005
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 5
_COLLECT_EVERY = (50_000, 20, 50)


def serve(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    beyond: bool = False,
    proxies: str = "",
) -> None:
    """Serve until interrupted.

    Args:
        app: of :func:`create_app`.
        host: address to listen on; the loopback alone unless ``beyond``.
        port: 0 takes any that is free.
        beyond: the caller knows that other machines can reach it (and has https before it).
        proxies: addresses of proxies whose X-Forwarded-For is believed, with commas between.
    Raises:
        InputError: an address beyond this machine without ``beyond``; a port in use.
    """
    if not beyond and not _is_loopback(host):
        remedy = "Put a proxy with https before it, or say that it may be reached from elsewhere."
        raise InputError("host", "be of this machine (127.0.0.1)", host, remedy=remedy)
    with listen(host, port) as listening:
        uvicorn.Server(_settings(app, proxies=proxies)).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Take the port: before long work, so that it ends before it begins where the port is taken.

    Args:
        port: 0 takes any that is free.
    Raises:
        InputError: the port is in use, or not for us.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror or "not to be had"
        remedy = "Give another by --port (with make: PORT=8400), or stop what listens there."
        raise InputError("--port", "be free", f"{port} ({why.lower()})", remedy=remedy) from error
    # What it accepts inherits this. asyncio sets it only on sockets that say they are TCP, which
    # those of create_server do not: a body then waits 40 ms for its header's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@contextmanager
def in_background(app: ASGIApp, listening: socket.socket) -> Generator[None]:
    """Serve from a thread until the end of the block; it begins when the server answers."""
    server = uvicorn.Server(_settings(app, patience=_PATIENCE_SECONDS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            thread.join(_LOOK_SECONDS)
        yield
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_SECONDS)


def _settings(app: ASGIApp, *, proxies: str = "", patience: int | None = None) -> uvicorn.Config:
    # uvicorn's own log of requests would hold whole addresses; ours holds the route alone
    logging.getLogger("overread.web").setLevel(logging.INFO)
    # A thread gives Python's one lock away at each statement to the database and then waits until
    # a busy thread's turn is over: at the usual 5 ms a claim of ten statements would take 50 ms.
    sys.setswitchinterval(_TURN_SECONDS)
    # Python looks through all that it holds for dead circles after some thousand new lists, of
    # which one painted mask has more: 40 ms and longer in which nobody is answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_EVERY)
    return uvicorn.Config(
        app,
        access_log=False,
        server_header=False,
        date_header=True,
        log_level="warning",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=patience,
        ws="none",
        lifespan="off",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
