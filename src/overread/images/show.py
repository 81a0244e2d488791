"""A case on a screen: the default window and the thumbnail."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import MissingExtraError
from overread.images.case_image import CaseImage, Details, Frame, Window

_TAILS = (0.5, 99.5)  # percentiles that an automatic window spans
_MOST_LOOKED_AT = 1 << 18


def automatic_window(frames: Sequence[Frame], details: Details) -> Window:
    """Window of a case whose file names none.

    Eight-bit samples were made to be seen as they are and keep their full range; others get the
    span of their middle 99 %, without the padding.
    """
    if frames[0].dtype == np.uint8:
        # 1-bit images and masks use a few values of the range; show those
        top = max(int(frame.max()) for frame in frames)
        if top > 1:
            return _physical(Window(128.0, 256.0, "Full range"), details)
        return _physical(Window(0.5, 1.0, "Full range", "LINEAR_EXACT"), details)
    middle = frames[len(frames) // 2].ravel()
    seen = middle[:: max(1, middle.size // _MOST_LOOKED_AT)].astype(np.float64)
    if details.padding is not None:
        low, high = details.padding
        inside = seen[(seen < low) | (seen > high)]
        seen = inside if inside.size else seen
    low, high = (float(one) for one in np.percentile(seen, _TAILS))
    width = high - low
    if frames[0].dtype != np.float32:
        width = max(width, 1.0)
    return _physical(Window((low + high) / 2, width or 1.0, "Automatic", "LINEAR_EXACT"), details)


def _physical(window: Window, details: Details) -> Window:
    center = window.center * details.slope + details.intercept
    width = window.width * abs(details.slope)
    return Window(center, width, window.name, window.function)


def windowed(frame: Frame, window: Window, *, slope: float, intercept: float) -> NDArray[np.uint8]:
    """Grey samples as brightness 0-255.

    Source:
        DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
    """
    value = frame.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        share = 1 / (1 + np.exp(np.clip(-4 * (value - center) / width, -60, 60)))
    elif window.function == "LINEAR" and width > 1:
        share = (value - (center - 0.5)) / (width - 1) + 0.5
    else:
        share = (value - center) / width + 0.5
    shown: NDArray[np.uint8] = (np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)
    return shown


def thumbnail(case: CaseImage, *, size: int = 256) -> bytes:
    """PNG of the middle frame under the default window, its longer side at most ``size`` pixels.

    Raises:
        MissingExtraError: pillow is not installed.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise MissingExtraError("Drawing thumbnails", "images") from error
    picture: Any = Image.fromarray(brightness(case))
    picture.thumbnail((size, size), Image.Resampling.BOX, reducing_gap=2.0)
    made = io.BytesIO()
    picture.save(made, "PNG", compress_level=6)
    return made.getvalue()


def brightness(case: CaseImage) -> NDArray[np.uint8]:
    """Middle frame under the default window: (rows, columns) grey or (rows, columns, 3)."""
    frame = case.frames[len(case.frames) // 2]
    if case.samples == 3:
        return np.ascontiguousarray(frame)
    grey = windowed(frame, case.windows[0], slope=case.slope, intercept=case.intercept)
    return 255 - grey if case.invert else grey
