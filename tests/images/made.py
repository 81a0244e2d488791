"""DICOM files made for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import config
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

NAMES = ("Doe^Jane", "PAT-4711", "St. Elsewhere", "19500402")


def dataset(pixels: NDArray[Any], **elements: Any) -> FileDataset:
    """A secondary capture of (rows, columns), (rows, columns, 3) or frames with ``frames=True``.

    Args:
        elements: keywords to set; ``frames``: the first axis counts frames; ``stored``: bits.
    """
    frames = elements.pop("frames", False)
    stored = elements.pop("stored", 8 * pixels.dtype.itemsize)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = elements.pop("syntax", ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = generate_uid()
    big = meta.TransferSyntaxUID == ExplicitVRBigEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_little_endian=not big)
    shape = pixels.shape[1:] if frames else pixels.shape
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, generate_uid()
    made.PatientName, made.PatientID, made.InstitutionName, made.PatientBirthDate = NAMES
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.Modality = "OT"
    made.Rows, made.Columns = shape[:2]
    made.SamplesPerPixel = 3 if len(shape) == 3 else 1
    made.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        made.PlanarConfiguration = 0
    if frames:
        made.NumberOfFrames = pixels.shape[0]
    made.BitsAllocated = 8 * pixels.dtype.itemsize
    made.BitsStored, made.HighBit = stored, stored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.tobytes()
    made.PixelData = raw + b"\0" * (len(raw) % 2)
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def saved(made: FileDataset, path: Path) -> Path:
    """Write a data set, strange values and all."""
    made.save_as(path, enforce_file_format=False)
    return path


def item(**elements: Any) -> Dataset:
    """One item of a sequence, with values that need not keep to the standard."""
    made = Dataset()
    with config.disable_value_validation():
        for keyword, value in elements.items():
            setattr(made, keyword, value)
    return made


def ramp(rows: int = 12, columns: int = 9, *, dtype: str = "uint16") -> NDArray[Any]:
    """Every pixel another value."""
    return np.arange(rows * columns, dtype=dtype).reshape(rows, columns)
