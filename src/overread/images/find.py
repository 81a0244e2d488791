"""Which cases lie under some folders."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.images.case_image import Found, Quarantined
from overread.images.child import Child
from overread.images.decode import quarantined, refuse_missing
from overread.images.grouping import Slice, slice_from, stacks
from overread.images.refusal import RefusedError
from overread.images.walk import Seen, walk


def find_images(paths: Iterable[Path], child: Child) -> Iterator[Found | Quarantined]:
    """Find the cases under files and folders.

    Single images come as they are found, series of slices at the end, when all their slices are
    known. Every file is in exactly one result; links within a folder are left out, for their
    targets are found themselves.

    Args:
        paths: files and folders.
        child: parses DICOM headers, as hostile as any pixel.
    Raises:
        InputError: a path does not exist.
        MissingExtraError: the packages for a kind of file are not installed.
    """
    slices: list[Slice] = []
    for seen in walk(paths):
        try:
            found = _one(seen, child)
        except RefusedError as refused:
            yield quarantined(refused, (seen.path,))
            continue
        if isinstance(found, Slice):
            slices.append(found)
        else:
            yield found
    yield from stacks(slices, _same_bytes)


def _one(seen: Seen, child: Child) -> Found | Slice:
    if seen.problem:
        raise RefusedError("unsafe path", seen.problem)
    if seen.empty:
        raise RefusedError("damaged", "the file is empty")
    if seen.kind == "nifti pair":
        reason = "NIfTI in two files (.hdr and .img) or Analyze; convert it to .nii"
        raise RefusedError("not supported", reason)
    if not seen.kind:
        raise RefusedError("not an image", "neither DICOM, PNG, JPEG, TIFF nor NIfTI")
    if seen.kind in {"picture", "nifti"}:
        return Found("nifti" if seen.kind == "nifti" else "picture", (seen.path,))
    refuse_missing("dicom")
    answer, file = child.run("scan", "dicom", (seen.path,))
    file.close()
    told = slice_from(seen.path, answer["slice"])
    return told if told.series else Found("dicom", (seen.path,))


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
