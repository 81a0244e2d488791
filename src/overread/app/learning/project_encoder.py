"""The encoder of a project: learned from its own thumbnails, kept as one value.

Quick latents, and beside them those of a small pretrained network where the extra ``encoders`` is
installed: on its main axes over the same sample, so that a case costs little room.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import OverreadError
from overread.images import small_square
from overread.latents.encoder import Encoder, version_of
from overread.latents.joining import Reduction, reduced, reduction_of
from overread.latents.quick import SIDE, QuickEncoder, encode_quick, learn_quick

_TOGETHER = 64


@dataclass(frozen=True, slots=True, eq=False)
class ProjectEncoder:
    """What turns thumbnails into latents.

    Args:
        quick: learned on the project's images; learned_on: how many.
        axes: of the quick latents and of the pretrained network's; None: quick alone.
    """

    quick: QuickEncoder
    learned_on: int
    axes: tuple[Reduction, Reduction] | None

    @property
    def version(self) -> str:
        """The same version gives the same latents."""
        name = "quick" if self.axes is None else "quick+efficientnet"
        return f"{name}-{version_of(name, _parts(self))[:12]}"


def learn_encoder(
    pictures: Sequence[bytes], *, colour: bool, pretrained: Encoder | None
) -> ProjectEncoder | None:
    """Learn from a sample; None with fewer than two pictures.

    Args:
        pictures: thumbnails (PNG); what is none is left out.
        colour: with three channels.
        pretrained: used beside the quick latents.
    """
    squares = _squares(pictures, SIDE, colour=colour)
    count = len(squares)
    if count < 2:
        return None
    stack = np.stack(list(squares.values()))
    # of few images neither many words nor many patches can be learned
    quick = learn_quick(stack, words=min(400, 32 + 2 * count), patches=min(60_000, 150 * count))
    if pretrained is None:
        return ProjectEncoder(quick, count, None)
    axes = (
        reduction_of(np.asarray(encode_quick(stack, quick), dtype=np.float64)),
        reduction_of(_seen(pictures, pretrained)),
    )
    return ProjectEncoder(quick, count, axes)


def encode_pictures(
    encoder: ProjectEncoder, pictures: Sequence[bytes], *, pretrained: Encoder | None
) -> dict[int, NDArray[np.float32]]:
    """Place of a picture to its latents; what is no picture has none."""
    squares = _squares(pictures, SIDE, colour=encoder.quick.channels == 3)
    if not squares:
        return {}
    made = encode_quick(np.stack(list(squares.values())), encoder.quick)
    if encoder.axes is not None and pretrained is not None:
        ours, theirs = encoder.axes
        seen = reduced(_seen(pictures, pretrained), theirs)
        made = np.hstack([reduced(np.asarray(made, dtype=np.float64), ours), seen])
    return {at: row.astype(np.float32) for at, row in zip(squares, made, strict=True)}


def packed(encoder: ProjectEncoder) -> bytes:
    """As bytes without pickle."""
    made = io.BytesIO()
    parts: dict[str, Any] = _parts(encoder) | {"learned_on": np.array(encoder.learned_on)}
    np.savez(made, **parts)
    return made.getvalue()


def _parts(encoder: ProjectEncoder) -> dict[str, NDArray[Any]]:
    quick = encoder.quick
    parts = {one.name: np.asarray(getattr(quick, one.name)) for one in fields(QuickEncoder)}
    for name, one in zip(("ours", "theirs"), encoder.axes or (), strict=False):
        parts |= {f"{name}_centre": one.centre, f"{name}_axes": one.axes}
    return parts


def unpacked(value: bytes) -> ProjectEncoder:
    """The encoder of :func:`packed`."""
    with np.load(io.BytesIO(value), allow_pickle=False) as found:
        parts: dict[str, Floats] = {one.name: found[one.name] for one in fields(QuickEncoder)}
        learned_on = int(found["learned_on"])
        axes = (_axes(found, "ours"), _axes(found, "theirs")) if "theirs_axes" in found else None
    channels = int(parts.pop("channels"))
    return ProjectEncoder(QuickEncoder(**parts, channels=channels), learned_on, axes)


def _axes(found: Mapping[str, Any], name: str) -> Reduction:
    return Reduction(found[f"{name}_centre"], found[f"{name}_axes"])


def _seen(pictures: Sequence[bytes], network: Encoder) -> NDArray[np.float32]:
    """What the network makes of those that are pictures, some at a time."""
    wanted = network.wanted
    rows: list[NDArray[np.float32]] = []
    for start in range(0, len(pictures), _TOGETHER):
        part = pictures[start : start + _TOGETHER]
        some = _squares(part, wanted.rows, colour=wanted.channels == 3)
        if some:
            stack = np.stack(list(some.values()))
            made = network.encode(stack.reshape(len(stack), wanted.rows, wanted.columns, -1))
            rows.append(np.asarray(made, dtype=np.float32))
    return np.concatenate(rows)


def _squares(pictures: Sequence[bytes], side: int, *, colour: bool) -> dict[int, NDArray[np.uint8]]:
    made: dict[int, NDArray[np.uint8]] = {}
    for at, one in enumerate(pictures):
        try:
            made[at] = small_square(one, side=side, colour=colour)
        except (OverreadError, OSError):
            continue  # cut: the page tells how many
    return made
