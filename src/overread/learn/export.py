"""Networks as ONNX files that onnxruntime runs: trained here, or had by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from overread.errors import MethodError, MissingExtraError
from overread.latents.files import placed
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_graph import MARK, OPSET, onnx_bytes
from overread.learn.hub import ModuleEncoder
from overread.learn.modules import TorchNetwork, weights_of

_APART = 1e-3  # of the largest latent: what onnxruntime may differ from torch


def export_onnx(module: TorchNetwork, path: Path, *, about: str) -> None:
    """Write all of the file or nothing.

    Args:
        module: after its training.
        path: of the file.
        about: how it was trained; kept in the file.
    """
    placed(path, onnx_bytes(module.network, weights_of(module), about=about))


def onnx_of(encoder: ModuleEncoder) -> bytes:
    """An encoder that was had by name, as an ONNX file that takes brightness 0 to 255.

    Returns:
        The file: input ``images`` (any, channels, rows, columns) float32, output ``latents``
        (any, dimension). It says so itself: no scale is to be given with it.
    Raises:
        MethodError: torch cannot write it, or onnxruntime gives other latents.
        MissingExtraError: onnx or onnxruntime is not installed.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import helper  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Writing an encoder as ONNX", "encoders") from error
    wanted = encoder.wanted
    blank = torch.zeros(2, wanted.channels, wanted.rows, wanted.columns)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.onnx"
        try:
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")  # it is the old exporter: the new wants onnxscript
                torch.onnx.export(
                    _Scaled(encoder).eval(), (blank,), path, dynamo=False, opset_version=OPSET,
                    input_names=["images"], output_names=["latents"],
                    dynamic_axes={"images": {0: "n"}, "latents": {0: "n"}},
                )  # fmt: skip
        except Exception as error:  # torch has many kinds
            told = f"{encoder.name} cannot be written as ONNX ({type(error).__name__})"
            raise MethodError(f"{told}; take another network") from error
        model = onnx.load(path)
        about = f"{encoder.name} {encoder.version}"
        helper.set_model_props(model, {MARK: "brightness", "about": about})
        path.write_bytes(model.SerializeToString())
        _require_the_same(path, encoder)
        return path.read_bytes()


class _Scaled(nn.Module):
    """Brightness 0 to 255 to latents."""

    def __init__(self, encoder: ModuleEncoder) -> None:
        super().__init__()
        self.module = encoder.module
        self.middle = torch.tensor(encoder.middle)[:, None, None]
        self.spread = torch.tensor(encoder.spread)[:, None, None]

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.module((images - self.middle) / self.spread)
        return found


def _require_the_same(path: Path, encoder: ModuleEncoder) -> None:
    """A graph that was traced may hold what was true of the traced images alone."""
    wanted = encoder.wanted
    size = (3, wanted.rows, wanted.columns, wanted.channels)
    images = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    again = open_onnx(path)
    for count in (1, 3):
        here = encoder.encode(images[:count])
        apart = float(np.abs(again.encode(images[:count]) - here).max())
        if not apart <= _APART * float(np.abs(here).max()):
            told = f"onnxruntime gives other latents than torch for {encoder.name}"
            raise MethodError(f"{told} (by {apart:.2g}); take another network")
