"""What the lead's part of the API takes and gives: projects, people, images, exports."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file.")]

ClientId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$"),
    Field(description="Made by the client; the same again is the same work."),
]
Role = Literal["reader", "lead", "admin"]
Email = Annotated[str, StringConstraints(min_length=3, max_length=200)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImportIn(_Shape):
    """How the files of an upload are imported; nothing of it need be said."""

    id: Annotated[
        str,
        StringConstraints(pattern=r"^([A-Za-z0-9_-]{8,64})?$"),
        Field(description="Of this import; the same again is the same one. That of the upload."),
    ] = ""
    patients: Annotated[
        dict[
            Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")],
            Annotated[str, StringConstraints(min_length=1, max_length=256)],
        ],
        Field(
            description="SHA-256 of a file to the patient or video that it is of, where the file "
            "does not say so itself. Kept as a hash alone."
        ),
    ] = {}


class ProjectIn(_Shape):
    """A new project."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    protocol: Annotated[
        str,
        StringConstraints(max_length=1_000_000),
        Field(description="The protocol file: YAML.", examples=["title: Knees\nquestions: []\n"]),
    ]


class ProjectMadeOut(BaseModel):
    """The id of what was made."""

    id: str


class InvitationIn(_Shape):
    """Who is invited, as what."""

    email: Annotated[Email, Field(examples=["rhea@example.org"])]
    role: Role = "reader"


class InvitationOut(BaseModel):
    """An invitation; its link is told once."""

    link: str
    email: str
    role: Role
    expires: str


class JoinIn(_Shape):
    """Who comes by a one-time link. An invitation's own e-mail counts, whatever is said here."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: Annotated[str, StringConstraints(max_length=1000)]
    email: Annotated[str, StringConstraints(max_length=200)] = ""


class MemberOut(BaseModel):
    """Somebody who reads in a project (``reads``), or could."""

    id: str
    name: str
    role: Role
    reads: bool
    done: int


class MembersOut(BaseModel):
    """Everybody, readers of the project first."""

    members: list[MemberOut]


class MembersIn(_Shape):
    """Ids of all who read from now on."""

    readers: Annotated[
        list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=2000)
    ]


class UploadOut(BaseModel):
    """Files of an upload that are here: SHA-256 -> bytes."""

    files: dict[str, int]


class FileKeptOut(BaseModel):
    """A file that is here now."""

    sha256: str
    bytes: int


class JobOut(BaseModel):
    """Work under way or done; ``counts`` says in words how much of what."""

    id: str
    counts: dict[str, int]
    done: bool
    stopping: bool
    error: str | None


class ImportsOut(BaseModel):
    """Imports of a project, the newest first."""

    imports: list[JobOut]


What = Literal["reads", "consensus", "history"]
Form = Literal["csv", "parquet", "coco", "masks"]


class ExportIn(_Shape):
    """What is wanted, in which form."""

    export_id: Annotated[ClientId, Field(examples=["3f0c2f4e-8f4c-4f5e-9a55-6f4f2c1f7a10"])]
    what: What = "reads"
    format: Form = "csv"
    questions: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[^,\x00-\x1f]{1,40}$")]],
        Field(max_length=100, description="Ids; all that the format can hold if empty."),
    ] = []
    final: Annotated[
        bool,
        Field(description="Refuse unless all labels conform to the newest protocol version."),
    ] = False


class ExportFileOut(BaseModel):
    """The file of an export."""

    name: str
    bytes: int


class ExportOut(JobOut):
    """An export; ``file`` is there when it is done without an error."""

    final: bool = False
    conformity: Annotated[
        str | None, Field(description="How many labels conform to which protocol version.")
    ] = None
    what: What
    format: Form
    questions: list[str]
    file: ExportFileOut | None


class ExportsOut(BaseModel):
    """Exports of a project, the newest first."""

    exports: list[ExportOut]
