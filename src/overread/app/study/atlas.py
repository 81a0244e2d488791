"""The guideline and the atlas of a project, changed by page: each change is a protocol version."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overread.app.study.case_pictures import picture
from overread.app.study.project_protocol import new_version, protocol_of
from overread.errors import InputError
from overread.images import Child, Limits, Quarantined, find_images, open_case, thumbnail
from overread.protocol import AtlasEntry
from overread.protocol.edit import with_atlas_entry, with_guideline, without_atlas_entry
from overread.store import Blobs, Store

_SIDE = 1200  # pixels: as wide as any panel shows it


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is kept. Args: blob: SHA-256 of its PNG; rows, columns: its size."""

    blob: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What a lead says of an atlas entry.

    Args:
        about: question and class that it shows, "" for none.
        drawing: JSON of the findings to lay over it, "" for none.
    """

    about: tuple[str, str]
    do: bool
    why: str
    drawing: str = ""


def keep_upload(blobs: Blobs, file: Path, *, key: bytes) -> Picture:
    """Keep an uploaded picture, decoded in the child: whatever comes out is pixels and no more.

    Args:
        key: of the hashes of identifiers, which are not kept here.
    Raises:
        InputError: it is no image, or one that is refused.
    """
    with Child(key, Limits()) as child:
        for found in find_images([file], child):
            case = found if isinstance(found, Quarantined) else open_case(found, child)
            if isinstance(case, Quarantined):
                raise InputError("picture", "be an image that can be decoded", case.reason)
            return _kept(blobs, thumbnail(case, size=_SIDE))
    raise InputError("picture", "be DICOM, PNG, JPEG, TIFF or NIfTI", "something else")


def keep_case(store: Store, blobs: Blobs, case: str, frame: int, *, by: str, role: str) -> Picture:
    """Keep a picture of a case under its default window."""
    return _kept(blobs, picture(store, blobs, case, frame, reader=by, role=role))


def _kept(blobs: Blobs, png: bytes) -> Picture:
    columns, rows = struct.unpack(">II", png[16:24])  # of the header chunk, always the first
    return Picture(blobs.put(png), rows, columns)


def add_entry(
    store: Store, project: str, entry: NewEntry, image: Picture | None, *, base: int, by: str
) -> int:
    """Put an entry into the atlas; return the new version.

    Raises:
        InputError: no picture and no words, a drawing that does not fit.
        ConflictError: somebody saved a version after ``base``.
    """
    now = protocol_of(store, project)
    if not entry.why.strip():
        raise InputError("why", "say what is right or wrong in the picture", "nothing")
    question, name = entry.about
    made = AtlasEntry(
        _free_id(one.id for one in now.protocol.atlas),
        question or None,
        name or None,
        entry.do,
        entry.why.strip(),
        image.blob if image else None,
        image.rows if image else None,
        image.columns if image else None,
        _drawing(entry.drawing) if image else None,
    )
    return new_version(store, project, with_atlas_entry(now.text, made), base=base, by=by)


def remove_entry(store: Store, project: str, name: str, *, base: int, by: str) -> int:
    """Take an entry out of the atlas; the versions before keep it."""
    text = protocol_of(store, project).text
    return new_version(store, project, without_atlas_entry(text, name), base=base, by=by)


def set_guideline(store: Store, project: str, guideline: str, *, base: int, by: str) -> int:
    """Keep another guideline."""
    text = protocol_of(store, project).text
    return new_version(store, project, with_guideline(text, guideline), base=base, by=by)


def _free_id(taken: Any) -> str:
    known = set(taken)
    return next(name for at in range(1, 10_000) if (name := f"entry-{at}") not in known)


def _drawing(text: str) -> Mapping[str, Any] | None:
    if not text.strip():
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError("drawing", "be JSON", "something else") from error
    if not isinstance(found, dict):
        raise InputError("drawing", "map questions to findings", type(found).__name__)
    return {key: value for key, value in found.items() if value} or None
