"""Forms of pages: read whole, with their CSRF token checked before anything else."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from overread.web.access.sessions import Signed
from overread.web.access.tokens import same

_MOST_FIELDS = 2000


async def read_form(request: Request) -> FormData:
    """Fields of a form without files.

    Raises:
        HTTPException: 403 where the token is not that of the session, 400 where it is no form.
    """
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    check_csrf(request, form.get("csrf"))
    return form


def check_csrf(request: Request, given: object) -> None:
    """Check the token of a form; who is not signed in has none (the origin was checked)."""
    signed: Signed | None = request.state.signed
    if signed is not None and not (isinstance(given, str) and same(given, signed.csrf)):
        raise HTTPException(403, "come from a page of this session; load the page again")


def text_of(form: Mapping[str, object], name: str, *, most: int = 200) -> str:
    """A field as text, cut where no honest form would be that long."""
    value = form.get(name, "")
    return value[:most] if isinstance(value, str) else ""
