"""An encoder trained further on the labels so far, and whether it helps on labels held back.

Where frozen latents level off far below the readers, the network itself has to learn what the
classes are. It starts from weights learned without labels (or elsewhere), with a head for classes
or for grades, on the labels of some groups; then the process that serves the project is fitted to
the old latents, and to the old and new together, and both are asked for the labels of the other
groups. The new encoder is taken over only if it wins there.

Source:
    Chen et al. 2020, "Big self-supervised models are strong semi-supervised learners", NeurIPS;
    McCullagh 1980, JRSS B 42:109-142 (the head for grades).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from overread.arrays import Floats, Ints
from overread.errors import InputError, MethodError
from overread.latents.choose import LEAST_LABELS, held_back
from overread.latents.joining import join
from overread.latents.network import Network, Weights
from overread.learn.augment import Changes, looked_at
from overread.learn.modules import TorchNetwork, with_weights
from overread.selection.process import checked_votes
from overread.selection.splits import split_by_group


@dataclass(frozen=True, slots=True)
class Lesson:
    """How to train further.

    Args:
        steps: of the optimiser.
        batch: images a step.
        rate: highest learning rate of the network; the head learns ten times as fast.
        decay: of the weights.
        held: share of the labels held back.
        changes: how images may be changed.
        seed: of everything.
    """

    steps: int = 300
    batch: int = 32
    rate: float = 3e-4
    decay: float = 1e-2
    held: float = 0.25
    changes: Changes = field(default_factory=lambda: Changes(area=0.7, gain=0.2, offset=0.2))
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Old latents against old and new together, on the same labels held back.

    Args:
        labels, held: trained on, and held back.
        loss_before, loss_after: negative log probability of the labels held back.
        error: standard error of their paired difference.
        accuracy_before, accuracy_after: of the same.
        wins: after is better by more than one standard error, and not less accurate.
    """

    labels: int
    held: int
    loss_before: float
    loss_after: float
    error: float
    accuracy_before: float
    accuracy_after: float
    wins: bool


@dataclass(frozen=True, slots=True, eq=False)
class Finetuned:
    """A network after its lesson.

    Args:
        module: in evaluation mode, on the CPU; take it over only if ``comparison.wins``.
        comparison: on labels that it has not seen.
        held: (labels,) which labels were held back.
    """

    module: TorchNetwork
    comparison: Comparison
    held: NDArray[np.bool_]


def finetune(
    images: NDArray[np.uint8], votes: Floats, groups: Ints, *,
    network: Network, weights: Weights, latents: NDArray[Any] | None = None,
    ordinal: bool = False, lesson: Lesson | None = None, device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Finetuned:  # fmt: skip
    """Train an encoder further on labels, and compare.

    Args:
        images: (labels, side, side, channels) of the labelled cases.
        votes: (labels, classes) one-hot, or several readers' votes: the network learns their share.
        groups: (labels,) patient, video, near-duplicates; never on both sides.
        network, weights: to start from.
        latents: (labels, latents) in use until now; those of ``weights`` by default.
        ordinal: the classes are grades.
        lesson: how.
        device: of torch.
        progress: told of steps; what it raises stops the training.
    Raises:
        InputError: numbers of images, votes and groups differ.
        MethodError: too few labels, or of one class or one group alone.
    """
    lesson = lesson or Lesson()
    votes = checked_votes(votes, len(images))
    if len(groups) != len(images) or (latents is not None and len(latents) != len(images)):
        raise InputError("groups and latents", "be one an image", f"{len(groups)}, {len(images)}")
    sure = votes.argmax(axis=1)
    code = np.unique(groups, return_inverse=True)[1]
    if len(images) < LEAST_LABELS or len(np.unique(sure)) < 2 or code.max() < 3:
        told = f"Training further needs {LEAST_LABELS} labels of 2 classes in 4 groups"
        raise MethodError(f"{told}; there are {len(images)}. Label more cases first")
    out = split_by_group(code, (1 - lesson.held, lesson.held), strata=sure, seed=lesson.seed) == 1
    start = with_weights(network, weights)
    before = latents_by(start, images, device) if latents is None else latents
    module = teach(
        start, images[~out], votes[~out], lesson, ordinal=ordinal, device=device, progress=progress
    )
    after = latents_by(module, images, device)
    told_before = held_back(join([before]), votes, out, ordinal=ordinal)
    told_after = held_back(join([before, after]), votes, out, ordinal=ordinal)
    return Finetuned(module, _compared(votes, out, told_before, told_after), out)


def latents_by(module: TorchNetwork, images: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
    """Latents of images by a module, as its ONNX file gives them."""
    module = module.to(device).eval()
    found = np.empty((len(images), module.network.dimension), dtype=np.float32)
    with torch.inference_mode():
        for at in range(0, len(images), 64):
            given = torch.from_numpy(np.ascontiguousarray(images[at : at + 64])).to(device).float()
            found[at : at + 64] = module(given).cpu().numpy()
    return found


class _Grades(nn.Module):
    """Ordered logits from one score and ascending cut points."""

    def __init__(self, inputs: int, n_classes: int) -> None:
        super().__init__()
        self.score = nn.Linear(inputs, 1)
        self.first = nn.Parameter(torch.tensor(-(n_classes - 2) / 2))
        self.gaps = nn.Parameter(torch.full((n_classes - 2,), math.log(math.e - 1)))

    def forward(self, latents: Tensor) -> Tensor:
        """Log probabilities of the grades."""
        gaps = functional.softplus(self.gaps).cumsum(0)
        cuts = torch.cat([self.first[None], self.first + gaps])
        below = torch.sigmoid(cuts - self.score(latents))
        ends = torch.zeros_like(below[:, :1]), torch.ones_like(below[:, :1])
        whole = torch.cat([ends[0], below, ends[1]], dim=1)
        return whole.diff(dim=1).clamp_min(1e-7).log()


def teach(
    module: TorchNetwork, images: NDArray[np.uint8], votes: Floats, lesson: Lesson, *,
    ordinal: bool = False, device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> TorchNetwork:  # fmt: skip
    """Train a network further on labels, without a comparison.

    Args:
        module: to start from; it is changed.
        images, votes, ordinal, device, progress: as of :func:`finetune`.
        lesson: how.
    Returns:
        The module in evaluation mode, on the CPU.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        inputs, n_classes = module.network.dimension, votes.shape[1]
        head: nn.Module = (
            _Grades(inputs, n_classes)
            if ordinal and n_classes > 2
            else nn.Sequential(nn.Linear(inputs, n_classes), nn.LogSoftmax(dim=1))
        )
    module, head = module.to(device).train(), head.to(device)
    with torch.no_grad():  # the head sees latents of spread 1, whatever the network
        probe = torch.from_numpy(latents_by(module, images[:256], device)).to(device)
    centre, spread = probe.mean(dim=0), probe.std(dim=0).clamp_min(1e-3)
    parts = [
        {"params": list(module.parameters()), "top": lesson.rate},
        {"params": list(head.parameters()), "top": 10 * lesson.rate},
    ]
    adam = torch.optim.AdamW(parts, lr=lesson.rate, weight_decay=lesson.decay)
    share = torch.from_numpy((votes / votes.sum(axis=1, keepdims=True)).astype(np.float32))
    module.train()
    for step in range(lesson.steps):
        generator = torch.Generator().manual_seed(lesson.seed * 1_000_003 + step)
        rows = torch.randint(len(images), (min(lesson.batch, len(images)),), generator=generator)
        given = torch.from_numpy(images[rows.numpy()]).to(device).float()
        seen = looked_at(given, lesson.changes, generator)
        told = head((module(seen) - centre) / spread)
        loss = -(share[rows].to(device) * told).sum(dim=1).mean()
        for group in adam.param_groups:
            group["lr"] = group["top"] * 0.5 * (1 + math.cos(math.pi * step / lesson.steps))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        if progress is not None:
            progress(step + 1, lesson.steps)
    return module.to("cpu").eval()


def _compared(votes: Floats, out: NDArray[np.bool_], before: Floats, after: Floats) -> Comparison:
    share = votes[out] / votes[out].sum(axis=1, keepdims=True)
    sure = votes[out].argmax(axis=1)
    losses = [-(share * np.log(np.maximum(told, 1e-9))).sum(axis=1) for told in (before, after)]
    accuracy = [float((told.argmax(axis=1) == sure).mean()) for told in (before, after)]
    gain = losses[0] - losses[1]
    error = float(gain.std() / np.sqrt(len(gain)))
    wins = bool(gain.mean() > error and accuracy[1] >= accuracy[0])
    return Comparison(
        int((~out).sum()), int(out.sum()), float(losses[0].mean()), float(losses[1].mean()), error,
        accuracy[0], accuracy[1], wins,
    )  # fmt: skip
