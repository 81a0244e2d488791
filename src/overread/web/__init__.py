"""The web application: JSON API, pages, and the reading page's files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from overread.errors import MissingExtraError

if TYPE_CHECKING:
    from overread.web.application import create_app
    from overread.web.server import serve
    from overread.web.sign_on import SignOn

_WHERE = {"create_app": "application", "SignOn": "sign_on", "serve": "server"}
__all__ = ["SignOn", "create_app", "serve"]


def __getattr__(name: str) -> Any:
    """Import the server's packages when they are asked for."""
    if name not in _WHERE:
        raise AttributeError(name)
    try:
        return getattr(import_module(f"overread.web.{_WHERE[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("overread"):
            raise
        raise MissingExtraError("The server", "server") from error
