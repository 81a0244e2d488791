"""DICOM files into one case: a series of slices, a multi-frame image, or a single image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.images.case_image import Details, Overlay, Window
from overread.images.dicom_about import group_of, group_source, meta_of
from overread.images.dicom_display import (
    Plan,
    Rescale,
    apply,
    padding_of,
    plan_of,
    rescale_of,
    windows_of,
)
from overread.images.dicom_file import read_dicom, refuse_non_image
from overread.images.dicom_frames import frames_of, overlays_of, sizes_of
from overread.images.dicom_geometry import (
    even_step,
    frame_positions,
    functional,
    position_along_normal,
    spacing_of,
)
from overread.images.dicom_values import Dataset, code, number, numbers, text
from overread.images.limits import Limits
from overread.images.refusal import RefusedError
from overread.images.stack import Stack, refuse_size

_MOST_OVERLAYS = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Slices:
    """What the headers of a case say before any pixel is decoded."""

    files: Sequence[Path]
    headers: Sequence[Dataset]
    order: tuple[int, ...]
    positions: tuple[float, ...]


def dicom_stack(files: Sequence[Path], secret: bytes, limits: Limits) -> Stack:
    """Read the headers of one case and prepare its frames.

    Args:
        files: the slices of a series in their order, or one file.
        secret: key of the hashes of identifiers.
    Raises:
        RefusedError: damaged, too large, not an image, or of a kind that is not read.
    """
    headers = [_header(path, limits) for path in files]
    sizes = {sizes_of(header)[1:] for header in headers}
    if len(sizes) > 1:
        raise RefusedError("damaged", "the slices changed their size while they were read")
    counts = [sizes_of(header)[0] for header in headers]
    ((rows, columns, samples),) = sizes
    refuse_size(rows, columns, samples=samples, count=sum(counts), limits=limits)
    slices = _placed(files, headers, sum(counts))
    plan = _plan(slices) if samples == 1 else Plan(None)
    graphics: list[Overlay] = []
    return Stack(
        frames=_frames(slices, plan, limits, graphics),
        count=sum(counts),
        rows=rows,
        columns=columns,
        samples=samples,
        details=_details(slices, plan, secret, samples),
        overlays=lambda: tuple(graphics[:_MOST_OVERLAYS]),
    )


def _header(path: Path, limits: Limits) -> Dataset:
    header = read_dicom(path, limits, pixels=False)
    refuse_non_image(header)
    return header


def _placed(files: Sequence[Path], headers: Sequence[Dataset], count: int) -> _Slices:
    """Order of the frames, by position where all are known and differ."""
    places: list[float | None]
    if len(headers) > 1 or count == 1:
        places = [position_along_normal(header) for header in headers]
    else:
        places = frame_positions(headers[0], count)
    known = [place for place in places if place is not None]
    as_stored = tuple(range(count))
    if len(known) < count or len({round(place, 3) for place in known}) < count:
        return _Slices(files, headers, as_stored, ())
    # Slices of a series come sorted; frames of one file may lie in any order.
    order = as_stored if len(headers) > 1 else tuple(int(at) for at in np.argsort(known))
    return _Slices(files, headers, order, tuple(round(known[at], 4) for at in order))


def _plan(slices: _Slices) -> Plan:
    first = slices.headers[0]
    if len(slices.headers) > 1:
        return plan_of(tuple(rescale_of(header) for header in slices.headers))
    groups = (functional(first, at, "PixelValueTransformationSequence") for at in slices.order)
    return plan_of(tuple(rescale_of(first, group) for group in groups))


def _frames(
    slices: _Slices, plan: Plan, limits: Limits, graphics: list[Overlay]
) -> Iterator[NDArray[Any]]:
    """Samples in the case's order; overlays are noted on the way."""
    if len(slices.files) > 1:
        for at, path in enumerate(slices.files):
            dataset = read_dicom(path, limits)
            graphics.extend(overlays_of(dataset, at, 1))
            yield from (_sample(plan, frame, at) for frame in frames_of(dataset))
        return
    dataset = read_dicom(slices.files[0], limits)
    count = len(slices.order)
    drawn = overlays_of(dataset, 0, count)
    place = {frame: at for at, frame in enumerate(slices.order)}
    graphics.extend(Overlay(place[one.frame], one.bits) for one in drawn)
    if slices.order == tuple(range(count)):
        yield from (_sample(plan, frame, at) for at, frame in enumerate(frames_of(dataset)))
        return
    decoded = list(frames_of(dataset))  # bounded: the claimed size was checked
    if len(decoded) != count:
        raise RefusedError("damaged", f"{count} frames are claimed, {len(decoded)} are there")
    yield from (_sample(plan, decoded[frame], at) for at, frame in enumerate(slices.order))


def _sample(plan: Plan, frame: NDArray[Any], at: int) -> NDArray[Any]:
    return apply(plan, frame, at) if frame.ndim == 2 else frame


def _details(slices: _Slices, plan: Plan, secret: bytes, samples: int) -> Details:
    first = slices.headers[0]
    middle = len(slices.order) // 2
    shown = slices.headers[middle] if len(slices.headers) > 1 else first
    measures = functional(first, slices.order[middle], "PixelMeasuresSequence")
    spacing = spacing_of(first, measures)
    step, gaps = even_step(slices.positions)
    scale = plan.applied[0] if plan.applied else Rescale()
    grey = samples == 1
    return Details(
        modality=code(first, "Modality"),
        invert=text(first, "PhotometricInterpretation").upper() == "MONOCHROME1",
        slope=plan.left[0],
        intercept=plan.left[1],
        spacing_mm=spacing.mm,
        spacing_from=spacing.source,
        slice_positions=slices.positions,
        slice_mm=step,
        thickness_mm=_positive(number(measures, "SliceThickness"), number(first, "SliceThickness")),
        windows=_windows(first, shown, slices.order[middle]) if grey else (),
        frame_time_ms=_frame_time(first, len(slices.order)),
        padding=padding_of(first, scale, applied=plan.applied is not None) if grey else None,
        meta=meta_of(first, secret),
        group=group_of(first, secret),
        group_from=group_source(first),
        notes=tuple(note for note in (spacing.note, gaps, *_warnings(first)) if note),
    )


def _windows(first: Dataset, shown: Dataset, frame: int) -> tuple[Window, ...]:
    return windows_of((functional(first, frame, "FrameVOILUTSequence"), shown, first))


def _positive(*values: float | None) -> float | None:
    return next((value for value in values if value is not None and 0 < value < 1e4), None)


def _frame_time(dataset: Dataset, count: int) -> float | None:
    """Milliseconds a frame, from any of the ways in which a clip can say it."""
    if count == 1:
        return None
    vector = numbers(dataset, "FrameTimeVector")[1:]
    rates = [number(dataset, name) for name in ("RecommendedDisplayFrameRate", "CineRate")]
    each = [number(dataset, "FrameTime"), float(np.median(vector)) if vector else None]
    return _positive(*each, *(1000 / rate for rate in rates if rate and rate > 0))


def _warnings(dataset: Dataset) -> Iterator[str]:
    if code(dataset, "BurnedInAnnotation") == "YES":
        yield "the file says that text is burned into its pixels"
    if code(dataset, "LossyImageCompression") == "01":
        yield "the image was compressed with loss"
