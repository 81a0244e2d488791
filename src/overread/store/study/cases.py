"""Cases: taken in once by content, listed by page; and the files that were kept out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from overread.errors import InputError
from overread.store import tables as t
from overread.store.applying.apply import record
from overread.store.canonical import canonical_json, hash_text, json_object, plain_text
from overread.store.canonical import whole_number as whole
from overread.store.engine import Store
from overread.store.errors import NotFoundError
from overread.store.work.flags import flagged_cases

STATES = ("unplanned", "open", "done")
"""Of a case: no read is planned, some are outstanding, none is."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be added.

    Attributes:
        content_hash: SHA-256 (hex) of its pixels and geometry; the same content is added once.
        frames: SHA-256 of the blob of each frame, in order.
        image: how to show it: rows, columns, frames, samples, dtype, slope, intercept,
            spacing_mm, slice_mm, windows, modality, invert, frame_time_ms.
        meta: for diversity: age_band, sex, site, device. Never an identifier.
        group: keyed hash of the patient, "" where unknown.
        name: for people, "" for "case 000001" and so on. Never an identifier.
        thumbnail: SHA-256 of its small picture.
    """

    content_hash: str
    frames: Sequence[str]
    image: Mapping[str, Any]
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    group: str = ""
    name: str = ""
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as kept; ``number`` counts from 1 in its project; ``frames`` is () in lists."""

    id: str
    project: str
    number: int
    name: str
    content_hash: str
    group: str
    meta: dict[str, Any]
    image: dict[str, Any]
    frames: tuple[str, ...]
    thumbnail: str | None
    added: str


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case in a list, with how far it is: tasks planned and done, reads outside the plan."""

    case: CaseRow
    planned: int
    done: int
    surplus: int


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A file that was kept out, known by the SHA-256 of its bytes, and why."""

    source_hash: str
    reason: str
    since: str


def add_cases(
    store: Store, project: str, new: Sequence[NewCase], by: str
) -> list[tuple[str, bool]]:
    """Add cases in one transaction.

    Args:
        store: where.
        project: its id.
        new: some hundred at a time, so that readers are not kept waiting.
        by: the user's id, or "system".
    Returns:
        For each: the case's id, and whether it is new. Content that is there already (or twice
        in ``new``) keeps its first id.
    Raises:
        NotFoundError: no such project.
    """
    bodies = [_body(case) for case in new]
    with store.writing() as connection:
        number = _checked_number(connection, project)
        known = _known(connection, project, [body["content_hash"] for body in bodies])
        answer: list[tuple[str, bool]] = []
        happened: list[tuple[str, str | None, dict[str, Any]]] = []
        for body in bodies:
            content = body["content_hash"]
            fresh = content not in known
            if fresh:
                number += 1
                known[content] = store.new_id()
                name = body["name"] or f"case {number:06}"
                numbered = body | {"id": known[content], "number": number, "name": name}
                happened.append(("case_added", project, numbered))
            answer.append((known[content], fresh))
        record(connection, store.now(), by, happened)
    return answer


def add_case(store: Store, project: str, case: NewCase, by: str) -> tuple[str, bool]:
    """Add one case; as of :func:`add_cases`."""
    return add_cases(store, project, [case], by)[0]


def _body(case: NewCase) -> dict[str, Any]:
    image = json_object("image", case.image)
    modality = image.get("modality") or ""
    frames = [hash_text("frame", frame) for frame in case.frames]
    if not frames:
        raise InputError("frames", "have at least one", 0)
    if case.thumbnail is not None:
        hash_text("thumbnail", case.thumbnail)
    body = {
        "content_hash": hash_text("content hash", case.content_hash),
        "group_key": plain_text("group", case.group, longest=128, empty=True),
        "name": plain_text("case name", case.name, longest=200, empty=True),
        "modality": plain_text("modality", modality, longest=32, empty=True),
        "meta": json_object("meta", case.meta),
        "image": image,
        "frames": frames,
        "thumbnail": case.thumbnail,
    }
    canonical_json("case", body)
    return body


def _checked_number(connection: sa.Connection, project: str) -> int:
    if not connection.scalar(sa.select(t.projects.c.id).where(t.projects.c.id == project)):
        raise NotFoundError("project", project)
    return last_number(connection, project)


def last_number(connection: sa.Connection, project: str) -> int:
    """How many cases there are: they are numbered from 1, and none is ever taken away."""
    last = sa.select(sa.func.max(t.cases.c.number)).where(t.cases.c.project == project)
    return connection.scalar(last) or 0


def count_cases(store: Store, project: str) -> int:
    """How many cases a project has; one look at an index."""
    with store.reading() as connection:
        return last_number(connection, project)


def _known(connection: sa.Connection, project: str, hashes: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for start in range(0, len(hashes), 500):
        part = t.cases.c.content_hash.in_(hashes[start : start + 500])
        query = sa.select(t.cases.c.content_hash, t.cases.c.id)
        rows = connection.execute(query.where(t.cases.c.project == project, part))
        known |= {row.content_hash: row.id for row in rows}
    return known


def find_case(store: Store, project: str, content_hash: str) -> str | None:
    """Tell the id of the case with this content, None where there is none (for resuming)."""
    with store.reading() as connection:
        return _known(connection, project, [content_hash]).get(content_hash)


_CASE = sa.select(t.cases).where(t.cases.c.id == sa.bindparam("key"))


def get_case(store: Store, case: str) -> CaseRow:
    """Get one case with its frames.

    Raises:
        NotFoundError: no such case.
    """
    with store.reading() as connection:
        found = connection.execute(_CASE, {"key": case}).first()
    if found is None:
        raise NotFoundError("case", case)
    return case_row(found)


def get_cases(store: Store, keys: Sequence[str]) -> dict[str, CaseRow]:
    """Get several cases by id; those that do not exist are left out."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(t.cases).where(t.cases.c.id.in_(keys))).all()
    return {row.id: case_row(row) for row in rows}


def case_row(row: Any) -> CaseRow:
    """Make a case of a row of its table, which may come without its frames."""
    return case_of(row._mapping)


def case_of(kept: Mapping[str, Any]) -> CaseRow:
    """Make a case of its columns by name; the frames may be missing."""
    plain = ("id", "project", "number", "name", "content_hash", "thumbnail", "added")
    return CaseRow(
        **{key: kept[key] for key in plain},
        group=kept["group_key"],
        meta=json.loads(kept["meta"]),
        image=json.loads(kept["image"]),
        frames=tuple(json.loads(kept["frames"])) if "frames" in kept else (),
    )


def list_cases(
    store: Store,
    project: str,
    *,
    after: int = 0,
    limit: int = 50,
    modality: str | None = None,
    group: str | None = None,
    state: str | None = None,
    search: str = "",
    flagged: bool = False,
    reader: str | None = None,
    keys: Sequence[str] | None = None,
) -> list[CaseState]:
    """List a page of cases by number; the next page is after the last one's number.

    Args:
        store: where.
        project: its id.
        after: leave out the cases up to this number.
        limit: rows in the page, 1 to 500.
        modality: only these.
        group: only the cases of this patient.
        state: only cases in one of :data:`STATES`.
        search: only names with this text (upper and lower case alike).
        flagged: only those of which a latest read says "cannot be read" or asks a senior.
        reader: only those that this reader read.
        keys: only these ids.
    """
    whole("limit", limit, low=1, high=500)
    columns = [column for column in t.cases.c if column.name != "frames"]
    query = sa.select(*columns).where(t.cases.c.project == project, t.cases.c.number > after)
    if modality is not None:
        query = query.where(t.cases.c.modality == modality)
    if group is not None:
        query = query.where(t.cases.c.group_key == group)
    if search:
        query = query.where(sa.func.lower(t.cases.c.name).contains(search.lower(), autoescape=True))
    if state is not None:
        if state not in STATES:
            raise InputError("state", f"be one of {', '.join(STATES)}", "another word")
        query = query.where(t.cases.c.state == state)
    if flagged:
        query = query.where(t.cases.c.id.in_(flagged_cases(project)))
    if reader is not None:
        mine = (t.reads.c.project == project) & (t.reads.c.reader == reader)
        query = query.where(t.cases.c.id.in_(sa.select(t.reads.c.case_id).where(mine)))
    if keys is not None:
        query = query.where(t.cases.c.id.in_(keys))
    with store.reading() as connection:
        rows = connection.execute(query.order_by(t.cases.c.number).limit(limit)).all()
        counts = _counts(connection, [row.id for row in rows])
    return [CaseState(case_row(row), *counts.get(row.id, (0, 0, 0))) for row in rows]


def neighbour_cases(store: Store, project: str, number: int) -> tuple[str | None, str | None]:
    """Tell the ids of the cases before and behind a number; None at either end."""
    this = sa.select(t.cases.c.id).where(t.cases.c.project == project).limit(1)
    before = this.where(t.cases.c.number < number).order_by(t.cases.c.number.desc())
    behind = this.where(t.cases.c.number > number).order_by(t.cases.c.number)
    with store.reading() as connection:
        return connection.scalar(before), connection.scalar(behind)


def _counts(connection: sa.Connection, keys: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    done = sa.func.sum(sa.case((t.tasks.c.state == "done", 1), else_=0))
    tasks = connection.execute(
        sa.select(t.tasks.c.case_id, sa.func.count(), done)
        .where(t.tasks.c.case_id.in_(keys))
        .group_by(t.tasks.c.case_id)
    ).all()
    extra = connection.execute(
        sa.select(t.reads.c.case_id, sa.func.count())
        .where(t.reads.c.case_id.in_(keys), t.reads.c.surplus, t.reads.c.revision == 1)
        .group_by(t.reads.c.case_id)
    ).all()
    surplus = {key: int(count) for key, count in extra}
    counts = {key: (int(all_), int(n), surplus.pop(key, 0)) for key, all_, n in tasks}
    return counts | {key: (0, 0, count) for key, count in surplus.items()}


def quarantine(store: Store, project: str, source_hash: str, reason: str, by: str) -> None:
    """Note a file that was kept out; noting the same again for the same reason adds nothing."""
    hash_text("source hash", source_hash)
    plain_text("reason", reason, longest=2_000)
    with store.writing() as connection:
        _checked_number(connection, project)
        if connection.scalar(_kept_out(project, source_hash)) != reason:
            body = {"source_hash": source_hash, "reason": reason}
            record(connection, store.now(), by, [("file_quarantined", project, body)])


def clear_quarantine(store: Store, project: str, source_hash: str, by: str) -> None:
    """Take a file out of quarantine (it was read after all); one that is not there is fine."""
    with store.writing() as connection:
        if connection.scalar(_kept_out(project, source_hash)) is not None:
            body = {"source_hash": source_hash}
            record(connection, store.now(), by, [("file_cleared", project, body)])


def _kept_out(project: str, source_hash: str) -> sa.Select[Any]:
    this = (t.quarantine.c.project == project) & (t.quarantine.c.source_hash == source_hash)
    return sa.select(t.quarantine.c.reason).where(this)


def list_quarantine(
    store: Store, project: str, *, after: str = "", limit: int = 100
) -> list[QuarantineRow]:
    """List a page of the files kept out, by hash; the next page is after the last one's hash."""
    whole("limit", limit, low=1, high=1_000)
    query = (
        sa.select(t.quarantine.c.source_hash, t.quarantine.c.reason, t.quarantine.c.since)
        .where(t.quarantine.c.project == project, t.quarantine.c.source_hash > after)
        .order_by(t.quarantine.c.source_hash)
        .limit(limit)
    )
    with store.reading() as connection:
        return [QuarantineRow(**row._mapping) for row in connection.execute(query)]


def case_names(store: Store, keys: Sequence[str]) -> dict[str, str]:
    """Names of cases by id, without those that are not there."""
    made: dict[str, str] = {}
    for start in range(0, len(keys), 500):
        part = t.cases.c.id.in_(keys[start : start + 500])
        with store.reading() as connection:
            found = connection.execute(sa.select(t.cases.c.id, t.cases.c.name).where(part)).all()
        made |= {str(key): str(name) for key, name in found}
    return made


def count_quarantine(store: Store, project: str) -> dict[str, int]:
    """Count the files that were set aside at import, by reason."""
    query = (
        sa.select(t.quarantine.c.reason, sa.func.count())
        .where(t.quarantine.c.project == project)
        .group_by(t.quarantine.c.reason)
    )
    with store.reading() as connection:
        return {str(reason): int(n) for reason, n in connection.execute(query)}
