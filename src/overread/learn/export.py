"""A trained network as an ONNX file that onnxruntime runs."""

from __future__ import annotations

from pathlib import Path

from overread.latents.files import placed
from overread.latents.onnx_graph import onnx_bytes
from overread.learn.modules import TorchNetwork, weights_of


def export_onnx(module: TorchNetwork, path: Path, *, about: str) -> None:
    """Write all of the file or nothing.

    Args:
        module: after its training.
        path: of the file.
        about: how it was trained; kept in the file.
    """
    placed(path, onnx_bytes(module.network, weights_of(module), about=about))
