"""The encoders of a project, each a part of a chain: what one learned, kept as one value.

A part is quick latents learned from the project's own thumbnails, a small pretrained network, a
network that was trained here, or one that a lead brought. Each has its own main axes over the same
sample and the same say, so that a case costs little room and parts can be joined in any chain.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError, OverreadError
from overread.images import small_square
from overread.latents import efficientnet
from overread.latents.encoder import Encoder, version_of
from overread.latents.joining import Reduction, reduced, reduction_of
from overread.latents.onnx_apart import opened_apart
from overread.latents.onnx_encoder import open_onnx
from overread.latents.quick import SIDE, QuickEncoder, encode_quick, learn_quick
from overread.store import Blobs
from overread.store.learning.encoders import TrainedRow

QUICK, PRETRAINED = "quick", efficientnet.NAME
SIMCLR, FINETUNED = "simclr", "finetuned"
"""Kinds of parts. One trained here is named with the blob of its file: "simclr:SHA-256"."""
BROUGHT = "onnx"
"""Kind of a part that was brought; named with its blob and the scale of its input."""

_TOGETHER = 64


@dataclass(frozen=True, slots=True, eq=False)
class EncoderPart:
    """What turns thumbnails into latents.

    Args:
        part: its name.
        learned_on: thumbnails of the sample.
        axes: of its values over the sample.
        colour: it looks at three channels.
        quick: of the part "quick"; None of a network.
    """

    part: str
    learned_on: int
    axes: Reduction
    colour: bool
    quick: QuickEncoder | None = None

    @property
    def version(self) -> str:
        """The same version gives the same latents."""
        kind = kind_of(self.part)
        return f"{kind}-{version_of(self.part, _arrays(self))[:12]}"


def kind_of(part: str) -> str:
    """What a part is, whichever file it has."""
    return part.partition(":")[0]


def trained_part(kind: str, file: str) -> str:
    """The part of a network that was trained here. Args: file: blob of its ONNX."""
    return f"{kind}:{file}"


def brought_part(file: str, scale: str) -> str:
    """The part of a network that was brought. Args: file: blob of its ONNX."""
    return f"{BROUGHT}:{file}:{scale}"


def listed_part(one: TrainedRow) -> str:
    """The part of a network that was trained here, or brought."""
    if one.kind.startswith(BROUGHT):
        return brought_part(one.file, str(one.about["scale"]))
    return trained_part(one.kind, one.file)


def file_of(part: str) -> str:
    """Blob of the ONNX of a part; "" of one that has none."""
    return part.split(":")[1] if ":" in part else ""


def runs(part: str) -> bool:
    """What it needs is installed."""
    kind = kind_of(part)
    if kind == PRETRAINED:
        return efficientnet.installed()
    return kind == QUICK or importlib.util.find_spec("onnxruntime") is not None


@contextmanager
def opened(part: str, blobs: Blobs) -> Generator[Encoder | None]:
    """The network of a part; None of quick latents.

    One that was brought runs in a process of its own, with bounded time and memory.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        InputError: one that was brought takes too much.
        NotFoundError: the file of one that was trained or brought is gone.
    """
    kind, scale = kind_of(part), part.split(":")[2:]
    if kind == QUICK:
        yield None
        return
    with TemporaryDirectory() as folder:
        if kind == PRETRAINED:  # its graph is built in a moment
            yield efficientnet.open_lite0(Path(folder))
            return
        path = Path(folder) / "kept.onnx"
        path.write_bytes(blobs.get(file_of(part)))
        if kind == BROUGHT:  # of somebody else: as bounded as its trial
            with opened_apart(path, "encoder", name=kind, scale=scale[0]) as network:  # type: ignore[arg-type]
                yield network
            return
        yield open_onnx(path, name=kind)


def learn_part(
    part: str, pictures: Sequence[bytes], *, colour: bool, network: Encoder | None
) -> EncoderPart | None:
    """Learn from a sample; None with fewer than two pictures.

    Args:
        pictures: thumbnails (PNG); what is none is left out.
        colour: quick latents look at three channels; a network looks as it was made.
        network: of the part; None: quick latents.
    """
    if network is not None:
        rows, _ = _seen(pictures, network)
        if len(rows) < 2:
            return None
        return EncoderPart(part, len(rows), reduction_of(rows), network.wanted.channels == 3)
    squares = _squares(pictures, SIDE, colour=colour)
    count = len(squares)
    if count < 2:
        return None
    stack = np.stack(list(squares.values()))
    # of few images neither many words nor many patches can be learned
    quick = learn_quick(stack, words=min(400, 32 + 2 * count), patches=min(60_000, 150 * count))
    return EncoderPart(part, count, reduction_of(encode_quick(stack, quick)), colour, quick)


def encode_pictures(
    encoder: EncoderPart, pictures: Sequence[bytes], *, network: Encoder | None
) -> dict[int, NDArray[np.float32]]:
    """Place of a picture to its latents; what is no picture has none."""
    rows: NDArray[np.floating]
    if encoder.quick is None:
        if network is None:
            raise InputError("network", f"be there for {encoder.part[:40]}", "none")
        rows, places = _seen(pictures, network)
    else:
        squares = _squares(pictures, SIDE, colour=encoder.colour)
        places = list(squares)
        stack = np.stack(list(squares.values())) if squares else None
        rows = np.empty((0, 0)) if stack is None else encode_quick(stack, encoder.quick)
    if not places:
        return {}
    return dict(zip(places, reduced(rows, encoder.axes), strict=True))


def packed(encoder: EncoderPart) -> bytes:
    """As bytes without pickle."""
    made = io.BytesIO()
    parts: dict[str, Any] = _arrays(encoder)
    parts |= {"part": np.array(encoder.part), "learned_on": np.array(encoder.learned_on)}
    np.savez(made, **parts)
    return made.getvalue()


def _arrays(encoder: EncoderPart) -> dict[str, NDArray[Any]]:
    quick = encoder.quick
    parts = {"own_centre": encoder.axes.centre, "own_axes": encoder.axes.axes}
    parts["colour"] = np.array(encoder.colour)
    if quick is not None:
        parts |= {one.name: np.asarray(getattr(quick, one.name)) for one in fields(QuickEncoder)}
    return parts


def unpacked(value: bytes) -> EncoderPart:
    """The encoder of :func:`packed`."""
    with np.load(io.BytesIO(value), allow_pickle=False) as found:
        axes = Reduction(found["own_centre"], found["own_axes"])
        quick = _quick(found) if "words" in found else None
        learned_on, colour = int(found["learned_on"]), bool(found["colour"])
        return EncoderPart(str(found["part"]), learned_on, axes, colour, quick)


def _quick(found: Mapping[str, Any]) -> QuickEncoder:
    parts: dict[str, Floats] = {one.name: found[one.name] for one in fields(QuickEncoder)}
    channels = int(parts.pop("channels"))
    return QuickEncoder(**parts, channels=channels)


def _seen(pictures: Sequence[bytes], network: Encoder) -> tuple[NDArray[np.float32], list[int]]:
    """What the network makes of those that are pictures, some at a time; and their places."""
    wanted = network.wanted
    rows = [np.empty((0, network.dimension), dtype=np.float32)]
    places: list[int] = []
    for start in range(0, len(pictures), _TOGETHER):
        part = pictures[start : start + _TOGETHER]
        some = _squares(part, wanted.rows, colour=wanted.channels == 3)
        if some:
            stack = np.stack(list(some.values()))
            made = network.encode(stack.reshape(len(stack), wanted.rows, wanted.columns, -1))
            rows.append(np.asarray(made, dtype=np.float32))
            places += [start + at for at in some]
    return np.concatenate(rows), places


def _squares(pictures: Sequence[bytes], side: int, *, colour: bool) -> dict[int, NDArray[np.uint8]]:
    made: dict[int, NDArray[np.uint8]] = {}
    for at, one in enumerate(pictures):
        try:
            made[at] = small_square(one, side=side, colour=colour)
        except (OverreadError, OSError):
            continue  # cut: the page tells how many
    return made
