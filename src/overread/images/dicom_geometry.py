"""Where pixels lie: spacing, slices, and what to do when a file does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overread.images.case_image import SpacingSource
from overread.images.dicom_values import Dataset, first_item, items, number, numbers, whole

_CENTIMETRES = 3  # Physical Units X/Y Direction of an ultrasound region
_TISSUE = 1  # Region Spatial Format: two-dimensional


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distance of pixel centres.

    Args:
        mm: (row, column); None if unknown.
        source: where it comes from.
        note: what to tell the lead, "" for nothing.
    """

    mm: tuple[float, float] | None = None
    source: SpacingSource = ""
    note: str = ""


def spacing_of(dataset: Dataset, measures: Dataset | None = None) -> Spacing:
    """Spacing of one image.

    Args:
        measures: the functional group that holds Pixel Spacing, if there is one.
    Source:
        DICOM PS3.3 10.7.1.3 (Pixel Spacing against Imager Pixel Spacing), C.8.5.5 (regions).
    """
    for place in (measures, dataset):
        in_patient = _pair(numbers(place, "PixelSpacing"))
        if in_patient:
            return Spacing(in_patient, "pixel")
    at_detector = _pair(numbers(dataset, "ImagerPixelSpacing"))
    if at_detector:
        return _from_detector(dataset, at_detector)
    region = _ultrasound(dataset)
    if region.mm or region.note:
        return region
    nominal = _pair(numbers(dataset, "NominalScannedPixelSpacing"))
    if nominal:
        return Spacing(nominal, "detector", "spacing is that of the scanned film")
    claimed = numbers(dataset, "PixelSpacing") or numbers(dataset, "ImagerPixelSpacing")
    return Spacing(note="the spacing of the file is not above 0 and is left out" if claimed else "")


def position_along_normal(dataset: Dataset, place: Dataset | None = None) -> float | None:
    """Signed distance of a slice along its normal, mm; None where the file does not say.

    Args:
        place: the functional groups' (orientation, position) merged, else the data set itself.
    """
    source = dataset if place is None else place
    return along_normal(
        numbers(source, "ImageOrientationPatient"), numbers(source, "ImagePositionPatient")
    )


def along_normal(orientation: Sequence[float], position: Sequence[float]) -> float | None:
    """As :func:`position_along_normal`, from the six cosines and the three coordinates."""
    if len(orientation) != 6 or len(position) != 3:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return float(np.dot(normal, position)) / length if length > 0.5 else None


def even_step(positions: Sequence[float]) -> tuple[float | None, str]:
    """Distance of neighbouring slices, None if uneven, and a note about gaps.

    Args:
        positions: mm, ascending.
    """
    if len(positions) < 2:
        return None, ""
    steps = np.diff(np.asarray(positions, dtype=np.float64))
    middle = float(np.median(steps))
    if middle <= 0:
        return None, "several frames lie at the same position"
    if np.all(np.abs(steps - middle) <= max(0.02 * middle, 0.01)):
        return round(middle, 6), ""
    gaps = int(np.count_nonzero(steps > 1.5 * middle))
    return None, f"slices are not evenly spaced: {gaps} gaps" if gaps else "uneven slice distances"


def _pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    sound = len(values) == 2 and all(1e-6 < one < 1e6 for one in values)
    return (values[0], values[1]) if sound else None


def _from_detector(dataset: Dataset, mm: tuple[float, float]) -> Spacing:
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor")
    if factor is not None and 1 <= factor < 10:
        return Spacing((mm[0] / factor, mm[1] / factor), "pixel")
    return Spacing(mm, "detector", "spacing is that of the detector, not of the patient")


def _ultrasound(dataset: Dataset) -> Spacing:
    """Spacing of the calibrated regions where all tissue regions agree."""
    found: set[tuple[float, float]] = set()
    for region in items(dataset, "SequenceOfUltrasoundRegions"):
        units = {whole(region, f"PhysicalUnits{axis}Direction", 0) for axis in "XY"}
        if whole(region, "RegionSpatialFormat", 0) != _TISSUE or units != {_CENTIMETRES}:
            continue
        deltas = [number(region, f"PhysicalDelta{axis}") for axis in "YX"]
        pair = _pair(tuple(abs(delta) * 10 for delta in deltas if delta is not None))
        if pair:
            found.add((round(pair[0], 9), round(pair[1], 9)))
    if len(found) > 1:
        return Spacing(note="ultrasound regions of different calibration: no common spacing")
    return Spacing(found.pop(), "region") if found else Spacing()


def functional(dataset: Dataset, frame: int, group: str) -> Dataset | None:
    """Item of a functional group of one frame: its own, else the shared one."""
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    inner = first_item(own[frame], group) if frame < len(own) else None
    return inner or first_item(first_item(dataset, "SharedFunctionalGroupsSequence"), group)


def frame_positions(dataset: Dataset, count: int) -> list[float | None]:
    """Position along the normal of every frame of a multi-frame image."""
    offsets = numbers(dataset, "GridFrameOffsetVector")
    if len(offsets) == count > 1:
        return list(offsets)
    found: list[float | None] = []
    for frame in range(count):
        plane = functional(dataset, frame, "PlaneOrientationSequence")
        place = functional(dataset, frame, "PlanePositionSequence")
        orientation = numbers(plane, "ImageOrientationPatient")
        found.append(along_normal(orientation, numbers(place, "ImagePositionPatient")))
        if found[0] is None:
            return [None] * count
    return found
