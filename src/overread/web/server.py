"""Run the web application in this process."""

from __future__ import annotations

import ipaddress
import logging
import sys

import uvicorn
from starlette.types import ASGIApp

from overread.errors import InputError

_TURN_SECONDS = 0.0005


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
        InputError: an address beyond this machine without ``beyond``.
    """
    if not beyond and not _is_loopback(host):
        remedy = "Put a proxy with https before it, or say that it may be reached from elsewhere."
        raise InputError("host", "be of this machine (127.0.0.1)", host, remedy=remedy)
    # uvicorn's own log of requests would hold whole addresses; ours holds the route alone
    logging.getLogger("overread.web").setLevel(logging.INFO)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        date_header=True,
        log_level="warning",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        timeout_keep_alive=30,
        ws="none",
        lifespan="off",
    )
    # A thread gives Python's one lock away at each statement to the database and then waits until
    # a busy thread's turn is over: at the usual 5 ms a claim of ten statements would take 50 ms.
    sys.setswitchinterval(_TURN_SECONDS)
    uvicorn.Server(config).run()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
