"""The protocol of a project: its versions, parsed once each."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from overread.app.study.project_readers import require_member
from overread.protocol import Protocol, read_protocol
from overread.store import Store, add_protocol_version, create_project, get_protocol, list_users


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a protocol."""

    version: int
    text: str
    protocol: Protocol


def new_project(store: Store, name: str, text: str, *, by: str) -> str:
    """Make a project and return its id; who makes it leads it.

    Raises:
        ProtocolError: the protocol has faults; nothing was made.
    """
    read_protocol(text)
    people = {one.id for one in list_users(store, keys=[by]) if one.role != "reader"}
    return create_project(store, name.strip(), text, by, lead=by if by in people else None).id


def new_version(store: Store, project: str, text: str, *, base: int, by: str) -> int:
    """Keep the next version.

    Raises:
        ProtocolError: the protocol has faults.
        ConflictError: somebody saved a version after ``base``.
    """
    read_protocol(text)
    return add_protocol_version(store, project, text, by, base_version=base).version


def protocol_of(store: Store, project: str, version: int | None = None) -> Version:
    """A version of a project's protocol; the latest if None."""
    row = get_protocol(store, project, version)
    return Version(row.version, row.text, parsed(row.text))


def protocol_for(store: Store, project: str, user: str, *, role: str) -> Version:
    """The latest protocol, for somebody who may see the project.

    Raises:
        NotFoundError: no such project, or not theirs.
    """
    require_member(store, project, user, role=role)
    return protocol_of(store, project)


@functools.lru_cache(maxsize=64)
def parsed(text: str) -> Protocol:
    """A protocol that was checked when it was kept; parsed once."""
    return read_protocol(text)
