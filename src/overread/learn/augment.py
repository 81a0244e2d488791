"""Two looks at the same image: what may change without changing what it shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Changes:
    """How far a look may be from the image.

    Args:
        area: least share of the image that a crop keeps.
        degrees: of turning, either way.
        flip: chance of a mirror image; 0 where left and right mean something.
        gain, offset: of brightness, relative to the image's own spread.
        blur: chance of a blur.
        noise: standard deviation, relative to the image's own spread.
    """

    area: float = 0.5
    degrees: float = 10.0
    flip: float = 0.5
    gain: float = 0.4
    offset: float = 0.4
    blur: float = 0.5
    noise: float = 0.1


def looked_at(images: Tensor, changes: Changes, generator: torch.Generator) -> Tensor:
    """A changed copy of each image.

    Args:
        images: (n, rows, columns, channels) of brightness 0 to 255.
        changes: how far.
        generator: of all chances, on the CPU; the same gives the same looks.
    """
    n = len(images)

    def lot(low: float = 0.0, high: float = 1.0, *more: int) -> Tensor:
        drawn = torch.rand(n, *more, generator=generator) * (high - low) + low
        return drawn.to(images.device)

    at = images.permute(0, 3, 1, 2)
    at = _placed(at, changes, lot)
    spread = at.std(dim=(1, 2, 3), keepdim=True).clamp_min(1.0)
    mean = at.mean(dim=(1, 2, 3), keepdim=True)
    gain = torch.exp(lot(-changes.gain, changes.gain)).view(-1, 1, 1, 1)
    bow = torch.exp(lot(-changes.offset, changes.offset)).view(-1, 1, 1, 1)
    scaled = (at - mean) / spread
    # what is per-image normal undoes gain and offset, so brightness is bent, too
    at = torch.sign(scaled) * scaled.abs().clamp_min(1e-6) ** bow * gain
    at = _blurred(at, lot(), changes.blur)
    grain = torch.randn(at.shape, generator=generator).to(at.device)
    at = at + grain * lot(0, 2 * changes.noise).view(-1, 1, 1, 1)
    return (at * spread + mean).permute(0, 2, 3, 1)


def _placed(at: Tensor, changes: Changes, draw: Callable[..., Tensor]) -> Tensor:
    """Crop, turn and mirror in one resampling."""
    scale = torch.sqrt(draw(changes.area, 1.0))
    stretch = torch.exp(draw(-0.15, 0.15))
    wide, high = (scale * stretch).clamp(max=1.0), (scale / stretch).clamp(max=1.0)
    left = draw(-1, 1) * (1 - wide)
    top = draw(-1, 1) * (1 - high)
    turn = draw(-changes.degrees, changes.degrees) * (math.pi / 180)
    mirror = torch.where(draw() < changes.flip, -1.0, 1.0)
    theta = torch.stack(
        [
            torch.stack([wide * torch.cos(turn) * mirror, -high * torch.sin(turn), left], dim=1),
            torch.stack([wide * torch.sin(turn) * mirror, high * torch.cos(turn), top], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(theta, list(at.shape), align_corners=False)
    return functional.grid_sample(at, grid, padding_mode="reflection", align_corners=False)


def _blurred(at: Tensor, chance: Tensor, share: float) -> Tensor:
    if share <= 0:
        return at
    kernel = at.new_tensor([0.25, 0.5, 0.25])
    both = (kernel[:, None] * kernel).expand(at.shape[1], 1, 3, 3)
    soft = functional.conv2d(
        functional.pad(at, [1] * 4, mode="replicate"), both, groups=at.shape[1]
    )
    return torch.where((chance < share).view(-1, 1, 1, 1), soft, at)
