"""What a server refuses, in its own words. A value that breaks a rule is an ``InputError``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overread.errors import InputError, OverreadError


class ServerError(OverreadError):
    """The server did not do it.

    Args:
        status: of HTTP; 0 where there was no answer.
        words: the server's.
        body: the whole answer; a conflict's has what is there now under "current".
    """

    def __init__(self, status: int, words: str, body: Mapping[str, Any] | None = None) -> None:
        self.status = status
        self.words = words
        self.body = dict(body or {})
        super().__init__(words)

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process."""
        return type(self), (self.status, self.words, self.body)


class NotSignedInError(ServerError):
    """There is no session, or it ended: sign in (again)."""


class NotAllowedError(ServerError):
    """Not for this role."""


class NotFoundError(ServerError):
    """It is not there, or not for this person; the two look alike on purpose."""


class ConflictError(ServerError):
    """Something newer is there; nothing was overwritten."""


class UnreachableError(ServerError):
    """The server cannot be reached, or is too busy, after all tries."""


_KINDS = {401: NotSignedInError, 403: NotAllowedError, 404: NotFoundError, 409: ConflictError}
_LATER = {502, 503, 504}
_INPUT = {400, 413, 422}


def refusal(status: int, body: Mapping[str, Any]) -> OverreadError:
    """The error of an answer that is none."""
    told = body.get("error")
    error: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    name, rule = str(error.get("name") or "request"), str(error.get("rule") or "")
    got, remedy = error.get("got"), str(error.get("remedy") or "")
    if status in _INPUT and rule:
        return InputError(name, rule, "another" if got is None else got, remedy=_more(body, remedy))
    shown = "" if got is None else f"; got {got}"
    words = f"{name} must {rule}{shown}. {remedy}".strip() if rule else f"the answer was {status}"
    if status in _LATER:
        return UnreachableError(status, words, body)
    return _KINDS.get(status, ServerError)(status, words, body)


def _more(body: Mapping[str, Any], remedy: str) -> str:
    """Every fault of a protocol file, not the first alone."""
    problems = body.get("problems")
    if not isinstance(problems, list) or len(problems) < 2:
        return remedy
    lines = [f"line {p['line']}: {p['where']} must {p['rule']}; got {p['got']}" for p in problems]
    return "All faults: " + "; ".join(lines)
