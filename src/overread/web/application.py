"""The web application, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from starlette.types import ASGIApp

from overread.errors import InputError
from overread.store import Blobs, Store
from overread.web.access.guard import guarded
from overread.web.description import described
from overread.web.learning import attend
from overread.web.routes import ROUTES
from overread.web.sign_on import SignOn
from overread.web.site import LOOPBACK, Site

_LEAST_SECRET = 32


def create_app(
    store: Store,
    blobs: Blobs,
    *,
    secret: bytes,
    clock: Callable[[], datetime],
    hosts: Iterable[str] = LOOPBACK,
    secure: bool = False,
    address: str = "http://127.0.0.1:8000",
    import_root: Path | None = None,
    upload_folder: Path | None = None,
    reports: Path | None = None,
    sign_on: SignOn | None = None,
    key_folder: Path | None = None,
) -> ASGIApp:
    """Make the web application.

    Args:
        store, blobs: open; they are not closed here.
        secret: 32 bytes or more, kept by the caller from one start to the next.
        clock: tells the time, with a zone.
        hosts: names the server answers to, without ports; others are refused.
        secure: people reach it by https (of a proxy, too).
        address: how people reach it; links of invitations begin with it.
        import_root: a lead may import its sub-folders; None allows uploads only.
        upload_folder: where uploads wait; None is the system's place.
        reports: folder whose reports (files of its own, none below it) leads may open.
        sign_on: single sign-on by OpenID Connect.
        key_folder: of the home, where the key that signs certificates lies; None signs none.
    Returns:
        An ASGI application.
    Raises:
        InputError: the secret is short.
    """
    if len(secret) < _LEAST_SECRET:
        raise InputError("secret", f"have {_LEAST_SECRET} bytes or more", len(secret))
    site = Site(
        store=store,
        blobs=blobs,
        secret=secret,
        clock=clock,
        hosts=frozenset(one.lower() for one in hosts),
        secure=secure,
        address=address.rstrip("/"),
        import_root=import_root,
        upload_folder=upload_folder,
        reports=reports,
        sign_on=sign_on,
        key_folder=key_folder,
    )
    attend(site)
    return guarded(described(), site=site, routes=ROUTES)
