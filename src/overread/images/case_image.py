"""What an image file becomes: a case without identifiers, or a quarantined file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.images.refusal import Cause

Frame: TypeAlias = NDArray[Any]
"""(rows, columns) grey or (rows, columns, 3) RGB samples."""

SpacingSource: TypeAlias = Literal["", "pixel", "detector", "region"]
GroupSource: TypeAlias = Literal["", "patient", "study"]
STORED_TYPES = ("uint8", "int16", "uint16", "int32", "float32")


@dataclass(frozen=True, slots=True)
class Window:
    """One way to show grey values: those of ``center ± width / 2`` run from black to white.

    Args:
        center, width: in the units of ``slope * sample + intercept``.
        name: as the file explains it, or what made it.
        function: ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID`` of DICOM PS3.3 C.11.2.1.3.
    """

    center: float
    width: float
    name: str = ""
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class CaseMeta:
    """What is known of a case for diversity, none of which names anybody.

    Args:
        age_band: ten years ("40-49"), from 90 on together ("90+"); None if unknown.
        sex: ``F``, ``M`` or ``O``.
        site: keyed hash of the institution's name.
        device: manufacturer and model.
        body_part: code of the part examined.
    """

    age_band: str | None = None
    sex: str | None = None
    site: str | None = None
    device: str | None = None
    body_part: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Everything of a case but its samples; see :class:`CaseImage`."""

    modality: str = ""
    invert: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    spacing_mm: tuple[float, float] | None = None
    spacing_from: SpacingSource = ""
    slice_positions: tuple[float, ...] = ()
    slice_mm: float | None = None
    thickness_mm: float | None = None
    windows: tuple[Window, ...] = ()
    frame_time_ms: float | None = None
    padding: tuple[float, float] | None = None
    meta: CaseMeta = field(default_factory=CaseMeta)
    group: str | None = None
    group_from: GroupSource = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A graphic that the file carries beside its pixels; it may show text, so show it on demand.

    Args:
        frame: the frame it lies on.
        bits: (rows, columns), true where the graphic is drawn.
    """

    frame: int
    bits: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CaseImage:
    """One case: a stack of frames of equal size, ready to show.

    Args:
        frames: read-only arrays of one type of ``STORED_TYPES``, (rows, columns) or
            (rows, columns, 3).
        modality: DICOM code ("CR"), "" when unknown.
        invert: low samples are bright (MONOCHROME1); the samples are as stored.
        slope, intercept: physical value = slope * sample + intercept; 1 and 0 where it could be
            applied in whole numbers.
        spacing_mm: (row, column) distance of pixel centres; None if unknown or not above 0.
        spacing_from: "pixel" (in the patient), "detector" (not corrected for magnification),
            "region" (ultrasound calibration), "" if unknown.
        slice_positions: mm along the normal of each frame, ascending; () if unknown.
        slice_mm: distance of neighbouring slices; None if unknown or uneven.
        windows: at least one for grey samples, the default first; () for colour.
        frame_time_ms: time from frame to frame of a clip.
        padding: lowest and highest sample that marks "no image here".
        overlays: graphics beside the pixels.
        group: keyed hash of the patient; None if unknown.
        group_from: of whom it is the hash; the study's where the file names no patient.
        notes: what had to be decided, in words for the study lead; no identifiers.
        content_hash: SHA-256 of samples and geometry; the same for the same image under
            another name, header or lossless compression.
    """

    frames: tuple[Frame, ...]
    content_hash: str
    overlays: tuple[Overlay, ...] = ()
    modality: str = ""
    invert: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    spacing_mm: tuple[float, float] | None = None
    spacing_from: SpacingSource = ""
    slice_positions: tuple[float, ...] = ()
    slice_mm: float | None = None
    thickness_mm: float | None = None
    windows: tuple[Window, ...] = ()
    frame_time_ms: float | None = None
    padding: tuple[float, float] | None = None
    meta: CaseMeta = field(default_factory=CaseMeta)
    group: str | None = None
    group_from: GroupSource = ""
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Pixels down."""
        return int(self.frames[0].shape[0])

    @property
    def columns(self) -> int:
        """Pixels across."""
        return int(self.frames[0].shape[1])

    @property
    def samples(self) -> int:
        """1 for grey, 3 for RGB."""
        return 3 if self.frames[0].ndim == 3 else 1

    @property
    def dtype(self) -> str:
        """Type of the samples, one of ``STORED_TYPES``."""
        return str(self.frames[0].dtype)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Files that did not become a case.

    Args:
        cause: one word for counting and filtering, of ``refusal.CAUSES``.
        reason: a sentence without identifiers.
        source_hash: SHA-256 of the files' bytes, "" where they could not be read.
        files: where they lie, for the person at the terminal; file names can name a patient,
            so they are neither shown by ``repr`` nor to be stored.
    """

    cause: Cause
    reason: str
    source_hash: str
    files: tuple[Path, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Files that together are one case, not yet decoded.

    Args:
        kind: what their content is.
        files: in the order of the frames.
        notes: what had to be decided when they were put together.
    """

    kind: Literal["dicom", "picture", "nifti"]
    files: tuple[Path, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
