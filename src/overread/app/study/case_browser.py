"""Cases of a project for its lead: pages by key, and all reads of one case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread.app.study.next_tasks import flags_of
from overread.app.study.project_readers import readers_of
from overread.store import (
    CaseState,
    Store,
    get_case,
    get_project,
    list_cases,
    list_users,
    neighbour_cases,
    reads_of_case,
)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in the browser."""

    id: str
    name: str
    modality: str
    meta: Mapping[str, Any]
    reads: int
    planned: int
    words: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cases. Args: next: the number that the next page begins after; None at the end."""

    cases: list[CaseLine]
    next: int | None


@dataclass(frozen=True, slots=True)
class CaseRead:
    """One reader's latest read of a case.

    Args:
        colour: of the reader, from 1.
        set_aside: after an alarm about the reader; it counts in no consensus and no export.
    """

    read_id: str
    reader: str
    reader_name: str
    colour: int
    revision: int
    protocol_version: int
    answer: dict[str, Any]
    flags: dict[str, bool]
    comment: str
    seconds: float
    submitted: str
    set_aside: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; "" for any.

    Args:
        state: "unplanned", "open" or "done".
        reader: who read them.
    """

    find: str = ""
    state: str = ""
    flagged: bool = False
    reader: str = ""


def case_page(
    store: Store,
    project: str,
    *,
    after: int,
    limit: int,
    find: str = "",
    wanted: Wanted | None = None,
) -> Page:
    """A page of cases in the order they came.

    Raises:
        NotFoundError: no such project.
        InputError: a state that is none.
    """
    get_project(store, project)
    wanted = wanted or Wanted(find)
    found = list_cases(store, project, after=after, limit=limit + 1, **_filters(wanted))
    lines = [_line(one) for one in found[:limit]]
    return Page(lines, found[limit - 1].case.number if len(found) > limit else None)


def disputed_page(
    store: Store, project: str, order: Sequence[str], *, after: int, limit: int, wanted: Wanted
) -> Page:
    """A page of cases in another order, the most disputed first.

    Args:
        order: ids of cases; those that are not wanted are left out.
        after: how many of ``order`` were looked at before.
    """
    lines: list[CaseLine] = []
    at = after
    while at < len(order) and len(lines) < limit:
        keys = order[at : at + limit]
        rows = list_cases(store, project, limit=limit, keys=keys, **_filters(wanted))
        found = {one.case.id: one for one in rows}
        for key in keys:
            at += 1
            if key in found:
                lines.append(_line(found[key]))
            if len(lines) == limit:
                break
    return Page(lines, at if at < len(order) else None)


def neighbours(store: Store, case: str) -> tuple[str | None, str | None]:
    """The cases before and behind one, in the order they came."""
    row = get_case(store, case)
    return neighbour_cases(store, row.project, row.number)


def _filters(wanted: Wanted) -> dict[str, Any]:
    return {
        "search": wanted.find.strip(),
        "state": wanted.state or None,
        "flagged": wanted.flagged,
        "reader": wanted.reader or None,
    }


def _line(one: CaseState) -> CaseLine:
    return CaseLine(
        one.case.id,
        one.case.name,
        one.case.image.get("modality", ""),
        one.case.meta,
        one.done + one.surplus,
        one.planned,
        case_words(one.case.image, one.case.meta),
    )


def case_words(image: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """A case in a few words ("CT, 60-69, F, 40 frames"): it has no name on purpose."""
    said = [image.get("modality") or "Image"]
    said += [str(meta[name]) for name in ("body_part", "age_band", "sex") if meta.get(name)]
    if image["frames"] > 1:
        said.append(f"{image['frames']} frames")
    return ", ".join(said)


def reads_of(store: Store, case: str) -> list[CaseRead]:
    """All readers' reads of a case, the latest revision of each.

    Raises:
        NotFoundError: no such case.
    """
    row = get_case(store, case)
    colours = reader_colours(store, row.project)
    names = {one.id: one.name for one in list_users(store)}
    return [
        CaseRead(
            one.id,
            one.reader,
            names.get(one.reader, "former reader"),
            colours.get(one.reader, 0) or len(colours) + 1,
            one.revision,
            one.protocol_version,
            one.answer,
            flags_of(one),
            one.comment,
            one.seconds,
            one.submitted,
            one.set_aside,
        )
        for one in reads_of_case(store, case)
    ]


def reader_colours(store: Store, project: str) -> dict[str, int]:
    """Colour of each reader in a project, from 1, the same on every page."""
    return {one: at + 1 for at, one in enumerate(readers_of(store, project))}
