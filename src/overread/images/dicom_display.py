"""How stored values become physical ones, and how those are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.images.case_image import Window
from overread.images.dicom_values import (
    Dataset,
    first_item,
    items,
    number,
    numbers,
    printable,
    text,
    texts,
    whole,
)

_FUNCTIONS = {"LINEAR", "LINEAR_EXACT", "SIGMOID"}
_LUT_EDGE = 0.01  # the window of a table spans all but this share of its output at either end


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A modality table: the values that follow each other from a first stored value on."""

    first: int
    values: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rescale:
    """How one frame's stored values become physical ones."""

    slope: float = 1.0
    intercept: float = 0.0
    table: Lookup | None = None

    @property
    def whole(self) -> bool:
        """Whether whole numbers stay whole, within 32 bits."""
        sound = self.slope == int(self.slope) and self.intercept == int(self.intercept)
        return sound and abs(self.slope) < 1 << 14 and abs(self.intercept) < 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is done to every frame, and what is left for the page to do.

    Args:
        applied: one of each frame; None leaves the samples as stored.
        left: slope and intercept beside the samples.
        fractions: the applied values are float32.
    """

    applied: tuple[Rescale, ...] | None
    left: tuple[float, float] = (1.0, 0.0)
    fractions: bool = False


def rescale_of(dataset: Dataset, measures: Dataset | None = None) -> Rescale:
    """Modality transformation of one frame.

    Args:
        measures: the item of Pixel Value Transformation of an enhanced image, if there is one.
    Source:
        DICOM PS3.3 C.11.1 (modality LUT), C.8.8.3 (dose grid scaling).
    """
    table = _lookup(first_item(dataset, "ModalityLUTSequence"))
    if table is not None:
        return Rescale(table=table)
    dose = number(dataset, "DoseGridScaling")
    if dose:
        return Rescale(dose, 0.0)
    place = measures if number(measures, "RescaleSlope") is not None else dataset
    slope = number(place, "RescaleSlope")
    return Rescale(slope or 1.0, number(place, "RescaleIntercept") or 0.0)


def plan_of(rescales: tuple[Rescale, ...]) -> Plan:
    """Apply where whole numbers stay whole; else leave one slope beside, or write fractions."""
    if all(one.table is not None or one.whole for one in rescales):
        return Plan(rescales)
    first = rescales[0]
    alike = all(
        one.table is None and (one.slope, one.intercept) == (first.slope, first.intercept)
        for one in rescales
    )
    if alike:
        return Plan(None, (first.slope, first.intercept))
    return Plan(rescales, fractions=True)


def apply(plan: Plan, frame: NDArray[Any], index: int) -> NDArray[Any]:
    """Samples of one grey frame after the plan, (rows, columns)."""
    if frame.dtype.kind == "f":
        scale = plan.applied[index] if plan.applied else Rescale()
        return (frame * scale.slope + scale.intercept).astype(np.float32)
    if plan.applied is None:
        return frame
    scale = plan.applied[index]
    if scale.table is not None:
        at = np.clip(frame.astype(np.int64) - scale.table.first, 0, len(scale.table.values) - 1)
        return scale.table.values[at]
    if plan.fractions:
        return (frame.astype(np.float64) * scale.slope + scale.intercept).astype(np.float32)
    if (scale.slope, scale.intercept) == (1.0, 0.0):
        return frame
    return frame.astype(np.int64) * int(scale.slope) + int(scale.intercept)


def windows_of(places: Iterable[Dataset | None]) -> tuple[Window, ...]:
    """All usable windows of the first place that has any; tables become the window they span."""
    for place in places:
        found = tuple(_plain_windows(place)) + tuple(_table_windows(place))
        if found:
            return found
    return ()


def _plain_windows(place: Dataset | None) -> Iterable[Window]:
    centers, widths = numbers(place, "WindowCenter"), numbers(place, "WindowWidth")
    names = texts(place, "WindowCenterWidthExplanation")
    function = text(place, "VOILUTFunction").upper()
    function = function if function in _FUNCTIONS else "LINEAR"
    for at, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if width >= 1 or (width > 0 and function != "LINEAR"):
            yield Window(center, width, _name(names[at] if at < len(names) else ""), function)


def _name(told: str) -> str:
    return "".join(letter for letter in told if " " <= letter <= "~")[:32].strip()


def _table_windows(place: Dataset | None) -> Iterable[Window]:
    for item in items(place, "VOILUTSequence"):
        table = _lookup(item)
        if table is None or table.values.max() == table.values.min():
            continue
        low, high = float(table.values.min()), float(table.values.max())
        share = (table.values - low) / (high - low)
        inside = np.flatnonzero((share >= _LUT_EDGE) & (share <= 1 - _LUT_EDGE))
        start, stop = (inside[0], inside[-1]) if inside.size else (0, len(share) - 1)
        told = _name(printable(item, "LUTExplanation"))
        name = f"{told} (from a table)" if told else "From a table"
        width = max(float(stop - start) + 1, 1.0)
        yield Window(table.first + (float(start) + float(stop) + 1) / 2, width, name)


def _lookup(item: Dataset | None) -> Lookup | None:
    described = numbers(item, "LUTDescriptor")
    if item is None or len(described) != 3:
        return None
    entries, first = int(described[0]) or 1 << 16, int(described[1])
    element = item.get("LUTData")
    values = _table_values(element, entries)
    if values is None or not values.size > 0:
        return None
    return Lookup(first, values[:entries])


def _table_values(raw: Any, entries: int) -> NDArray[np.int64] | None:
    if isinstance(raw, (bytes, bytearray)):
        wide = len(raw) >= 2 * entries
        return np.frombuffer(raw[: len(raw) & ~1], "<u2" if wide else "u1").astype(np.int64)
    try:
        return np.atleast_1d(np.asarray(raw, dtype=np.int64))
    except (TypeError, ValueError, OverflowError):
        return None


def padding_of(dataset: Dataset, scale: Rescale, *, applied: bool) -> tuple[float, float] | None:
    """Lowest and highest sample that means "no image here", in the samples' units."""
    first = number(dataset, "PixelPaddingValue")
    if first is None or scale.table is not None:
        return None
    bits = whole(dataset, "BitsAllocated", 16)
    last = number(dataset, "PixelPaddingRangeLimit")
    ends = [_signed(one, dataset, bits) for one in (first, first if last is None else last)]
    if applied:
        ends = [end * scale.slope + scale.intercept for end in ends]
    return min(ends), max(ends)


def _signed(raw: float, dataset: Dataset, bits: int) -> float:
    """Padding values are often written as unsigned though the samples are signed."""
    signed = whole(dataset, "PixelRepresentation", 0) == 1
    return raw - (1 << bits) if signed and raw >= 1 << (bits - 1) else raw
