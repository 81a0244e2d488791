"""Roles, and what one route asks of who comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.routing import compile_path

Roles: TypeAlias = frozenset[str]

NOBODY = "nobody"
"""The role of who has no session."""

ANYONE: Roles = frozenset({NOBODY, "reader", "lead", "admin"})
READERS: Roles = frozenset({"reader", "lead", "admin"})
LEADS: Roles = frozenset({"lead", "admin"})
ADMINS: Roles = frozenset({"admin"})

KILO, MEGA = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Route:
    """One route with its rule. What is not in the table cannot be reached.

    Args:
        method, path: as Starlette writes them ("/api/projects/{project}/cases").
        endpoint: what answers.
        roles: who may come; :data:`NOBODY` for those without a session.
        answer: type of the JSON answer, for the OpenAPI description; None for pages and bytes.
        most: bytes of the body that are read at most.
        operation: what programs call it ("claimTasks"); every route of the API has one.
        status: of the answer when all went well.
        gives: media type of an answer that is not JSON.
        takes: media type of a body that is not JSON.
        errors: status -> type of an error that tells more than the others.
    """

    method: str
    path: str
    endpoint: Callable[..., Any]
    roles: Roles
    answer: Any = None
    most: int = 256 * KILO
    operation: str = ""
    status: int = 200
    gives: str = ""
    takes: str = ""
    errors: Mapping[int, Any] = field(default_factory=dict)
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.path)[0])

    @property
    def is_api(self) -> bool:
        """JSON for programs, not a page for people."""
        return self.path.startswith("/api/")
