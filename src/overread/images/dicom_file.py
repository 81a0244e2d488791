"""A DICOM file as a data set, bounded before it is unpacked."""

from __future__ import annotations

import io
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from overread.images.dicom_values import Dataset, number, text
from overread.images.limits import Limits
from overread.images.refusal import RefusedError

_LONG = {b"OB", b"OW", b"OF", b"OD", b"OL", b"SQ", b"UN", b"UT", b"UC", b"UR", b"SV", b"UV", b"OV"}
_DEFLATED = "1.2.840.10008.1.2.1.99"
_EXPLICIT = "1.2.840.10008.1.2.1"
_DIRECTORY = "1.2.840.10008.1.3.10"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LABELS = {"SEG", "RTSTRUCT", "SR", "PR", "KO", "REG", "RTPLAN", "DOC", "ANN"}
_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True, slots=True)
class _Wanted:
    pixels: bool
    tags: list[Any] | None


def open_regular(path: Path, limits: Limits) -> BinaryIO:
    """Open a regular file that is not too large, without following a link.

    Raises:
        RefusedError: it is something else, too large, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedError("unsafe path", "the file cannot be opened") from error
    file = os.fdopen(handle, "rb")
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        file.close()
        raise RefusedError("unsafe path", "it is not a regular file")
    if state.st_size > limits.file_bytes:
        file.close()
        rule = f"a file may have {limits.file_megabytes} MB"
        raise RefusedError("too large", f"{rule}; this one has {state.st_size >> 20}")
    return file


def read_dicom(
    path: Path, limits: Limits, *, pixels: bool = True, tags: list[Any] | None = None
) -> Dataset:
    """Parse one file.

    Args:
        pixels: read them too; without them reading stops where they begin.
        tags: keywords to read; None reads everything.
    Raises:
        RefusedError: not DICOM, damaged, or larger than the limits when inflated.
    """
    with open_regular(path, limits) as file:
        syntax, start = transfer_syntax(file.read(4096))
        file.seek(0)
        try:
            if syntax == _DEFLATED:
                return _inflated(file, start, limits, _Wanted(pixels, tags))
            return _parsed(file, _Wanted(pixels, tags))
        except (MemoryError, ImportError, RefusedError):
            raise
        except Exception as error:  # a hostile header makes pydicom raise anything
            raise RefusedError("damaged", "the DICOM header cannot be parsed") from error


def refuse_non_image(dataset: Dataset) -> None:
    """Refuse DICOM objects that are not images to read.

    Raises:
        RefusedError: a directory, a report, labels, a tiled slide, or no pixels.
    """
    if text(getattr(dataset, "file_meta", None), "MediaStorageSOPClassUID") == _DIRECTORY:
        raise RefusedError("not an image", "a DICOMDIR; the files are found without it")
    modality = text(dataset, "Modality")
    if modality in _LABELS:
        reason = f"a DICOM object of modality {modality}, which holds labels or text, not an image"
        raise RefusedError("not an image", reason)
    if text(dataset, "SOPClassUID") == _SLIDE:
        raise RefusedError("not supported", "a tiled whole-slide image")
    if number(dataset, "Rows") is None or number(dataset, "Columns") is None:
        raise RefusedError("not an image", "a DICOM object without pixels")


def transfer_syntax(head: bytes) -> tuple[str, int]:
    """Transfer syntax of the file meta information and where the data set starts; "" if none."""
    if head[128:132] != b"DICM":
        return "", 0
    at, syntax = 132, ""
    while at + 12 <= len(head) and head[at : at + 2] == b"\x02\0":
        long = head[at + 4 : at + 6] in _LONG
        (length,) = struct.unpack_from("<I" if long else "<H", head, at + (8 if long else 6))
        begin = at + (12 if long else 8)
        if head[at + 2 : at + 4] == b"\x10\0":
            syntax = head[begin : begin + length].decode("ascii", "replace").strip("\0 ")
        at = begin + length
    return syntax, at


def has_pixels(dataset: Dataset) -> bool:
    """Whether there are any samples to decode."""
    return any(keyword in dataset for keyword in _PIXELS)


def _parsed(file: BinaryIO, wanted: _Wanted) -> Dataset:
    from pydicom import dcmread  # noqa: PLC0415 - the child alone needs it

    short = not wanted.pixels
    return dcmread(file, force=True, stop_before_pixels=short, specific_tags=wanted.tags)


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag >= 0x7FE00008


def _inflated(file: BinaryIO, start: int, limits: Limits, wanted: _Wanted) -> Dataset:
    """A deflated data set, unpacked up to the limit and parsed as the explicit one it is."""
    from pydicom.dataset import FileDataset, FileMetaDataset  # noqa: PLC0415 - as above
    from pydicom.filereader import read_dataset  # noqa: PLC0415
    from pydicom.uid import UID  # noqa: PLC0415

    file.seek(start)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflate.decompress(file.read(), limits.result_bytes)
    if inflate.unconsumed_tail:
        rule = f"a data set may inflate to {limits.result_megabytes} MB"
        raise RefusedError("too large", f"{rule}; this one goes beyond")
    elements = read_dataset(
        io.BytesIO(plain),
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=None if wanted.pixels else _at_pixels,
        specific_tags=wanted.tags,
    )
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(_EXPLICIT)
    made = FileDataset("", elements, file_meta=meta, is_implicit_VR=False, is_little_endian=True)
    made.set_original_encoding(False, True, "iso8859")
    return made
