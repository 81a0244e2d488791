"""A server of Overread from a program: images in, reads by a script or a model, labels out.

It needs httpx alone (``pip install "overread[client]"``), not the server's packages.
"""

from overread.client.client import Client, connect
from overread.client.errors import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    ServerError,
    UnreachableError,
)
from overread.client.shapes import (
    Case,
    CaseLine,
    CaseRead,
    Imported,
    Invitation,
    Member,
    OwnProgress,
    Person,
    Project,
    Protocol,
    Question,
    Receipt,
    Task,
)

__all__ = [
    "Case",
    "CaseLine",
    "CaseRead",
    "Client",
    "ConflictError",
    "Imported",
    "Invitation",
    "Member",
    "NotAllowedError",
    "NotFoundError",
    "NotSignedInError",
    "OwnProgress",
    "Person",
    "Project",
    "Protocol",
    "Question",
    "Receipt",
    "ServerError",
    "Task",
    "UnreachableError",
    "connect",
]
