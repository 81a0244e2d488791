"""JPEG of 12 bits with loss (process 4): pydicom's free plug-ins leave it out, GDCM reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SYNTAX = "1.2.840.10008.1.2.4.51"


def decode_frame(encoded: bytes, *, rows: int, columns: int, stored: int) -> NDArray[np.uint16]:
    """Decode one grey frame.

    Args:
        encoded: one JPEG stream.
        stored: bits of a sample, 9-12.
    Returns:
        (rows, columns), unsigned as the syntax demands.
    Raises:
        ValueError: GDCM cannot decode it, or its size is another.
        ImportError: GDCM is not installed.
    """
    import gdcm  # noqa: PLC0415 - an extra, needed here alone

    image = _image(gdcm, encoded, (columns, rows), stored)
    told = image.GetBuffer()
    raw = told.encode("utf-8", "surrogateescape") if isinstance(told, str) else b""
    if len(raw) != rows * columns * 2:
        raise ValueError("size")
    return np.frombuffer(raw, "<u2").reshape(rows, columns).astype(np.uint16)


def _image(gdcm: Any, encoded: bytes, size: tuple[int, int], stored: int) -> Any:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(encoded)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((*size, 1))
    image.SetDataElement(element)
    grey = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    syntax = gdcm.TransferSyntax.GetTSType(SYNTAX)
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, stored, stored - 1, 0))
    return image
