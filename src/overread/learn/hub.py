"""Encoders of others, by name: ``timm:NAME`` and ``hf:OWNER/NAME``.

The weights come from the network once and are then kept where timm and Hugging Face keep them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from overread.errors import InputError, MissingExtraError
from overread.latents.encoder import Images, Wanted, check_images
from overread.latents.table import HUB


@dataclass(frozen=True, slots=True, eq=False)
class ModuleEncoder:
    """A torch module as an encoder.

    Args:
        name, version, wanted, dimension: as of every encoder.
        module: in evaluation mode; images (n, channels, rows, columns) to (n, dimension).
        middle, spread: of brightness 0 to 255, one a channel.
    """

    name: str
    version: str
    wanted: Wanted
    dimension: int
    module: nn.Module
    middle: tuple[float, ...]
    spread: tuple[float, ...]

    def encode(self, images: Images) -> NDArray[np.float32]:
        """(n, rows, columns, channels) to (n, dimension)."""
        images = check_images(images, self.wanted)
        found = np.empty((len(images), self.dimension), dtype=np.float32)
        for at in range(0, len(images), 32):
            found[at : at + 32] = self._run(images[at : at + 32])
        return found

    def _run(self, images: Images) -> NDArray[np.float32]:
        given = torch.from_numpy(images.astype(np.float32))
        given = (given - torch.tensor(self.middle)) / torch.tensor(self.spread)
        with torch.inference_mode():
            told: Tensor = self.module(given.permute(0, 3, 1, 2).contiguous())
        return told.float().numpy()


def open_hub(name: str) -> ModuleEncoder:
    """Open an encoder by name, from the network the first time.

    Args:
        name: ``timm:NAME`` of a model of timm; ``hf:OWNER/NAME`` of one on Hugging Face that timm
            can read.
    Raises:
        InputError: there is no such model, or it cannot be had (offline).
        MissingExtraError: timm is not installed.
    """
    prefix = next((one for one in HUB if name.startswith(one)), None)
    if prefix is None or len(name) == len(prefix):
        raise InputError("encoder", f"begin with {' or '.join(HUB)}", name[:80])
    try:
        import timm  # noqa: PLC0415  # pyright: ignore[reportMissingImports] - an extra
    except ImportError as error:
        raise MissingExtraError("Encoders by name from timm and Hugging Face", "hub") from error
    wanted = name.removeprefix("timm:") if prefix == "timm:" else name.replace("hf:", "hf-hub:", 1)
    try:
        module = timm.create_model(wanted, pretrained=True, num_classes=0)
    except Exception as error:  # timm, huggingface_hub and urllib each have their own
        rule = "be a model that can be had: a known name, and a network the first time"
        remedy = "Check the name; without a network, give an ONNX file, or fill the cache before."
        got = f"{name[:80]} ({type(error).__name__})"
        raise InputError("encoder", rule, got, remedy=remedy) from error
    return _wrapped(name, module.eval(), timm.data.resolve_model_data_config(module))


def _wrapped(name: str, module: nn.Module, told: dict[str, Any]) -> ModuleEncoder:
    channels, rows, columns = told["input_size"]
    middle, spread = (tuple(255.0 * one for one in told[key]) for key in ("mean", "std"))
    with torch.inference_mode():
        row = module(torch.zeros(1, channels, rows, columns))
    if row.ndim != 2:
        raise InputError(f"encoder {name}", "give one row of latents an image", tuple(row.shape))
    total = hashlib.sha256(f"{told['input_size']} {middle} {spread}".encode())
    for key, value in sorted(module.state_dict().items()):
        total.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return ModuleEncoder(
        name, total.hexdigest()[:32], Wanted(rows, columns, channels), int(row.shape[1]), module,
        middle, spread,
    )  # fmt: skip
