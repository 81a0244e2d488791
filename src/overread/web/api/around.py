"""What endpoints take from a request.

Coroutines, for FastAPI would give each plain function a thread of its own to run in.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from overread.web.access.sessions import Signed
from overread.web.site import Site


async def _site(request: Request) -> Site:
    site: Site = request.state.site
    return site


async def _signed(request: Request) -> Signed:
    signed: Signed = request.state.signed  # the guard lets nobody else in
    return signed


At = Annotated[Site, Depends(_site)]
"""The site."""
Who = Annotated[Signed, Depends(_signed)]
"""Who is signed in."""
