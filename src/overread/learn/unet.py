"""Train a small U-Net on the masks or boxes of a project so far.

Every step's chances come from (seed, step) alone, so a training that was killed goes on from its
last checkpoint as if nothing had happened.

Source:
    Ronneberger, Fischer, Brox (2015) U-Net. MICCAI (the network).
    Milletari, Navab, Ahmadi (2016) V-Net. 3DV (the Dice loss, here beside the cross-entropy).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from overread.errors import InputError
from overread.learn.checkpoint import read_checkpoint, write_checkpoint
from overread.learn.unet_shape import EPSILON, LEVELS, MULTIPLE, UnetAbout, layers, unet_bytes

Progress = Callable[[int, int, float], None]
"""Called with steps done, steps in all, the loss of late; what it raises stops the training."""

_EVERY = 50


@dataclass(frozen=True, slots=True)
class UnetRecipe:
    """How to train.

    Args:
        steps: of the optimiser (AdamW; a twentieth of warming up, then a cosine).
        batch: pieces of images a step.
        side: of a piece in pixels, a multiple of 8.
        rate: highest learning rate.
        seed: of everything.
        threads: of the CPU.
    """

    steps: int = 400
    batch: int = 6
    side: int = 128
    rate: float = 3e-3
    seed: int = 0
    threads: int = 1


class UnetModule(nn.Module):
    """The network of :func:`overread.learn.unet_shape.layers` in torch."""

    def __init__(self, about: UnetAbout) -> None:
        super().__init__()
        self.parts = nn.ModuleDict()
        for name, before, after in layers(about):
            self.parts[name] = nn.ModuleDict(
                {
                    "conv": nn.Conv2d(before, after, 3, padding=1, bias=False),
                    "norm": nn.BatchNorm2d(after, eps=EPSILON),
                }
            )
        self.head = nn.Conv2d(about.width, len(about.classes) + 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (n, classes + 1, rows, columns); sides are multiples of 8."""
        here, kept = images, list[Tensor]()
        for level in range(LEVELS):
            if level:
                here = functional.max_pool2d(here, 2)
            here = self._both(f"down{level}", here)
            kept.append(here)
        for level in reversed(range(LEVELS - 1)):
            grown = functional.interpolate(here, scale_factor=2.0, mode="nearest")
            here = self._both(f"up{level}", torch.cat([grown, kept[level]], dim=1))
        made: Tensor = self.head(here)
        return made

    def _both(self, name: str, given: Tensor) -> Tensor:
        for half in "ab":
            part: Any = self.parts[f"{name}{half}"]
            given = functional.relu(part["norm"](part["conv"](given)))
        return given


def train_unet(
    images: Sequence[NDArray[np.float32]],
    targets: Sequence[NDArray[Any]],
    about: UnetAbout,
    *,
    recipe: UnetRecipe | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Train, and give the ONNX file.

    Args:
        images: of :func:`overread.learn.unet_shape.seen`, (channels, rows, columns).
        targets: (rows, columns) class codes of each.
        about: what the network is for.
        recipe: how.
        checkpoint: file to go on from, if it is there, and to write to.
        progress: told of every step.
    Raises:
        InputError: no image, sizes that differ, an unknown code, a checkpoint of another training.
    """
    recipe = recipe or UnetRecipe()
    _check(images, targets, about, recipe)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    module = UnetModule(about)
    optimiser = torch.optim.AdamW(module.parameters(), lr=recipe.rate, weight_decay=1e-4)
    told = {**asdict(about), **asdict(recipe), "images": len(images)}
    first = _go_on(checkpoint, told, module, optimiser)
    module.train()
    weight = _class_weights(targets, len(about.classes) + 1)
    for step in range(first, recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * _slope(step, recipe.steps)
        given, wanted = pieces(images, targets, recipe, step)
        loss = _loss(module(torch.from_numpy(given)), torch.from_numpy(wanted), weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if checkpoint and ((step + 1) % _EVERY == 0 or step + 1 == recipe.steps):
            state = {"network": module.state_dict(), "optimiser": optimiser.state_dict()}
            write_checkpoint(checkpoint, {"about": told, "step": step + 1, **state})
        if progress:
            progress(step + 1, recipe.steps, float(loss.detach()))
    return unet_bytes(about, _weights(module))


def pieces(
    images: Sequence[NDArray[np.float32]],
    targets: Sequence[NDArray[Any]],
    recipe: UnetRecipe,
    step: int,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pieces for a step, turned, mirrored, lighter or darker; half of them with a finding."""
    rng = np.random.default_rng((recipe.seed, step))
    given, wanted = list[NDArray[np.float32]](), list[NDArray[np.int64]]()
    side = recipe.side
    for place in range(recipe.batch):
        at = int(rng.integers(len(images)))
        image, target = _padded(images[at], targets[at], side)
        rows, columns = target.shape
        row, column = int(rng.integers(rows - side + 1)), int(rng.integers(columns - side + 1))
        found = np.argwhere(target) if place % 2 else np.empty((0, 2), int)
        if len(found):
            middle = found[int(rng.integers(len(found)))] - side // 2
            row = int(np.clip(middle[0], 0, rows - side))
            column = int(np.clip(middle[1], 0, columns - side))
        one = image[:, row : row + side, column : column + side]
        mask = target[row : row + side, column : column + side]
        turns = int(rng.integers(4))
        one, mask = np.rot90(one, turns, axes=(1, 2)), np.rot90(mask, turns)
        if rng.random() < 0.5:
            one, mask = one[:, :, ::-1], mask[:, ::-1]
        one = one * rng.uniform(0.8, 1.25) + rng.uniform(-0.3, 0.3)
        given.append(np.ascontiguousarray(one, dtype=np.float32))
        wanted.append(np.ascontiguousarray(mask, dtype=np.int64))
    return np.stack(given), np.stack(wanted)


def _padded(
    image: NDArray[np.float32], target: NDArray[Any], side: int
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    rows, columns = (max(0, side - n) for n in target.shape)
    if not rows and not columns:
        return image, target
    wide = np.pad(image, [(0, 0), (0, rows), (0, columns)], mode="edge")
    return wide, np.pad(target, [(0, rows), (0, columns)])


def _loss(logits: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy, and one less the soft Dice of the classes that are not the background."""
    entropy = functional.cross_entropy(logits, wanted, weight=weight)
    sure = functional.softmax(logits, dim=1)[:, 1:]
    true = functional.one_hot(wanted, logits.shape[1]).permute(0, 3, 1, 2)[:, 1:].float()
    over = (0, 2, 3)
    dice = (2 * (sure * true).sum(over) + 1) / (sure.sum(over) + true.sum(over) + 1)
    return entropy + 1 - dice.mean()


def _class_weights(targets: Sequence[NDArray[Any]], classes: int) -> Tensor:
    """One over the square root of a class's share: rare ones are not overlooked."""
    counts = sum(np.bincount(one.ravel(), minlength=classes)[:classes] for one in targets)
    share = (np.asarray(counts, float) + 1) / float(np.sum(counts) + classes)
    weight = 1 / np.sqrt(share)
    return torch.tensor(weight / weight.mean(), dtype=torch.float32)


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


def _weights(module: UnetModule) -> dict[str, NDArray[Any]]:
    state = module.state_dict()
    return {key.removeprefix("parts."): value.numpy() for key, value in state.items()}


def _check(
    images: Sequence[NDArray[np.float32]],
    targets: Sequence[NDArray[Any]],
    about: UnetAbout,
    recipe: UnetRecipe,
) -> None:
    if not images or len(images) != len(targets):
        raise InputError("images", "be one or more, each with a target", len(images))
    if recipe.side % MULTIPLE or recipe.steps < 1 or recipe.batch < 1:
        raise InputError("side", f"be a multiple of {MULTIPLE}", recipe.side)
    for image, target in zip(images, targets, strict=True):
        if image.shape != (about.channels, *target.shape):
            raise InputError("image", f"be {about.channels} x {target.shape}", image.shape)
        if target.min() < 0 or target.max() > len(about.classes):
            raise InputError("target", f"have codes 0 to {len(about.classes)}", int(target.max()))
