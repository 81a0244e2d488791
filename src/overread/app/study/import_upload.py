"""Bring the images of a folder into a project: decoded in a child, kept by content, planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import asdict
from pathlib import Path

from overread.app.study.project_readers import plan_reads, who_reads
from overread.app.study.stated_groups import NOTHING_STATED, StatedGroups
from overread.images import (
    CaseImage,
    Child,
    Limits,
    Quarantined,
    find_images,
    open_case,
    pack_frame,
    thumbnail,
)
from overread.store import (
    Blobs,
    NewCase,
    QuarantineRow,
    Store,
    add_cases,
    list_quarantine,
    quarantine,
)
from overread.store.study.grouping import group_cases

DONE = ("new cases", "there already", "set aside")
"""Counts of what was found, each in one of them."""

_TOGETHER = 50  # cases in one transaction: quick, and little is done twice after a kill


def import_upload(
    store: Store,
    blobs: Blobs,
    project: str,
    folder: Path,
    *,
    by: str,
    key: bytes,
    counts: MutableMapping[str, int],
    stop: Callable[[], bool],
    name_of: Callable[[Sequence[Path]], str] = lambda _files: "",
    stated: StatedGroups = NOTHING_STATED,
) -> None:
    """Import what is in a folder, and plan its reads.

    May be stopped and begun again: what is in stays in, and the same content is kept once. Where a
    patient is stated of a case that is there already, it is of that patient from now on.

    Args:
        key: of the hashes of patients and sites.
        counts: told to a page while it goes on: :data:`DONE` of what was found, and what was
            stated of patients.
        stop: asked between two cases.
        name_of: name of a case from its files, where names of files are known to name nobody;
            by default cases are numbered.
        stated: of which patient files are; the patient of a DICOM file goes before it.
    """
    waiting: list[NewCase] = []
    groups: dict[str, str] = {}  # content to the patient that is stated of it
    for what, number in stated.counts.items():
        _count(counts, what, number)
    with Child(key, Limits()) as child:
        for found in find_images([folder], child):
            case = found if isinstance(found, Quarantined) else open_case(found, child)
            name = "" if isinstance(found, Quarantined) else name_of(found.files)
            if isinstance(case, Quarantined):
                if case.files and stated.tables.issuperset(case.files):
                    continue
                if case.source_hash:
                    quarantine(store, project, case.source_hash, case.reason, by)
                _count(counts, "set aside")
            else:
                group = _group(groups, case, stated.of_case(found.files), counts)
                waiting.append(_kept(blobs, case, name, group))
            if len(waiting) >= _TOGETHER:
                _add(store, project, waiting, by, counts, groups=groups)
            if stop():
                break
    _add(store, project, waiting, by, counts, groups=groups)
    if who_reads(store, project):
        plan_reads(store, project, by=by)


def quarantined_files(store: Store, project: str, *, limit: int = 200) -> list[QuarantineRow]:
    """Files that were set aside."""
    return list_quarantine(store, project, limit=limit)


def _group(
    groups: dict[str, str], case: CaseImage, stated: str, counts: MutableMapping[str, int]
) -> str:
    """The patient of a case: its file's own, else what is stated, else the study of its file."""
    if not stated or (case.group and case.group_from == "patient"):
        return case.group or ""
    first = groups.setdefault(case.content_hash, stated)
    if first != stated:
        _count(counts, "images under two patients")
    return first


def _kept(blobs: Blobs, case: CaseImage, name: str, group: str) -> NewCase:
    image = {
        "rows": case.rows,
        "columns": case.columns,
        "frames": len(case.frames),
        "samples": case.samples,
        "dtype": case.dtype,
        "slope": case.slope,
        "intercept": case.intercept,
        "spacing_mm": None if case.spacing_mm is None else list(case.spacing_mm),
        "spacing_from": case.spacing_from,
        "slice_mm": case.slice_mm,
        "windows": [asdict(one) for one in case.windows],
        "modality": case.modality,
        "invert": case.invert,
        "frame_time_ms": case.frame_time_ms,
    }
    meta = {name: value for name, value in asdict(case.meta).items() if value is not None}
    return NewCase(
        case.content_hash,
        [blobs.put(pack_frame(frame)) for frame in case.frames],
        image,
        meta,
        group,
        name,
        blobs.put(thumbnail(case)),
    )


def _add(
    store: Store,
    project: str,
    waiting: list[NewCase],
    by: str,
    counts: MutableMapping[str, int],
    *,
    groups: Mapping[str, str],
) -> None:
    if not waiting:
        return
    made = add_cases(store, project, waiting, by)
    fresh = Counter(new for _, new in made)
    _count(counts, "new cases", fresh[True])
    _count(counts, "there already", fresh[False])
    there = {
        case: groups[one.content_hash]
        for one, (case, new) in zip(waiting, made, strict=True)
        if not new and one.content_hash in groups
    }
    if there:
        _count(counts, "now of another patient", group_cases(store, project, there, by))
    waiting.clear()


def _count(counts: MutableMapping[str, int], name: str, more: int = 1) -> None:
    if more:
        counts[name] = counts.get(name, 0) + more
