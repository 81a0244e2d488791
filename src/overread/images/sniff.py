"""What a file is, from its first bytes; its name is never asked."""

from __future__ import annotations

import struct
import zlib
from typing import Literal, TypeAlias

HEAD_BYTES = 4096
Kind: TypeAlias = Literal["dicom", "bare dicom", "picture", "nifti", "nifti pair", ""]

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def sniff(head: bytes) -> Kind:
    """Tell what a file is.

    Args:
        head: its first ``HEAD_BYTES`` bytes.
    Returns:
        "bare dicom" is a data set without the preamble, which only a parser can confirm; "" is
        nothing that is known.
    """
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith(_PICTURES):
        return "picture"
    if head.startswith(b"\x1f\x8b"):
        head = _unpacked(head)
    nifti = _nifti(head)
    if nifti:
        return nifti
    return "bare dicom" if _bare_dicom(head) else ""


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _nifti(head: bytes) -> Kind:
    if len(head) < 348:
        return ""
    size = {struct.unpack_from(order + "i", head)[0] for order in "<>"}
    if 540 in size:
        magic = head[4:8]
        return {b"n+2\0": "nifti", b"ni2\0": "nifti pair"}.get(magic, "")  # type: ignore[return-value]
    if 348 in size:
        magic = head[344:348]
        return {b"n+1\0": "nifti", b"ni1\0": "nifti pair"}.get(magic, "nifti pair")  # type: ignore[return-value]
    return ""


def _bare_dicom(head: bytes) -> bool:
    """Starts with a low element of group 2 or 8, in either byte order, of a plausible length."""
    if len(head) < 16:
        return False
    for order in "<>":
        group, element = struct.unpack_from(order + "HH", head)
        if group in {2, 8} and element <= 0x18:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            length = struct.unpack_from(
                order + ("H" if explicit else "I"), head, 6 if explicit else 4
            )
            if length[0] <= 1024:
                return True
    return False
