"""An encoder by the name that a command is given: one place for all commands."""

from __future__ import annotations

from overread.errors import InputError
from overread.latents.encoder import Encoder
from overread.latents.onnx_file import SCALES
from overread.latents.table import HUB, Project, open_encoder


def named_encoder(name: str, project: Project, *, scale: str = "") -> Encoder:
    """Open an encoder.

    Args:
        name: of :data:`overread.latents.table.ENCODERS`; the path of an ONNX file; or
            ``timm:NAME`` or ``hf:OWNER/NAME``, from the network the first time.
        project: the images it may be fitted on.
        scale: of the input of an ONNX file that another program wrote; "" for the usual one.
    Raises:
        InputError: there is no such encoder or scale, its file is not sound, or it cannot be had
            (offline).
        MissingExtraError: its packages are not installed.
    """
    if scale and scale not in SCALES:
        raise InputError("--scale", f"be one of {', '.join(SCALES)}", scale)
    if name.startswith(HUB):
        from overread.learn.hub import open_hub  # noqa: PLC0415 - torch, only where it is needed

        return open_hub(name)
    return open_encoder(name, project, scale=scale or None)  # type: ignore[arg-type]
