"""Projects at a glance: how far each is, and whether that is good."""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.case_browser import reader_colours
from overread.app.project_protocol import protocol_of
from overread.app.project_readers import who_reads
from overread.store import (
    Store,
    get_project,
    list_projects,
    list_reader_counts,
    project_progress,
    reader_progress,
    role_in,
)


@dataclass(frozen=True, slots=True)
class Named:
    """A project by its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Mine:
    """A project as its reader sees it."""

    id: str
    name: str
    kinds: list[str]
    done: int
    total: int
    left_seconds: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A project in the lead's list."""

    id: str
    name: str
    kinds: list[str]
    cases: int
    readers: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """One reader in a project; ``seconds`` is the mean of a read, None where no time was taken."""

    name: str
    colour: int
    done: int
    claimed: int
    kept: int
    skipped: int
    surplus: int
    seconds: float | None
    last: str


@dataclass(frozen=True, slots=True)
class Next:
    """What the lead does next."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A project at a glance."""

    project: Named
    cases: int
    quarantined: int
    done: int
    total: int
    mean_seconds: float | None
    readers: list[ReaderLine]
    words: str
    next: Next | None


def named(store: Store, project: str) -> Named:
    """A project.

    Raises:
        NotFoundError: there is none.
    """
    row = get_project(store, project)
    return Named(row.id, row.name)


def projects_of(store: Store, reader: str, *, role: str) -> list[Mine]:
    """Projects of a role: those a reader reads, those a lead leads or reads, all for an admin."""
    made: list[Mine] = []
    for row in list_projects(store, member=None if role == "admin" else reader):
        if role == "reader" and role_in(store, row.id, reader) == "lead":
            continue
        far = reader_progress(store, row.id, reader)
        kinds = kinds_of(store, row.id)
        made.append(Mine(row.id, row.name, kinds, far.done, far.total, far.left_seconds))
    return made


def led_projects(store: Store, user: str, *, role: str) -> list[Line]:
    """The projects that somebody leads, with their numbers; every project for an admin."""
    made: list[Line] = []
    for row in list_projects(store, member=None if role == "admin" else user, leads=True):
        far = project_progress(store, row.id)
        made.append(
            Line(
                row.id,
                row.name,
                kinds_of(store, row.id),
                far.cases,
                len(who_reads(store, row.id)),
                far.done,
                far.planned,
            )
        )
    return made


def kinds_of(store: Store, project: str) -> list[str]:
    """Label kinds that a project asks for."""
    questions = protocol_of(store, project).protocol.questions
    return list(dict.fromkeys(str(one.kind) for one in questions))


def overview(store: Store, project: str) -> Overview:
    """A project at a glance.

    Raises:
        NotFoundError: there is none.
    """
    name = named(store, project)
    far = project_progress(store, project)
    colours = reader_colours(store, project)
    counts = list_reader_counts(store, project)
    readers = [
        ReaderLine(
            one.name,
            (colours[one.reader] - 1) % 8 + 1,
            one.done,
            one.claimed,
            one.kept,
            one.skipped,
            one.surplus,
            one.seconds / (one.done + one.surplus) if one.seconds > 0 else None,
            one.last or "",
        )
        for one in counts
    ]
    # a reader without any time is a program, or its reads were brought from elsewhere
    timed = sum(one.done + one.surplus for one in counts if one.seconds > 0)
    words, action = _verdict(
        project, count=far.cases, readers=len(readers), done=far.done, total=far.planned
    )
    return Overview(
        name,
        far.cases,
        far.quarantined,
        far.done,
        far.planned,
        sum(one.seconds for one in counts) / timed if timed else None,
        readers,
        words,
        action,
    )


def _verdict(
    project: str, *, count: int, readers: int, done: int, total: int
) -> tuple[str, Next | None]:
    base = f"/projects/{project}"
    if not count:
        return "There are no cases yet.", Next(f"{base}/import", "Import images")
    if not readers:
        return "Nobody reads yet.", Next(f"{base}/members", "Choose readers")
    if not total:
        return "Nothing is planned yet.", Next(f"{base}/members", "Plan the reads")
    if done >= total:
        return "All planned reads are made.", Next(f"{base}/export", "Export")
    if not done:
        return "All is ready; the first read has not been made.", None
    return f"{done / total:.0%} of the planned reads are made.", None
