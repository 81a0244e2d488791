"""SimCLR: a network learns from the project's own images, without labels.

Two looks at an image shall be near each other and far from every other image of the batch. The
training is a loop over steps; every step's chances come from (seed, step) alone, so a run that
was killed goes on from its last checkpoint as if nothing had happened.

Source:
    Chen et al. 2020, "A simple framework for contrastive learning of visual representations",
    ICML.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from overread.errors import InputError
from overread.latents.network import Network, small_resnet
from overread.learn.augment import Changes, looked_at
from overread.learn.checkpoint import read_checkpoint, write_checkpoint
from overread.learn.modules import TorchNetwork

Progress = Callable[[int, int, float], None]
"""Called with steps done, steps in all, the loss of late."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Args:
        epochs: passes over the images.
        batch: images a step, two looks each.
        tau: temperature of the loss.
        rate: highest learning rate (AdamW), reached after a twentieth of the steps, then a cosine.
        decay: of the weights.
        projected: values of the head that is thrown away afterwards.
        changes: how the looks differ.
        seed: of everything.
    """

    epochs: int = 100
    batch: int = 128
    tau: float = 0.2
    rate: float = 2e-3
    decay: float = 1e-4
    projected: int = 64
    changes: Changes = field(default_factory=Changes)
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network after its training.

    Args:
        module: in evaluation mode, on the CPU.
        losses: mean loss of each epoch.
        seconds: of training, before and after a resumption together.
    """

    module: TorchNetwork
    losses: tuple[float, ...]
    seconds: float


def contrast(one: Tensor, other: Tensor, tau: float) -> Tensor:
    """NT-Xent: each look has to find the other look of its image among all looks.

    Args:
        one, other: (n, values) of two looks at n images.
        tau: temperature.
    """
    both = functional.normalize(torch.cat([one, other]), dim=1)
    near = both @ both.T / tau
    near = near.masked_fill(torch.eye(len(both), dtype=torch.bool, device=near.device), -math.inf)
    n = len(one)
    partner = torch.arange(2 * n, device=near.device).roll(n)
    return functional.cross_entropy(near, partner)


def train_contrastive(
    images: NDArray[np.uint8], *,
    recipe: Recipe | None = None, network: Network | None = None, checkpoint: Path | None = None,
    device: str = "cpu", every: float = 30.0, progress: Progress | None = None,
) -> Trained:  # fmt: skip
    """Train a network on images.

    Args:
        images: (images, side, side, channels) of brightness 0 to 255; may lie in a file.
        recipe: how.
        network: what to train; :func:`overread.latents.network.small_resnet` by default.
        checkpoint: file to go on from, if it is there, and to write to.
        device: of torch: "cpu", "cuda".
        every: seconds between checkpoints.
        progress: told of every step; what it raises stops the training.
    Raises:
        InputError: too few images, or the checkpoint is of another training.
    """
    recipe = recipe or Recipe()
    if images.ndim != 4 or len(images) < 8:
        raise InputError("images", "be at least 8, of (side, side, channels)", images.shape)
    network = network or small_resnet(side=images.shape[1], channels=images.shape[3])
    run = _Run(images, recipe, network, device)
    if checkpoint is not None and checkpoint.exists():
        run.resume(read_checkpoint(checkpoint))
    begun = saved = time.monotonic()
    before = run.seconds
    while run.step < run.steps:
        run.advance()
        now = time.monotonic()
        run.seconds = before + now - begun
        if checkpoint is not None and (now - saved > every or run.step == run.steps):
            write_checkpoint(checkpoint, run.state())
            saved = now
        if progress is not None:
            progress(run.step, run.steps, run.recent())
    return Trained(run.module.to("cpu").eval(), run.epoch_losses(), run.seconds)


class _Run:
    """Everything that moves while training."""

    def __init__(
        self, images: NDArray[np.uint8], recipe: Recipe, network: Network, device: str
    ) -> None:
        self.images, self.recipe, self.device = images, recipe, torch.device(device)
        self.batch = min(recipe.batch, len(images))
        self.per_epoch = len(images) // self.batch
        self.steps = self.per_epoch * recipe.epochs
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []
        self.epoch, self.order = -1, np.arange(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.module = TorchNetwork(network).to(self.device).train()
            wide = network.dimension
            self.head = nn.Sequential(
                nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, recipe.projected)
            ).to(self.device)
        parts = [*self.module.parameters(), *self.head.parameters()]
        self.adam = torch.optim.AdamW(parts, lr=recipe.rate, weight_decay=recipe.decay)

    def advance(self) -> None:
        """One step."""
        recipe, step = self.recipe, self.step
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        images = torch.from_numpy(self._drawn(step)).to(self.device).float()
        for group in self.adam.param_groups:
            group["lr"] = recipe.rate * rate_share(step, self.steps)
        looks = [looked_at(images, recipe.changes, generator) for _ in range(2)]
        told = self.head(self.module(torch.cat(looks)))
        one, other = told.chunk(2)
        loss = contrast(one, other, recipe.tau)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        self.losses.append(float(loss.detach()))
        self.step += 1

    def _drawn(self, step: int) -> NDArray[np.uint8]:
        epoch, at = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            rng = np.random.default_rng([self.recipe.seed, epoch])
            self.epoch, self.order = epoch, rng.permutation(len(self.images))
        rows = np.sort(self.order[at * self.batch : (at + 1) * self.batch])
        return np.ascontiguousarray(self.images[rows])

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "about": self._about(), "step": self.step, "seconds": self.seconds,
            "losses": torch.tensor(self.losses), "network": self.module.state_dict(),
            "head": self.head.state_dict(), "adam": self.adam.state_dict(),
        }  # fmt: skip

    def resume(self, held: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        if held["about"] != self._about():
            rule = "be of the same images, network and recipe"
            remedy = "Give another file for the checkpoint, or remove this one."
            raise InputError("checkpoint", rule, "one of another training", remedy=remedy)
        self.module.load_state_dict(held["network"])
        self.head.load_state_dict(held["head"])
        self.adam.load_state_dict(held["adam"])
        self.step, self.seconds = int(held["step"]), float(held["seconds"])
        self.losses = held["losses"].tolist()

    def _about(self) -> str:
        """What the run is of; equal words, equal course. A look at some images tells others."""
        some = self.images[:: max(1, len(self.images) // 64)]
        told = hashlib.sha256(np.ascontiguousarray(some).tobytes()).hexdigest()[:16]
        return f"{self.images.shape} {told} {self.recipe} {self.module.network}"

    def recent(self) -> float:
        return float(np.mean(self.losses[-self.per_epoch :]))

    def epoch_losses(self) -> tuple[float, ...]:
        return tuple(np.mean(np.reshape(self.losses, (-1, self.per_epoch)), axis=1).tolist())


def rate_share(step: int, steps: int) -> float:
    """Of the highest rate: a short rise, then a cosine down to nothing."""
    warm = max(steps // 20, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
