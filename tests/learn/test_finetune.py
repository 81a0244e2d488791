"""Training further on labels, and encoders by name."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from overread.errors import InputError, MethodError, MissingExtraError
from overread.latents.network import small_resnet
from overread.learn.finetune import Lesson, _head, finetune, latents_by, teach
from overread.learn.hub import open_hub
from overread.learn.modules import TorchNetwork, weights_of, with_weights
from tests.latents.making import stripes

NETWORK = small_resnet(side=16, widths=(8, 8, 8, 8))
LESSON = Lesson(steps=60, batch=16, rate=2e-3)


def _start() -> dict[str, np.ndarray]:
    torch.manual_seed(0)
    return weights_of(TorchNetwork(NETWORK))


def _taught(n_classes: int, *, ordinal: bool, latents: np.ndarray | None = None):
    torch.set_num_threads(1)
    images, across = stripes(64, side=16)
    return finetune(
        images[..., None], np.eye(n_classes)[across], np.arange(64), network=NETWORK,
        weights=_start(), ordinal=ordinal, lesson=LESSON, latents=latents,
    )  # fmt: skip


def test_it_wins_where_the_old_latents_know_nothing() -> None:
    noise = np.random.default_rng(0).normal(size=(64, 4))
    found = _taught(2, ordinal=False, latents=noise)
    assert found.wins
    before, after = found.choice.scores
    assert len(before.loss) == found.held.sum() == 16
    assert after.mean < before.mean
    assert after.accuracy > 0.85


def test_it_does_not_win_where_nothing_is_left_to_learn() -> None:
    _, across = stripes(64, side=16)
    sure = 4.0 * np.eye(2)[across] + 0.01 * np.random.default_rng(0).normal(size=(64, 2))
    assert not _taught(3, ordinal=True, latents=sure).wins


def test_a_lesson_starts_from_what_the_frozen_latents_tell() -> None:
    torch.set_num_threads(1)
    images, across = stripes(64, side=16)
    module = with_weights(NETWORK, _start())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    frozen = latents_by(module, images[..., None], "cpu")
    head = _head(frozen, np.eye(3)[across], 0)  # one class has no label
    with torch.no_grad():
        told = head(torch.from_numpy(frozen)).softmax(dim=1).numpy()
    assert (told.argmax(axis=1) == across).mean() > 0.9
    assert told[:, 2].max() < 0.2
    taught = teach(module, images[..., None], np.eye(3)[across], LESSON)
    for name, value in taught.state_dict().items():
        kept = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        assert torch.equal(value, before[name]) == kept, name


def test_a_lesson_does_not_spoil_what_is_known() -> None:
    """Few hard labels, a rate as of the product: the latents still tell the classes."""
    torch.set_num_threads(1)
    images, across = stripes(128, side=16)
    images = images[..., None]
    known = teach(with_weights(NETWORK, _start()), images[:64], np.eye(2)[across[:64]], LESSON)
    hard = 64 + np.arange(12)
    after = teach(
        with_weights(NETWORK, weights_of(known)), images[hard], np.eye(2)[across[hard]],
        Lesson(steps=40, batch=8),
    )  # fmt: skip
    for module in (known, after):
        latents = latents_by(module, images, "cpu")
        head = _head(latents[:64], np.eye(2)[across[:64]], 0)
        with torch.no_grad():
            told = head(torch.from_numpy(latents[76:])).argmax(dim=1).numpy()
        assert (told == across[76:]).mean() > 0.9


def test_bad_labels() -> None:
    images = np.zeros((50, 16, 16, 1), np.uint8)
    votes = np.eye(2)[np.arange(50) % 2]
    told = {"network": NETWORK, "weights": _start()}
    with pytest.raises(MethodError, match="40 labels of 2 classes in 4 groups"):
        finetune(images[:39], votes[:39], np.arange(39), **told)
    with pytest.raises(MethodError, match="40 labels"):
        finetune(images, np.tile([1.0, 0], (50, 1)), np.arange(50), **told)
    with pytest.raises(MethodError, match="40 labels"):
        finetune(images, votes, np.zeros(50, dtype=int), **told)
    lopsided = np.repeat(np.arange(4), (31, 3, 3, 3))  # no quarter of whole patients
    with pytest.raises(MethodError, match="10 labels held back"):
        finetune(images[:40], votes[:40], lopsided, **told)
    with pytest.raises(InputError, match="groups and latents"):
        finetune(images, votes, np.arange(49), **told)
    with pytest.raises(InputError, match="multiple of 8"):
        TorchNetwork(small_resnet(widths=(4, 8, 8, 8)))


def test_encoders_by_name_say_what_is_missing() -> None:
    if importlib.util.find_spec("timm") is None:
        with pytest.raises(MissingExtraError, match=r"overread\[hub\]"):
            open_hub("timm:vit_small_patch14_dinov2.lvd142m")
    with pytest.raises(InputError, match="begin with timm: or hf:"):
        open_hub("resnet18")
