"""Images that the tests write themselves: grey of 8 and 16 bit, colour, a DICOM series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def grey8(path: Path, *, seed: int, size: tuple[int, int] = (384, 512)) -> None:
    """An 8-bit PNG of ``size`` rows and columns."""
    Image.fromarray((_ground(seed, size) * 200).astype(np.uint8)).save(path)


def grey16(path: Path, *, seed: int, size: tuple[int, int] = (400, 300)) -> None:
    """A 16-bit PNG that uses 12 of its bits."""
    Image.fromarray((_ground(seed, size) * 4095).astype(np.uint16)).save(path)


def colour(path: Path, *, seed: int, size: tuple[int, int] = (256, 320)) -> None:
    """A colour PNG."""
    layers = [(_ground(seed + k, size) * 255).astype(np.uint8) for k in range(3)]
    Image.fromarray(np.stack(layers, axis=-1)).save(path)


def series(folder: Path, *, seed: int, slices: int = 4, side: int = 128) -> None:
    """A CT of several slices, one file each, in an order that the names do not tell."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    study, whole = generate_uid(), generate_uid()
    for at in range(slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        one.StudyInstanceUID, one.SeriesInstanceUID, one.Modality = study, whole, "CT"
        one.PatientName, one.PatientID = "Secret^Name", f"secret-{seed}"
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [0, 0, 2.5 * at]
        one.PixelSpacing, one.SliceThickness, one.InstanceNumber = [0.8, 0.8], 2.5, at + 1
        one.Rows = one.Columns = side
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation = 15, 0
        one.RescaleIntercept, one.RescaleSlope = -1024, 1
        values = (_ground(seed + at, (side, side)) * 2000).astype("<u2")
        one.PixelData = values.tobytes()
        one.save_as(folder / f"{(7 * at) % 11}.dcm", enforce_file_format=True)


def _ground(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Smooth, never the same twice, values 0 to 1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[0], 0 : size[1]] / max(size)
    waves = sum(np.sin(rng.uniform(3, 12) * x + rng.uniform(3, 12) * y) for _ in range(3))
    return (waves + 3) / 6
