"""``overread export-encoder NAME``: an encoder of others as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.app.analysis.outputs import refuse_suffix
from overread.cli.options import JsonOption, console, print_json
from overread.latents.files import placed


def run(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", show_default=False, help="timm:NAME or hf:OWNER/NAME."),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The encoder: an .onnx file.")],
    as_json: JsonOption = False,
) -> None:
    """Write an encoder of timm or Hugging Face as one ONNX file, to bring it to a project.

    It comes from the network the first time; a server needs neither network nor timm for it then.

    Example: **overread export-encoder timm:vit_small_patch14_dinov2.lvd142m --out dinov2.onnx**
    """
    refuse_suffix("--out", out, (".onnx",))
    from overread.learn.export import onnx_of  # noqa: PLC0415 - torch
    from overread.learn.hub import open_hub  # noqa: PLC0415

    encoder = open_hub(name)
    made = onnx_of(encoder)
    placed(out, made)
    told = {
        "encoder": encoder.name, "version": encoder.version, "latents": encoder.dimension,
        "side": encoder.wanted.rows, "bytes": len(made),
    }  # fmt: skip
    if as_json:
        print_json(told)
        return
    console().print(
        f"{name}: {told['latents']:,} latents of images of {told['side']} pixels, "
        f"{len(made) / (1 << 20):,.1f} MB -> {out.name}",
        markup=False,
    )
