"""Train a small U-Net on the masks, boxes or outlines of a project so far, with MONAI.

Every step's chances come from (seed, step) alone, so a training that was killed goes on from its
last checkpoint as if nothing had happened.

Source:
    Kerfoot, Clough, Oksuz, Lee, King, Schnabel (2019) Left-ventricle quantification using residual
    U-Net. STACOM (the network, MONAI's UNet).
    Milletari, Navab, Ahmadi (2016) V-Net. 3DV (the Dice loss, here beside the cross-entropy).
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from monai.losses.dice import DiceLoss
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from overread.errors import InputError, MissingExtraError
from overread.learn.checkpoint import read_checkpoint, write_checkpoint
from overread.learn.unet_file import ABOUT_KEY, LEAST, MULTIPLE, UnetAbout
from overread.learn.unet_pieces import Pieces

Progress = Callable[[int, int, float], None]
"""Called with steps done, steps in all, the loss of late; what it raises stops the training."""

MAKE = 2
"""Of the network: a checkpoint of another make is not gone on from."""
_EVERY = 50
_LEVELS = 4
_OPSET = 17
_SIDES = 0.3  # weight of the sides: an error of a tenth matters less than a class


@dataclass(frozen=True, slots=True)
class UnetRecipe:
    """How to train.

    Args:
        steps: of the optimiser (AdamW; a twentieth of warming up, then a cosine).
        batch: pieces of images a step.
        side: of a piece in pixels, a multiple of 8, at least 16.
        rate: highest learning rate.
        seed: of everything.
        threads: of the CPU.
    """

    steps: int = 1200
    batch: int = 6
    side: int = 128
    rate: float = 3e-3
    seed: int = 0
    threads: int = 1


def network_of(about: UnetAbout) -> nn.Module:
    """(n, channels, rows, columns) to (n, classes + 1 + further, rows, columns), untrained."""
    return UNet(
        spatial_dims=2,
        in_channels=about.channels,
        out_channels=len(about.classes) + 1 + about.further,
        channels=[about.width * 2**level for level in range(_LEVELS)],
        strides=[2] * (_LEVELS - 1),
        num_res_units=2,
        norm="batch",
    )


def train_unet(
    images: Sequence[NDArray[np.float32]],
    targets: Sequence[NDArray[np.float32]],
    about: UnetAbout,
    *,
    recipe: UnetRecipe | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Train, and give the ONNX file.

    Args:
        images: of :func:`overread.learn.unet_file.seen`, (channels, rows, columns).
        targets: of :func:`overread.learn.unet_targets.target_of`, for each.
        about: what the network is for.
        recipe: how.
        checkpoint: file to go on from, if it is there, and to write to.
        progress: told of every step.
    Raises:
        InputError: no image, sizes that differ, an unknown code, a checkpoint of another training.
        MissingExtraError: onnx is not installed.
    """
    recipe = recipe or UnetRecipe()
    _check(images, targets, about, recipe)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    module = network_of(about)
    optimiser = torch.optim.AdamW(module.parameters(), lr=recipe.rate, weight_decay=1e-4)
    told = {**asdict(about), **asdict(recipe), "images": len(images), "make": MAKE}
    first = _go_on(checkpoint, told, module, optimiser)
    module.train()
    pieces = Pieces(
        images,
        targets,
        classes=len(about.classes),
        side=recipe.side,
        batch=recipe.batch,
        seed=recipe.seed,
    )
    loss_of = Loss(about, class_weights(targets, len(about.classes)))
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * _slope(step, recipe.steps)
        given, wanted = pieces.of_step(step)
        loss = loss_of(module(given), wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if checkpoint and ((step + 1) % _EVERY == 0 or step + 1 == recipe.steps):
            state = {"network": module.state_dict(), "optimiser": optimiser.state_dict()}
            write_checkpoint(checkpoint, {"about": told, "step": step + 1, **state})
        if progress:
            progress(step + 1, recipe.steps, float(loss.detach()))
    return unet_bytes(module, about)


class Loss:
    """Cross-entropy and Dice of the classes; of findings the middles, and of boxes the sides.

    Args:
        about: what the network is for.
        weight: of each class in the cross-entropy, the background's first.
    """

    def __init__(self, about: UnetAbout, weight: Tensor) -> None:
        self.classes, self.further = len(about.classes) + 1, about.further
        self.weight = weight
        # over the batch: a piece without a class says nothing of that class alone
        self.dice = DiceLoss(include_background=False, batch=True, smooth_nr=1, smooth_dr=1)

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        """One number of (n, classes + 1 + further, ...) made and (n, 1 + further, ...) wanted."""
        codes, painted = wanted[:, 0].long(), made[:, : self.classes]
        true = functional.one_hot(codes, self.classes).movedim(-1, 1)
        loss: Tensor = functional.cross_entropy(painted, codes, self.weight)
        loss = loss + self.dice(painted.softmax(dim=1), true)
        if not self.further:
            return loss
        middle, told = wanted[:, 1], made[:, self.classes]
        weight = (self.weight / self.weight[0])[codes]  # else the rare have neither
        unlike = functional.binary_cross_entropy_with_logits(told, middle, weight)
        if self.further == 1:
            return loss + unlike
        apart = (made[:, self.classes + 1 :] - wanted[:, 2:]).abs().mean(dim=1)
        weight = weight * middle
        return loss + unlike + _SIDES * (weight * apart).sum() / (weight.sum() + 1)


def class_weights(targets: Sequence[NDArray[np.float32]], classes: int) -> Tensor:
    """(classes + 1,) the background weighs as the most common class; the rarer weigh more.

    By the root of how much rarer they are; the mean of the classes is 1. A class alone weighs as
    the background does: else more of it would be painted than there is.
    """
    pixels = sum(
        np.bincount(one[0].ravel().astype(np.int64), minlength=classes + 1) for one in targets
    )
    found = np.maximum(np.asarray(pixels, float)[1:], 1)
    weight = np.sqrt(found.max() / found)
    whole = np.concatenate([[1.0], weight]) / weight.mean()
    return torch.tensor(whole, dtype=torch.float32)


def unet_bytes(module: nn.Module, about: UnetAbout) -> bytes:
    """Write the ONNX file: any number of images of any sides that are multiples of 8.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import helper  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Writing a network as ONNX", "learn") from error
    blank = torch.zeros(1, about.channels, 8 * MULTIPLE, 8 * MULTIPLE)
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.inference_mode():
        path = Path(folder) / "made.onnx"
        warnings.simplefilter("ignore")  # it is the old exporter: the new wants onnxscript
        torch.onnx.export(
            module.eval(), (blank,), path, dynamo=False, opset_version=_OPSET,
            input_names=["images"], output_names=["painted"],
            dynamic_axes={name: {0: "n", 2: "r", 3: "c"} for name in ("images", "painted")},
        )  # fmt: skip
        model = onnx.load(path)
    helper.set_model_props(model, {ABOUT_KEY: json.dumps(asdict(about))})
    return bytes(model.SerializeToString())


def _slope(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _go_on(
    checkpoint: Path | None, told: Mapping[str, Any], module: nn.Module, optimiser: Any
) -> int:
    if checkpoint is None or not checkpoint.exists():
        return 0
    held = read_checkpoint(checkpoint)
    if dict(held["about"]) != dict(told):
        remedy = "Remove it to start anew, or ask for what it was begun with."
        rule = "be of this training"
        raise InputError("checkpoint", rule, "that of another", remedy=remedy)
    module.load_state_dict(held["network"])
    optimiser.load_state_dict(held["optimiser"])
    return int(held["step"])


def _check(
    images: Sequence[NDArray[np.float32]],
    targets: Sequence[NDArray[np.float32]],
    about: UnetAbout,
    recipe: UnetRecipe,
) -> None:
    if not images or len(images) != len(targets):
        raise InputError("images", "be one or more, each with a target", len(images))
    if recipe.side % MULTIPLE or recipe.side < LEAST:
        raise InputError("side", f"be a multiple of {MULTIPLE}, at least {LEAST}", recipe.side)
    if recipe.steps < 1 or recipe.batch < 1:
        raise InputError("steps and batch", "be at least 1", f"{recipe.steps} and {recipe.batch}")
    for image, target in zip(images, targets, strict=True):
        if target.ndim != 3 or len(target) != 1 + about.further:
            rule = f"be {1 + about.further} maps of rows x columns"
            raise InputError("target", rule, target.shape)
        if image.shape != (about.channels, *target.shape[1:]):
            raise InputError("image", f"be {about.channels} x {target.shape[1:]}", image.shape)
        if target[0].min() < 0 or target[0].max() > len(about.classes):
            got = int(target[0].max())
            raise InputError("target", f"have codes 0 to {len(about.classes)}", got)
