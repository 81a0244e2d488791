"""Projects at a glance: how far each is, and whether that is good."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from overread.app.case_browser import reader_colours
from overread.app.next_tasks import progress_of
from overread.app.project_protocol import protocol_of
from overread.app.project_readers import readers_of
from overread.store import Store, accounts, cases, projects, tasks


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
    """One reader in a project."""

    name: str
    colour: int
    done: int
    total: int
    median_seconds: float | None
    unreadable: int
    senior: int
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
    median_seconds: float | None
    readers: list[ReaderLine]
    words: str
    next: Next | None


def count_cases(store: Store, project: str) -> int:
    """Cases of a project: they are numbered from 1 without gaps, so the last number counts them."""
    return cases.last_number(store, project)


def named(store: Store, project: str) -> Named:
    """A project.

    Raises:
        NotFoundError: there is none.
    """
    row = projects.get_project(store, project)
    return Named(row.id, row.name)


def projects_of(store: Store, reader: str, *, role: str) -> list[Mine]:
    """Projects that somebody reads; leads get all of them."""
    made: list[Mine] = []
    for row in projects.list_projects(store, member=reader if role == "reader" else None):
        far = progress_of(store, row.id, reader)
        kinds = kinds_of(store, row.id)
        made.append(Mine(row.id, row.name, kinds, far.done, far.total, far.left_seconds))
    return made


def all_projects(store: Store) -> list[Line]:
    """Every project with its numbers."""
    made: list[Line] = []
    for row in projects.list_projects(store):
        readers = readers_of(store, row.id)
        far = tasks.project_progress(store, row.id)
        made.append(
            Line(
                row.id,
                row.name,
                kinds_of(store, row.id),
                count_cases(store, row.id),
                len(readers),
                sum(one.done for one in far.values()),
                sum(one.total for one in far.values()),
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
    far = tasks.project_progress(store, project)
    colours = reader_colours(store, project)
    names = {one.id: one.name for one in accounts.list_users(store)}
    readers = [
        ReaderLine(
            names.get(one, "former reader"),
            (colour - 1) % 8 + 1,
            far[one].done if one in far else 0,
            far[one].total if one in far else 0,
            far[one].median_seconds if one in far else None,
            far[one].unreadable if one in far else 0,
            far[one].senior if one in far else 0,
            far[one].last if one in far else "",
        )
        for one, colour in colours.items()
    ]
    seconds = [one.median_seconds for one in far.values() if one.median_seconds is not None]
    count = count_cases(store, project)
    done, total = sum(one.done for one in far.values()), sum(one.total for one in far.values())
    words, action = _verdict(project, count=count, readers=len(readers), done=done, total=total)
    return Overview(
        name,
        count,
        len(cases.list_quarantine(store, project, limit=1000)),
        done,
        total,
        median(seconds) if seconds else None,
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
