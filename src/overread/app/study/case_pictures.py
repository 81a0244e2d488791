"""The samples of a case for the reading page, and pictures of it for people."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.images import CaseImage, Window, brightness, unpack_frame
from overread.images import thumbnail as thumbnail_of
from overread.store import Blobs, CaseRow, Store, get_case, role_in
from overread.store.errors import NotFoundError

_LARGE = 1600


@dataclass(frozen=True, slots=True)
class Shown:
    """A case with what is needed to show it.

    Args:
        name: for people; no identifier.
        frames: SHA-256 of the blob of each frame.
        thumbnail: SHA-256 of the small picture.
        image: rows, columns, frames, samples, dtype, windows ... as the store keeps them.
        meta: age band, sex, site, device; nothing that names anybody.
    """

    id: str
    project: str
    image: Mapping[str, Any]
    meta: Mapping[str, Any]
    name: str
    frames: tuple[str, ...]
    thumbnail: str | None


def shown_of(row: CaseRow) -> Shown:
    """A case as the store keeps one."""
    return Shown(row.id, row.project, row.image, row.meta, row.name, row.frames, row.thumbnail)


def shown(store: Store, case: str, *, reader: str, role: str) -> Shown:
    """A case, for somebody who may see it.

    Raises:
        NotFoundError: no such case, or of a project that they do not read.
    """
    row = get_case(store, case)
    if role != "admin" and role_in(store, row.project, reader) is None:
        raise NotFoundError("case", case)
    return shown_of(row)


def frame(store: Store, blobs: Blobs, case: str, number: int, *, reader: str, role: str) -> bytes:
    """One frame: gzip of raw little-endian samples.

    Raises:
        NotFoundError: no such frame, or not theirs.
    """
    found = shown(store, case, reader=reader, role=role)
    if number >= len(found.frames):
        raise NotFoundError("frame", number)
    return blobs.get(found.frames[number])


def unpacked(packed: bytes) -> bytes:
    """Samples for who cannot unpack them."""
    return gzip.decompress(packed)


def thumbnail(store: Store, blobs: Blobs, case: str, *, reader: str, role: str) -> bytes:
    """A small PNG: the one of the import, or made now."""
    found = shown(store, case, reader=reader, role=role)
    if found.thumbnail:
        return blobs.get(found.thumbnail)
    return _drawn(found, blobs, found.image["frames"] // 2, 256)


def picture(store: Store, blobs: Blobs, case: str, number: int, *, reader: str, role: str) -> bytes:
    """One frame under the default window, as PNG of at most 1,600 pixels a side."""
    found = shown(store, case, reader=reader, role=role)
    if number >= found.image["frames"]:
        raise NotFoundError("frame", number)
    return _drawn(found, blobs, number, _LARGE)


def atlas_picture(blobs: Blobs, name: str) -> bytes:
    """Picture of an atlas entry, a PNG that the import of atlas pictures made."""
    found = blobs.get(name)
    if not found.startswith(b"\x89PNG"):  # a protocol may name any blob; frames are none of these
        raise NotFoundError("picture", name[:12])
    return found


def brightness_of(case: Shown | CaseRow, blobs: Blobs, number: int) -> NDArray[np.uint8]:
    """One frame under the default window: (rows, columns) grey, or (rows, columns, 3).

    Raises:
        NotFoundError: its blob is gone; BrokenLogError: it was changed.
    """
    return brightness(_as_image(case, blobs, number))


def _drawn(case: Shown, blobs: Blobs, number: int, size: int) -> bytes:
    return thumbnail_of(_as_image(case, blobs, number), size=size)


def _as_image(case: Shown | CaseRow, blobs: Blobs, number: int) -> CaseImage:
    image = case.image
    frame = unpack_frame(
        blobs.get(case.frames[number]),
        rows=image["rows"],
        columns=image["columns"],
        samples=image["samples"],
        dtype=image["dtype"],
    )
    return CaseImage(
        frames=(np.nan_to_num(frame) if frame.dtype.kind == "f" else frame,),
        content_hash="",
        invert=image.get("invert", False),
        slope=image.get("slope", 1.0),
        intercept=image.get("intercept", 0.0),
        windows=tuple(Window(**each) for each in image.get("windows", [])),
    )
