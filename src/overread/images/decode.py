"""From found files to a case, by way of the child."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import mmap
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import frozen
from overread.errors import MissingExtraError
from overread.images.case_image import (
    STORED_TYPES,
    CaseImage,
    CaseMeta,
    Details,
    Found,
    Frame,
    Overlay,
    Quarantined,
    Window,
)
from overread.images.child import Child
from overread.images.limits import Limits
from overread.images.packing import content_hash
from overread.images.refusal import RefusedError
from overread.images.samples import narrowest
from overread.images.show import automatic_window

_NEEDS = {"dicom": "pydicom", "picture": "PIL", "nifti": "nibabel"}


def open_case(found: Found, child: Child) -> CaseImage | Quarantined:
    """Decode one case in the child.

    Raises:
        MissingExtraError: the packages for this kind of file are not installed.
    """
    refuse_missing(found.kind)
    try:
        answer, file = child.run("decode", found.kind, found.files)
        with file:
            return _case(answer, file, found)
    except RefusedError as refused:
        return quarantined(refused, found.files)


def decode_in_child(
    found: Found, *, secret: bytes, seconds: float = 30.0, megabytes: int = 2048
) -> CaseImage | Quarantined:
    """Decode one case in a child of its own; for many cases keep a :class:`Child`.

    Args:
        secret: key of the hashes of identifiers.
        seconds, megabytes: bounds, see :class:`Limits`.
    """
    with Child(secret, Limits(seconds=seconds, megabytes=megabytes)) as child:
        return open_case(found, child)


def refuse_missing(kind: str) -> None:
    """Raise where a kind of file needs a package that is not installed."""
    if importlib.util.find_spec(_NEEDS[kind]) is None:
        raise MissingExtraError("Reading image files", "images")


def quarantined(refused: RefusedError, files: Sequence[Path]) -> Quarantined:
    """A quarantine entry for files that were refused."""
    return Quarantined(refused.cause, refused.reason, source_hash(files), tuple(files))


def source_hash(files: Sequence[Path]) -> str:
    """SHA-256 of the bytes of some regular files, "" where they cannot be read."""
    total = hashlib.sha256()
    try:
        for path in files:
            if path.is_symlink() or not path.is_file():
                return ""
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    except OSError:
        return ""
    return total.hexdigest()


def _case(answer: dict[str, Any], file: IO[bytes], found: Found) -> CaseImage:
    """Check the child's answer and lay arrays over its samples."""
    try:
        frames, overlays = _arrays(answer, file)
        details = _details(answer["details"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RefusedError("crash", "the decoder's answer makes no sense") from error
    told = {one.name: getattr(details, one.name) for one in fields(details)}
    told["notes"] = (*found.notes, *details.notes)
    if frames[0].ndim == 2 and not details.windows:
        told["windows"] = (automatic_window(frames, details),)
    return CaseImage(
        frames=frames, overlays=overlays, content_hash=content_hash(frames, details), **told
    )


def _arrays(
    answer: dict[str, Any], file: IO[bytes]
) -> tuple[tuple[Frame, ...], tuple[Overlay, ...]]:
    shape = tuple(int(side) for side in answer["shape"])
    types = [str(name) for name in answer["types"]]
    if not types or not set(types) <= set(STORED_TYPES) or len(shape) not in {2, 3}:
        raise ValueError("types")
    low, high = (float(end) for end in answer["range"])
    stored = np.dtype(narrowest(low, high, fractions="float32" in types))
    samples = math.prod(shape)
    sizes = [np.dtype(name).itemsize * samples for name in types]
    drawn = (shape[0] * shape[1] + 7) // 8
    layers = [int(frame) for frame in answer["overlays"]]
    whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if min(shape) < 1 or len(whole) != sum(sizes) + drawn * len(layers):
        raise ValueError("size")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    frames = tuple(
        _frame(whole, name, int(start), shape, stored)
        for name, start in zip(types, starts, strict=False)
    )
    overlays = tuple(
        Overlay(frame, _bits(whole, int(starts[-1]) + at * drawn, shape))
        for at, frame in enumerate(layers)
        if 0 <= frame < len(frames)
    )
    return frames, overlays


def _frame(
    whole: mmap.mmap, name: str, start: int, shape: tuple[int, ...], stored: np.dtype[Any]
) -> Frame:
    kind = np.dtype(name).newbyteorder("<")
    flat = np.frombuffer(whole, kind, count=math.prod(shape), offset=start)
    return frozen(flat.reshape(shape).astype(stored, copy=False))


def _bits(whole: mmap.mmap, start: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    pixels = shape[0] * shape[1]
    packed = np.frombuffer(whole, np.uint8, count=(pixels + 7) // 8, offset=start)
    return frozen(np.unpackbits(packed, count=pixels).reshape(shape[:2]).astype(np.bool_))


def _details(told: dict[str, Any]) -> Details:
    """Details of the child's answer, every field made anew from plain values."""
    numbers = {name: _number(told[name]) for name in ("slice_mm", "thickness_mm", "frame_time_ms")}
    return Details(
        modality=str(told["modality"])[:16],
        invert=bool(told["invert"]),
        slope=float(told["slope"]),
        intercept=float(told["intercept"]),
        spacing_mm=_pair(told["spacing_mm"]),
        spacing_from=told["spacing_from"],
        slice_positions=tuple(float(one) for one in told["slice_positions"]),
        windows=tuple(Window(**one) for one in told["windows"]),
        padding=_pair(told["padding"]),
        meta=CaseMeta(**told["meta"]),
        group=told["group"],
        group_from=told["group_from"],
        notes=tuple(str(one) for one in told["notes"]),
        **numbers,
    )


def _number(told: Any) -> float | None:
    return None if told is None else float(told)


def _pair(told: Any) -> tuple[float, float] | None:
    return None if told is None else (float(told[0]), float(told[1]))
