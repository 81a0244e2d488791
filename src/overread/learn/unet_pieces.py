"""Pieces of images for a step of a training, by MONAI's transforms.

All chances come from (seed, step) alone, so that a step is the same whenever it is made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from monai.data.meta_obj import get_track_meta, set_track_meta
from monai.transforms.compose import Compose
from monai.transforms.croppad.dictionary import RandCropByLabelClassesd, SpatialPadd
from monai.transforms.intensity.dictionary import RandScaleIntensityd, RandShiftIntensityd
from monai.transforms.spatial.dictionary import RandFlipd
from monai.transforms.utils import map_classes_to_indices
from numpy.typing import NDArray
from torch import Tensor

_BOTH = ("image", "target")


class Pieces:
    """Where the pieces of a training come from.

    Args:
        images: (channels, rows, columns) each.
        targets: of :func:`overread.learn.unet_targets.target_of`.
        classes: how many, without the background.
        side: of a piece, in pixels; batch: pieces a step; seed: of all steps.
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.float32]],
        targets: Sequence[NDArray[np.float32]],
        *,
        classes: int,
        side: int,
        batch: int,
        seed: int,
    ) -> None:
        self.batch, self.seed = batch, seed
        room: Any = SpatialPadd(_BOTH, side, mode=("edge", "constant"), method="end")
        with plain_tensors():
            self.lessons: list[dict[str, Any]] = [
                room({"image": image, "target": target})
                for image, target in zip(images, targets, strict=True)
            ]
        for one in self.lessons:
            one["where"] = map_classes_to_indices(one["target"][:1], classes + 1)
        self.chances = Compose(
            [
                RandCropByLabelClassesd(
                    _BOTH,
                    label_key="target",
                    spatial_size=side,
                    ratios=[classes, *[1] * classes],
                    num_classes=classes + 1,
                    indices_key="where",
                    warn=False,  # an image need not have all
                ),
                RandFlipd(_BOTH, prob=0.5, spatial_axis=0),
                RandFlipd(_BOTH, prob=0.5, spatial_axis=1),
                RandScaleIntensityd("image", factors=(-0.2, 0.25), prob=1),
                RandShiftIntensityd("image", offsets=(-0.3, 0.3), prob=1),
            ]
        )

    def of_step(self, step: int) -> tuple[Tensor, Tensor]:
        """(batch, channels, side, side) images and what is to be painted.

        Half of the pieces have a finding in the middle, each class as often. Each is turned over
        its diagonal, mirrored either way, made lighter or darker, or not.
        """
        rng = np.random.default_rng((self.seed, step))
        made: list[dict[str, Any]] = []
        with plain_tensors():
            for _ in range(self.batch):
                lesson = self.lessons[int(rng.integers(len(self.lessons)))]
                self.chances.set_random_state(seed=int(rng.integers(2**32)))
                (piece,) = self.chances(lesson)
                made.append(over_diagonal(piece) if rng.random() < 0.5 else piece)
        given, wanted = (torch.stack([one[key] for one in made]) for key in _BOTH)
        return given, wanted


def over_diagonal(piece: dict[str, Any]) -> dict[str, Any]:
    """Rows for columns: what was wide is high."""
    image, target = (piece[key].transpose(1, 2) for key in _BOTH)
    if len(target) == 4:
        target = target[[0, 1, 3, 2]]
    return {"image": image, "target": target}


@contextmanager
def plain_tensors() -> Generator[None]:
    """Without what MONAI tells of where a tensor comes from, which takes most of its time."""
    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)
