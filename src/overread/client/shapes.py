"""What a server tells, as frozen dataclasses; fields that a newer server adds are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project; ``done`` of ``total`` reads: one's own for readers, all for leads."""

    id: str
    name: str
    kinds: tuple[str, ...]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the protocol. Args: classes: names in the order of their codes."""

    id: str
    prompt: str
    kind: str
    classes: tuple[str, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is asked of a case."""

    version: int
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class OwnProgress:
    """How far one is oneself; ``paused`` tells why there are no new cases, "" where there are."""

    done: int
    total: int
    median_seconds: float | None
    left_seconds: float | None
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """An image: frames of ``rows`` x ``columns`` pixels with 1 (grey) or 3 samples."""

    id: str
    rows: int
    columns: int
    frames: int
    samples: int
    dtype: str
    slope: float
    intercept: float
    spacing_mm: tuple[float, float] | None
    modality: str


@dataclass(frozen=True, slots=True)
class Task:
    """A case that is leased to the reader. Args: revision: of one's read before; 0 if none."""

    id: str
    project: str
    protocol_version: int
    revision: int
    case: Case


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was kept. Args: surplus: the slot was another's by then; the read is kept."""

    read_id: str
    revision: int
    surplus: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in the lead's list."""

    id: str
    name: str
    modality: str
    meta: Mapping[str, Any]
    reads: int
    planned: int


@dataclass(frozen=True, slots=True)
class CaseRead:
    """One reader's latest read of a case, for the lead.

    Args:
        pre_label: seen "before" or "after" a first mark; "" where it was not.
        from_hints: boxes that began as a hint: question, finding (its id), moved.
    """

    read_id: str
    reader: str
    reader_name: str
    revision: int
    protocol_version: int
    answer: Mapping[str, Any]
    flags: Mapping[str, bool]
    comment: str
    seconds: float
    submitted: str
    set_aside: bool = False
    pre_label: str = ""
    from_hints: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation; the link works once, until ``expires``."""

    link: str
    email: str
    role: str
    expires: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who reads in a project (``reads``), or could."""

    id: str
    name: str
    role: str
    reads: bool
    done: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. Args: counts: in the server's words ("new cases")."""

    counts: Mapping[str, int]
    files: int
    sent: int


Shape = TypeVar("Shape")


def shaped(shape: type[Shape], told: Mapping[str, Any], **more: Any) -> Shape:
    """Make a shape of a JSON object; lists become tuples."""
    kept = {one.name: told[one.name] for one in fields(shape) if one.name in told}  # type: ignore[arg-type]
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}  # fmt: skip # noqa: E501
    return shape(**(kept | more))


def task_of(told: Mapping[str, Any]) -> Task:
    """A task with its case."""
    return shaped(Task, told, case=shaped(Case, told["case"]))


def protocol_of(told: Mapping[str, Any]) -> Protocol:
    """A protocol with its questions."""
    questions = tuple(
        shaped(Question, one, classes=tuple(each["name"] for each in one["classes"]))
        for one in told["questions"]
    )
    return shaped(Protocol, told, questions=questions)
