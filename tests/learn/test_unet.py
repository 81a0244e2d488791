"""The U-Net learns what is plain to see, goes on as if never killed, and its file runs alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from overread.errors import InputError
from overread.learn.unet import UnetModule, UnetRecipe, pieces, train_unet
from overread.learn.unet_answers import answer_of, scored_boxes, target_of
from overread.learn.unet_shape import UnetAbout, open_unet, seen, unet_bytes

ABOUT = UnetAbout("spots", "mask", ("spot",), width=4, longest=64)
RECIPE = UnetRecipe(steps=60, batch=2, side=32, rate=1e-2)


def spots(seed: int, side: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Bright discs in noise, and where they are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    where = np.zeros((side, side), np.int64)
    for row, column in rng.integers(8, side - 8, (3, 2)):
        where[(y - row) ** 2 + (x - column) ** 2 < 25] = 1
    return 100 + 80 * where + rng.normal(0, 10, where.shape), where


def lessons(count: int = 4) -> tuple[list[Any], list[Any]]:
    made = [spots(seed) for seed in range(count)]
    return [seen(image, ABOUT) for image, _ in made], [where for _, where in made]


class StoppedError(Exception):
    pass


def test_it_learns_goes_on_after_a_kill_and_runs_without_torch(tmp_path: Path) -> None:
    images, targets = lessons()
    checkpoint = tmp_path / "c.pt"

    def killed(done: int, _of: int, _loss: float) -> None:
        if done == 57:
            raise StoppedError

    whole = train_unet(images, targets, ABOUT, recipe=RECIPE)
    again = {"recipe": RECIPE, "checkpoint": checkpoint}
    with pytest.raises(StoppedError):
        train_unet(images, targets, ABOUT, **again, progress=killed)
    assert train_unet(images, targets, ABOUT, **again) == whole
    file = tmp_path / "unet.onnx"
    file.write_bytes(whole)
    unet = open_unet(file)
    assert unet.about == ABOUT
    image, where = spots(99)
    value, sure = answer_of(unet, image)
    runs = np.array(value[0]["runs"])
    mine = np.repeat(runs[:, 0], runs[:, 1]).reshape(where.shape)
    dice = 2 * (mine & where).sum() / (mine.sum() + where.sum())
    assert dice > 0.8
    assert 0.5 < sure <= 1


def test_the_file_computes_what_torch_does(tmp_path: Path) -> None:
    about = UnetAbout("q", "mask", ("a", "b"), channels=3, width=4, longest=64)
    torch.manual_seed(3)
    module = UnetModule(about)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if "running_var" in name or name.endswith("norm.weight"):
                value.uniform_(0.5, 2)
            elif "running_mean" in name or name.endswith("bias"):
                value.uniform_(-0.5, 0.5)
    module.eval()
    state = module.state_dict()
    weights = {key.removeprefix("parts."): value.numpy() for key, value in state.items()}
    file = tmp_path / "u.onnx"
    file.write_bytes(unet_bytes(about, weights))
    unet = open_unet(file)
    image = np.random.default_rng(0).integers(0, 255, (40, 56, 3))
    with torch.no_grad():
        logits = module(torch.from_numpy(seen(image, about)[None]))
        wanted = torch.softmax(logits, dim=1)[0].numpy()
    assert np.allclose(unet.probabilities(image), wanted, atol=1e-4)


def test_sides_that_are_no_multiple_come_back_whole(tmp_path: Path) -> None:
    images, targets = lessons(2)
    few = UnetRecipe(steps=1, batch=1, side=32)
    file = tmp_path / "u.onnx"
    file.write_bytes(train_unet(images, targets, ABOUT, recipe=few))
    for size in ((37, 51), (3, 5), (130, 20)):
        made = open_unet(file).probabilities(np.random.default_rng(0).random(size))
        scale = min(1, 64 / max(size))
        assert made.shape == (2, round(size[0] * scale), round(size[1] * scale))
        assert np.allclose(made.sum(axis=0), 1, atol=1e-5)


def test_boxes_become_ellipses_and_come_back() -> None:
    about = UnetAbout("cells", "box", ("red", "white"), longest=200, shrink=0.7)
    boxes = [
        {"class": "red", "frame": 0, "x1": 20.0, "y1": 30.0, "x2": 60.0, "y2": 80.0},
        {"class": "white", "frame": 0, "x1": 100.0, "y1": 20.0, "x2": 180.0, "y2": 90.0},
        {"class": "white", "frame": 1, "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0},
    ]
    codes = target_of(boxes, (300, 400), 0, about)
    assert codes.shape == (150, 200)
    found = scored_boxes(np.eye(3)[codes].transpose(2, 0, 1), (300, 400), about)
    assert [one["class"] for one, _ in found] == ["red", "white"]
    for (one, score), box in zip(found, boxes, strict=False):
        assert score == 1
        for side in ("x1", "y1", "x2", "y2"):
            assert one[side] == pytest.approx(box[side], abs=5)


def test_masks_become_codes_and_come_back() -> None:
    runs = [{"frame": 2, "rows": 2, "columns": 4, "runs": [[0, 3], [1, 5]]}]
    codes = target_of(runs, (2, 4), 2, ABOUT)
    assert codes.tolist() == [[0, 0, 0, 1], [1, 1, 1, 1]]
    assert not target_of(runs, (2, 4), 0, ABOUT).any()


def test_a_step_is_the_same_whenever_it_is_made() -> None:
    images, targets = lessons()
    one, other = (pieces(images, targets, RECIPE, 7) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0], pieces(images, targets, RECIPE, 8)[0])


def test_bad_lessons_are_named(tmp_path: Path) -> None:
    images, targets = lessons(2)
    for bad, match in (
        (([], []), "images must be one or more"),
        ((images, [targets[0], targets[1] + 7]), "codes 0 to 1"),
        ((images, [one[:5] for one in targets]), "image must be"),
    ):
        with pytest.raises(InputError, match=match):
            train_unet(*bad, ABOUT, recipe=RECIPE)
    with pytest.raises(InputError, match="multiple of 8"):
        train_unet(images, targets, ABOUT, recipe=UnetRecipe(side=30))
    checkpoint = tmp_path / "c.pt"
    few = UnetRecipe(steps=1, batch=1, side=32)
    train_unet(images, targets, ABOUT, recipe=few, checkpoint=checkpoint)
    with pytest.raises(InputError, match="that of another"):
        train_unet(images[:1], targets[:1], ABOUT, recipe=few, checkpoint=checkpoint)
    strange = tmp_path / "x.onnx"
    strange.write_bytes(b"no network")
    with pytest.raises(InputError, match="ONNX file that this program trained"):
        open_unet(strange)
    with pytest.raises(InputError, match="rows x columns"):
        seen(np.zeros((2, 3, 4)), ABOUT)
