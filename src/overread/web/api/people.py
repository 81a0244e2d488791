"""People by program: invitations, one-time links, who reads."""

from __future__ import annotations

from fastapi import Response
from starlette.exceptions import HTTPException

from overread.app.study import invite, project_readers
from overread.store.errors import NotFoundError
from overread.web.access.passwords import hash_password
from overread.web.access.sessions import open_session
from overread.web.access.tokens import new_token, token_hash
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import Id, Token
from overread.web.schemas_lead import InvitationIn, JoinIn, MembersIn


def invitation(body: InvitationIn, site: At, who: Who) -> Response:
    """Invite somebody; the link is told once. Leads invite readers, admins anybody."""
    if body.role not in invite.MAY_INVITE[who.role]:
        may = " or ".join(invite.MAY_INVITE[who.role])
        raise HTTPException(403, f"invite {may} as {who.role}")
    token = new_token()
    made = invite.invite(
        site.store, body.email, role=body.role, token_hash=token_hash(token), by=who.id
    )
    link = f"{site.address}/invitation/{token}"
    told = {"link": link, "email": body.email, "role": body.role, "expires": made.expires}
    return json_reply(told, 201)


def join(token: Token, body: JoinIn, site: At) -> Response:
    """Make the account of a one-time link (set-up or invitation), and log in."""
    hashed = token_hash(token)
    purposes = [one for one in ("invitation", "setup") if invite.link(site.store, hashed, one)]
    if not purposes:
        raise NotFoundError("link", "that still works")
    with site.hashing:
        password = hash_password(body.password)
    user = invite.accept(
        site.store, hashed, purposes[0], name=body.name, email=body.email, password_hash=password
    )
    reply = Response(media_type="application/json")
    csrf = open_session(reply, site, user.id)
    told = json_reply({"id": user.id, "name": user.name, "role": user.role, "csrf": csrf}, 201)
    told.raw_headers.extend(one for one in reply.raw_headers if one[0] == b"set-cookie")
    return told


def members(project: Id, site: At) -> Response:
    """Everybody who reads in a project or could."""
    return _members(project, site)


def set_members(project: Id, body: MembersIn, site: At, who: Who) -> Response:
    """Say who reads, and plan who reads what."""
    project_readers.set_readers(site.store, project, body.readers, by=who.id)
    return _members(project, site)


def _members(project: str, site: At) -> Response:
    found = project_readers.members(site.store, project)
    rows = [
        {"id": one.id, "name": one.name, "role": one.role, "reads": one.reads, "done": one.done}
        for one in found
    ]
    return json_reply({"members": rows})
