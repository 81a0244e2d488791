"""The issuer that people sign on with: settings alone; :mod:`overread.web.oidc` speaks with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignOn:
    """An issuer that people sign on with.

    Args:
        name: as the button says it ("the hospital").
        issuer: its URL; ``/.well-known/openid-configuration`` is read below it.
        client_id, client_secret: as it registered this server.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str
