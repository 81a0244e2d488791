"""Files made to hang, to swell or to lie."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, RLELossless

from tests.images.made import dataset, ramp, saved


def endless_jpeg2000(path: Path) -> Path:
    """A JP2 box of length 0 after the signature: pydicom 3.0.2 looks for the next one for ever."""
    signature = bytes.fromhex("0000000c6a5020200d0a870a")
    made = dataset(ramp(), syntax=JPEG2000)
    made.PixelData = encapsulate([signature + b"\0\0\0\0ftyp" + b"\0" * 64])
    made["PixelData"].is_undefined_length = True
    return saved(made, path)


def deflated(path: Path, *, megabytes: int = 512) -> Path:
    """A small file that inflates a thousandfold: a data set of one private element of zeros."""
    whole = saved(dataset(ramp()), path).read_bytes()
    start = whole.index(b"\x08\0\x16\0UI")  # SOP class: the first element after the meta group
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = whole[132:start].replace(
        struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0", struct.pack("<H", 22) + syntax
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, megabytes << 20))
    piece = b"\0" * (1 << 24)
    for _ in range(megabytes >> 4):
        body += packer.compress(piece)
    path.write_bytes(whole[:132] + meta + body + packer.flush())
    return path


def claimed(path: Path, *, rows: int = 60_000, columns: int = 60_000, frames: int = 9_999) -> Path:
    """A few bytes of pixels that claim to be terabytes."""
    return saved(dataset(ramp(), Rows=rows, Columns=columns, NumberOfFrames=frames), path)


def swelling_rle(path: Path) -> Path:
    """Run-length data that unpacks to 128 times the frame it claims to be."""
    made = dataset(ramp(64, 64, dtype="uint8"), syntax=RLELossless)
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * (1 << 20)
    made.PixelData = encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    return saved(made, path)


def deep(path: Path, *, depth: int = 20_000) -> Path:
    """Sequences within sequences."""
    whole = saved(dataset(ramp(), syntax=ExplicitVRLittleEndian), path).read_bytes()
    start = whole.index(b"\x08\0\x16\0UI")
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path.write_bytes(whole[:start] + (sequence + opening) * depth + whole[start:])
    return path


def png(path: Path, *, side: int = 50_000) -> Path:
    """A PNG of gigabytes of zeros in some megabytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" * (3 * side + 1)
    body = b"".join(packer.compress(row) for _ in range(2000)) + packer.flush()

    def chunk(kind: bytes, told: bytes) -> bytes:
        return (
            struct.pack(">I", len(told)) + kind + told + struct.pack(">I", zlib.crc32(kind + told))
        )

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    return path


def nifti(path: Path, *, side: int = 2000) -> Path:
    """A gzipped volume of 16 GB of zeros, cut short."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_shape((side, side, side))
    header.set_data_dtype(np.int16)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + b"\0\0\0\0")
        for _ in range(8):
            file.write(b"\0" * (1 << 24))
    return path


BOMBS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "endless_jpeg2000": (endless_jpeg2000, "dicom", "too slow"),
    "deflated": (deflated, "dicom", "too large"),
    "claimed": (claimed, "dicom", "too large"),
    "png": (png, "picture", "too large"),
    "nifti": (nifti, "nifti", "too large"),
}
"""Maker, kind and cause of refusal of each."""
