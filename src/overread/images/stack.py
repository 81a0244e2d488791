"""What the readers of the child hand to its writer: frames one at a time, and their description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overread.images.case_image import Details, Frame, Overlay
from overread.images.limits import Limits
from overread.images.refusal import RefusedError


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """One case being decoded.

    Args:
        frames: decodes the next frame when asked for it; all of one shape.
        count, rows, columns, samples: what the frames will be.
        details: all that is known beside the samples.
        overlays: called after the last frame.
    """

    frames: Iterator[Frame]
    count: int
    rows: int
    columns: int
    samples: int
    details: Details
    overlays: Callable[[], tuple[Overlay, ...]] = tuple


def refuse_size(rows: int, columns: int, *, samples: int, count: int, limits: Limits) -> None:
    """Refuse a claimed size before anything of that size is made.

    Raises:
        RefusedError: nothing to see, or more than the limits.
    """
    if min(rows, columns, samples, count) < 1:
        raise RefusedError("damaged", "the image has no pixels")
    if count > limits.frames:
        rule = f"at most {limits.frames} frames are read; the file claims {count}"
        raise RefusedError("too large", rule)
    size = rows * columns * samples * count
    if size > limits.result_bytes:
        claim = f"{count} frames of {rows} x {columns} x {samples}"
        rule = f"a case may take {limits.result_megabytes} MB; the file claims {claim}"
        raise RefusedError("too large", rule)
