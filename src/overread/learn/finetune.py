"""An encoder trained further on the labels so far, and whether it helps on labels held back.

Where frozen latents level off far below the readers, the network itself has to learn what the
classes are. It starts from weights learned without labels (or elsewhere) and from the head that
does best on its frozen latents: with a head by lot the first steps would spoil what it knows. It
takes small steps, keeps its means and spreads (a batch of few hard cases has others), and learns
on the labels of some groups; then the process that serves the project is fitted to the old
latents, and to the old and new together, and both are asked for the labels of the other groups.
The new encoder is taken over only if it wins there.

Source:
    Chen et al. 2020, "Big self-supervised models are strong semi-supervised learners", NeurIPS;
    Kumar et al. 2022, "Fine-tuning can distort pretrained features", ICLR (the head first).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from overread.arrays import Floats, Ints
from overread.errors import InputError, MethodError
from overread.latents.choose import LEAST_HELD, LEAST_LABELS, ChosenChain, choose_encoders
from overread.latents.joining import reduced, reduction_of
from overread.latents.network import Network, Weights
from overread.learn.augment import Changes, looked_at
from overread.learn.contrastive import rate_share
from overread.learn.modules import TorchNetwork, with_weights
from overread.selection.logistic import fit_logistic, predict_logistic
from overread.selection.process import checked_votes
from overread.selection.splits import split_by_group

_RIDGES = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_STEEPEST = 1.0  # gradient
_BOTH = ("before", "after")


@dataclass(frozen=True, slots=True)
class Lesson:
    """How to train further.

    Args:
        steps: of the optimiser, at most.
        looks: at each image at most: few labels would be learned by heart.
        batch: images a step.
        rate: highest learning rate of the network.
        decay: of the weights.
        held: share of the labels held back.
        changes: how images may be changed.
        seed: of everything.
    """

    steps: int = 300
    looks: int = 12
    batch: int = 32
    rate: float = 1e-4
    decay: float = 1e-2
    held: float = 0.25
    changes: Changes = field(
        default_factory=lambda: Changes(
            area=0.85, degrees=5.0, gain=0.1, offset=0.1, blur=0.0, noise=0.0
        )
    )
    seed: int = 0

    def steps_of(self, labels: int) -> int:
        """Steps that so many labels are worth."""
        return min(self.steps, math.ceil(self.looks * labels / min(self.batch, labels)))


@dataclass(frozen=True, slots=True, eq=False)
class Finetuned:
    """A network after its lesson.

    Args:
        module: in evaluation mode, on the CPU; take it over only if it ``wins``.
        choice: between the latents in use and both together, on labels that it has not seen.
        held: (labels,) which labels were held back.
    """

    module: TorchNetwork
    choice: ChosenChain
    held: NDArray[np.bool_]

    @property
    def wins(self) -> bool:
        """Whether both together are better by more than one standard error."""
        return self.choice.chain == _BOTH


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

    The comparison is that of :func:`overread.latents.choose.choose_encoders`, as in a project.
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
    if out.sum() < LEAST_HELD or len(np.unique(sure[~out])) < 2:
        told = f"{LEAST_HELD} labels held back, and two classes among the others, are needed"
        raise MethodError(f"{told}; there are {int(out.sum())}. Label more cases first")
    start = with_weights(network, weights)
    before = latents_by(start, images, device) if latents is None else latents
    module = teach(start, images[~out], votes[~out], lesson, device=device, progress=progress)
    after = latents_by(module, images, device)
    choice = choose_encoders(
        {"before": before, "after": after}, [_BOTH[:1], _BOTH], votes,
        groups=code, ordinal=ordinal, only=out, learned=("after",),
    )  # fmt: skip
    return Finetuned(module, choice, out)


def latents_by(module: TorchNetwork, images: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
    """Latents of images by a module, as its ONNX file gives them."""
    module = module.to(device).eval()
    found = np.empty((len(images), module.network.dimension), dtype=np.float32)
    with torch.inference_mode():
        for at in range(0, len(images), 64):
            given = torch.from_numpy(np.ascontiguousarray(images[at : at + 64])).to(device).float()
            found[at : at + 64] = module(given).cpu().numpy()
    return found


def teach(
    module: TorchNetwork, images: NDArray[np.uint8], votes: Floats, lesson: Lesson, *,
    device: str = "cpu", progress: Callable[[int, int], None] | None = None,
) -> TorchNetwork:  # fmt: skip
    """Train a network further on labels, without a comparison.

    Args:
        module: to start from; it is changed.
        images, votes, device, progress: as of :func:`finetune`.
        lesson: how.
    Returns:
        The module in evaluation mode, on the CPU.
    """
    share = votes / votes.sum(axis=1, keepdims=True)
    head = _head(latents_by(module, images, device), share, lesson.seed).to(device)
    size = float(head.weight.detach().abs().mean()) * math.sqrt(head.in_features)
    parts = [
        {"params": list(module.parameters()), "top": lesson.rate},
        {"params": list(head.parameters()), "top": 10 * lesson.rate * size},
    ]
    adam = torch.optim.AdamW(parts, lr=lesson.rate, weight_decay=lesson.decay)
    wanted = torch.from_numpy(share.astype(np.float32))
    batch, steps = min(lesson.batch, len(images)), lesson.steps_of(len(images))
    module.eval()  # means and spreads of its layers stay
    for step in range(steps):
        generator = torch.Generator().manual_seed(lesson.seed * 1_000_003 + step)
        rows = torch.randint(len(images), (batch,), generator=generator)
        given = torch.from_numpy(images[rows.numpy()]).to(device).float()
        seen = looked_at(given, lesson.changes, generator)
        told = functional.log_softmax(head(module(seen)), dim=1)
        loss = -(wanted[rows].to(device) * told).sum(dim=1).mean()
        for group in adam.param_groups:
            group["lr"] = group["top"] * rate_share(step, steps)
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*module.parameters(), *head.parameters()], _STEEPEST)
        adam.step()
        if progress is not None:
            progress(step + 1, steps)
    return module.to("cpu").eval()


def _head(latents: NDArray[np.float32], share: Floats, seed: int) -> nn.Linear:
    """Logistic regression on the latents: its ridge is chosen on a quarter of the labels.

    Args:
        latents: (labels, latents), frozen; share: (labels, classes), rows sum to 1.
        seed: of the quarter.
    """
    axes = reduction_of(latents)
    scale = math.sqrt(axes.axes.shape[1])  # values of spread 1
    values = np.asarray(scale * reduced(latents, axes), dtype=np.float64)
    out = np.random.default_rng(seed).permutation(len(values)) < len(values) // 4

    def lost(penalty: float) -> float:
        told = predict_logistic(
            fit_logistic(values[~out], share[~out], penalty=penalty), values[out]
        )
        return -float((share[out] * np.log(np.maximum(told, 1e-12))).sum())

    found = fit_logistic(values, share, penalty=min(_RIDGES, key=lost))
    weights = scale * (axes.axes @ found[:-1])
    head = nn.Linear(*weights.shape)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weights.T.copy()))
        head.bias.copy_(torch.from_numpy(found[-1] - axes.centre @ weights))
    return head
