"""The few values of a DICOM header that decide which files belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from overread.images.dicom_about import keyed
from overread.images.dicom_file import read_dicom, refuse_non_image
from overread.images.dicom_frames import sizes_of
from overread.images.dicom_values import code, number, numbers, text
from overread.images.limits import Limits

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Modality", "Rows",
    "Columns", "SamplesPerPixel", "NumberOfFrames", "PhotometricInterpretation", "InstanceNumber",
    "ImageOrientationPatient", "ImagePositionPatient",
]  # fmt: skip
_STACKED = {"CT", "MR", "PT"}


def scan(path: Path, secret: bytes, limits: Limits) -> dict[str, Any]:
    """Read what grouping needs; identifiers leave the child as keyed hashes alone.

    Returns:
        the fields of ``grouping.Slice`` without the path.
    Raises:
        RefusedError: not DICOM, damaged, or not an image.
    """
    header = read_dicom(path, limits, pixels=False, tags=list(_TAGS))
    refuse_non_image(header)
    count, rows, columns, samples = sizes_of(header)
    series = text(header, "SeriesInstanceUID")
    stacked = code(header, "Modality") in _STACKED and count == 1 and bool(series)
    return {
        "series": keyed(secret, "series", series) if stacked else "",
        "instance": keyed(secret, "instance", text(header, "SOPInstanceUID")),
        "size": [rows, columns, samples],
        "orientation": list(numbers(header, "ImageOrientationPatient")),
        "position": list(numbers(header, "ImagePositionPatient")),
        "number": number(header, "InstanceNumber") or 0.0,
    }
