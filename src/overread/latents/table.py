"""Encoders by name, and the chain that is used when nobody says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from overread.errors import InputError
from overread.latents import efficientnet
from overread.latents.encoder import Encoder
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_file import Scale
from overread.latents.quick_encoder import Quick, fit_quick, read_quick, write_quick
from overread.latents.stream import LoadImage

QUICK_FILE = "quick.npz"
HUB = ("timm:", "hf:")
"""How names begin that :func:`overread.learn.hub.open_hub` opens, where torch is."""


@dataclass(frozen=True, slots=True)
class Project:
    """The images an encoder may be fitted on.

    Args:
        folder: of encoders and latents.
        keys: content hash of each image.
        load_image: an image by its place among the keys.
        threads: of the encoders that use several.
        progress: told while an encoder is fitted.
    """

    folder: Path
    keys: Sequence[str]
    load_image: LoadImage
    threads: int = 1
    progress: Callable[[int, int], None] | None = None


def open_quick(project: Project) -> Quick:
    """The project's quick encoder: the one kept, or one fitted now and kept."""
    path = project.folder / QUICK_FILE
    if path.exists():
        return read_quick(path)
    fitted = fit_quick(project.keys, project.load_image, progress=project.progress)
    return write_quick(fitted, path)


def _open_lite0(project: Project) -> Encoder:
    return efficientnet.open_lite0(project.folder, threads=project.threads)


ENCODERS: dict[str, tuple[Callable[[Project], Encoder], str]] = {
    "quick": (open_quick, "gradient histograms and k-means patches of the project's images"),
    efficientnet.NAME: (_open_lite0, "a small network trained on everyday pictures"),
}
"""Name to what opens it and what it is; further names are ONNX files by path."""


def open_encoder(name: str, project: Project, *, scale: Scale | None = None) -> Encoder:
    """Open an encoder.

    Args:
        name: of :data:`ENCODERS`, or the path of an ONNX file.
        project: its images.
        scale: of an ONNX file that another program wrote.
    Raises:
        InputError: there is no encoder of this name, or its file is not sound.
        MissingExtraError: its packages are not installed.
    """
    if name in ENCODERS:
        return ENCODERS[name][0](project)
    if name.lower().endswith(".onnx"):
        return open_onnx(Path(name), scale=scale, threads=project.threads)
    rule = f"be one of {', '.join(ENCODERS)}, an .onnx file, timm:NAME or hf:OWNER/NAME"
    remedy = "overread.learn.hub.open_hub opens the last two." if name.startswith(HUB) else ""
    raise InputError("encoder", rule, name[:80], remedy=remedy)


def default_chain() -> tuple[str, ...]:
    """What installs is used: quick, and the pretrained network where its extra is there."""
    return ("quick", efficientnet.NAME) if efficientnet.installed() else ("quick",)
