"""Requests to one server: its session, its CSRF token, tries again where that is safe."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from overread.client.errors import UnreachableError, refusal
from overread.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import httpx

_LATER = frozenset({502, 503, 504})


class Connection:
    """One server, one session.

    Args:
        address: "https://reads.example".
        tries: of a request that may be sent again; waits grow from 0.2 s, with chance in them.
        patience: seconds that one request may take.
        sleep: waits; for tests.
    Raises:
        InputError: an address without http:// or https://.
        MissingExtraError: httpx is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        tries: int = 6,
        patience: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise InputError("address", "begin with http:// or https://", repr(address[:60]))
        self._httpx = _httpx()
        self._client = self._httpx.Client(base_url=address.rstrip("/"), timeout=patience)
        self._tries = max(tries, 1)
        self._sleep = sleep
        self._csrf = ""

    def close(self) -> None:
        """Let go of the connections; the session stays open at the server."""
        self._client.close()

    def signed_in(self, told: Mapping[str, Any]) -> None:
        """Take the session's token of an answer that has it."""
        self._csrf = str(told["csrf"])

    def get(self, path: str, **query: Any) -> Any:
        """Ask for JSON."""
        return self._json("GET", path, params=query)

    def send(self, method: str, path: str, value: Any = None, *, again: bool) -> Any:
        """Send JSON and get JSON.

        Args:
            again: the same request twice does it once, so that a lost answer is asked for again.
        """
        return self._json(method, path, json={} if value is None else value, again=again)

    def put_bytes(self, path: str, content: Callable[[], Iterator[bytes]], size: int) -> Any:
        """Send bytes; ``content`` gives them from the start at each try."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        return self._json("PUT", path, content=content, headers=headers)

    def bytes_of(self, path: str) -> bytes:
        """Ask for bytes, all at once."""
        return self._asked("GET", path).content

    @contextmanager
    def stream(self, path: str) -> Generator[Iterator[bytes]]:
        """Ask for bytes, piece by piece."""
        try:
            with self._client.stream("GET", path) as reply:
                if reply.status_code >= 400:
                    reply.read()
                    raise refusal(reply.status_code, _body(reply))
                yield reply.iter_bytes(1 << 20)
        except self._httpx.TransportError as error:
            raise UnreachableError(0, "the server cannot be reached") from error

    def _json(self, method: str, path: str, **what: Any) -> Any:
        return self._asked(method, path, **what).json()

    def _asked(self, method: str, path: str, *, again: bool = True, **what: Any) -> httpx.Response:
        reply = self._tried(method, path, again=again, **what)
        if reply.status_code == 403 and method != "GET" and self._csrf:
            # a sign-in elsewhere in this session gives a new token; ask for it, try once more
            told = self._tried("GET", "/api/me", again=True)
            if told.status_code == 200 and told.json()["csrf"] != self._csrf:
                self.signed_in(told.json())
                reply = self._tried(method, path, again=again, **what)
        if reply.status_code >= 400:
            raise refusal(reply.status_code, _body(reply))
        return reply

    def _tried(self, method: str, path: str, *, again: bool, **what: Any) -> httpx.Response:
        content = what.pop("content", None)
        headers = {"X-CSRF-Token": self._csrf, **what.pop("headers", {})} if method != "GET" else {}
        failed: Exception | None = None
        for left in reversed(range(self._tries)):
            try:
                sent = {} if content is None else {"content": content()}
                reply: httpx.Response = self._client.request(
                    method, path, headers=headers, **what, **sent
                )
            except self._httpx.ConnectError as error:  # nothing was sent: always safe
                failed = error
            except self._httpx.TransportError as error:
                failed = error
                if not again:
                    break
            else:
                if reply.status_code not in _LATER or not left:
                    return reply
                failed = refusal(reply.status_code, _body(reply))
                if not again and reply.status_code != 503:  # 503 is refused before it is done
                    raise failed
            if left:
                self._sleep(0.2 * 2 ** (self._tries - 1 - left) * (0.5 + random.random()))  # noqa: S311
        raise UnreachableError(
            0, f"the server cannot be reached: {type(failed).__name__}"
        ) from failed


def _body(reply: httpx.Response) -> Mapping[str, Any]:
    try:
        told = reply.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _httpx() -> Any:
    try:
        import httpx  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise MissingExtraError("The client of a server", "client") from error
    return httpx
