"""The U-Net learns what is plain to see, goes on as if never killed, and its file runs alike."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from overread.errors import InputError
from overread.geometry.boxes import iou_matrix
from overread.learn.unet import Loss, UnetRecipe, class_weights, network_of, train_unet, unet_bytes
from overread.learn.unet_answers import answer_of
from overread.learn.unet_file import UnetAbout, maps_of, open_unet, seen
from overread.learn.unet_pieces import Pieces, over_diagonal
from overread.learn.unet_targets import target_of

ABOUT = UnetAbout("spots", "mask", ("spot",), width=4, longest=64)
BOXES = replace(ABOUT, kind="box", middles=True)
RECIPE = UnetRecipe(steps=60, batch=2, side=32, rate=1e-2)
OLDER = Path(__file__).parent / "older"


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
    return [seen(image, ABOUT) for image, _ in made], [
        where[None].astype(np.float32) for _, where in made
    ]


def cells(seed: int, side: int = 48) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Bright discs that lie apart, and their boxes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] + 0.5
    where, found = np.zeros((side, side)), []
    for at in rng.permutation(4)[:3]:
        r = rng.uniform(4, 7)
        cy, cx = (12 + 24 * n + rng.uniform(-4, 4) for n in divmod(int(at), 2))
        where[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = 1
        corners = {"x1": cx - r, "y1": cy - r, "x2": cx + r, "y2": cy + r}
        found.append({"class": "spot", "frame": 0, **corners})
    return 100 + 80 * where + rng.normal(0, 10, where.shape), found


def opened(tmp_path: Path, content: bytes) -> Any:
    file = tmp_path / "unet.onnx"
    file.write_bytes(content)
    return open_unet(file)


def dice_of(value: list[dict[str, Any]], where: np.ndarray) -> float:
    runs = np.array(value[0]["runs"])
    mine = np.repeat(runs[:, 0], runs[:, 1]).reshape(where.shape)
    return 2 * (mine & where).sum() / (mine.sum() + where.sum())


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
    unet = opened(tmp_path, whole)
    assert unet.about == ABOUT
    image, where = spots(99)
    value, sure = answer_of(unet, image)
    assert dice_of(value, where) > 0.8
    assert 0.5 < sure <= 1


def test_it_learns_boxes(tmp_path: Path) -> None:
    made = [cells(seed) for seed in range(8)]
    about = replace(BOXES, width=8)
    targets = [target_of(found, image.shape, 0, about) for image, found in made]
    images = [seen(image, about) for image, _ in made]
    recipe = UnetRecipe(steps=150, batch=4, side=32)
    unet = opened(tmp_path, train_unet(images, targets, about, recipe=recipe))
    image, there = cells(99)
    value, sure = answer_of(unet, image)
    assert {one["class"] for one in value} == {"spot"}
    assert 0.5 < sure <= 1
    sides = ("x1", "y1", "x2", "y2")
    found, wanted = (
        np.array([[one[side] for side in sides] for one in of]) for of in (value, there)
    )
    assert len(found) == 3
    assert iou_matrix(wanted, found).max(axis=1).min() > 0.6


@pytest.mark.parametrize("kind", ["mask", "box", "instance"])
def test_the_file_computes_what_torch_does(tmp_path: Path, kind: str) -> None:
    about = UnetAbout("q", kind, ("a", "b"), channels=3, width=4, longest=64, middles=True)
    torch.manual_seed(3)
    module = network_of(about).eval()
    with torch.no_grad():
        for name, value in module.named_parameters():
            if "norm" in name:
                value.uniform_(0.5, 2)
    unet = opened(tmp_path, unet_bytes(module, about))
    assert unet.about == about
    for size in ((40, 56, 3), (16, 64, 3)):  # the file knows neither the rows nor the columns
        image = np.random.default_rng(0).integers(0, 255, size)
        with torch.no_grad():
            painted = module(torch.from_numpy(seen(image, about)[None]))[0].numpy()
        for mine, theirs in zip(unet.maps(image), maps_of(painted, about), strict=True):
            assert (mine is None) == (theirs is None)
            if mine is not None:
                assert np.allclose(mine, theirs, atol=1e-4, rtol=1e-4)


def test_files_from_before_monai_still_answer() -> None:
    image, where = spots(99)
    masks, old_boxes = (open_unet(OLDER / f"{kind}.onnx") for kind in ("mask", "box"))
    assert (masks.about.kind, masks.about.width, old_boxes.about.shrink) == ("mask", 2, 0.7)
    assert dice_of(answer_of(masks, image)[0], where) > 0.95
    value, sure = answer_of(old_boxes, image)
    assert sure == pytest.approx(0.978, abs=0.01)
    assert [[one[side] for side in ("x1", "y1", "x2", "y2")] for one in value] == [
        [19.5, 8.5, 29.5, 18.5],
        [19.07, 26.21, 31.93, 44.79],
    ]


def test_sides_that_are_no_multiple_come_back_whole(tmp_path: Path) -> None:
    images, targets = lessons(2)
    few = UnetRecipe(steps=1, batch=1, side=32)
    unet = opened(tmp_path, train_unet(images, targets, ABOUT, recipe=few))
    for size in ((37, 51), (3, 5), (130, 20)):
        made = unet.maps(np.random.default_rng(0).random(size)).sure
        scale = min(1, 64 / max(size))
        assert made.shape == (2, round(size[0] * scale), round(size[1] * scale))
        assert np.allclose(made.sum(axis=0), 1, atol=1e-5)


def test_a_step_is_the_same_whenever_it_is_made() -> None:
    images, targets = lessons()
    targets[1][:] = 0  # an image without findings is a lesson too
    pieces, other = (Pieces(images, targets, classes=1, side=32, batch=3, seed=4) for _ in range(2))
    given, wanted = pieces.of_step(7)
    pieces.of_step(8)
    for mine, again in zip((given, wanted), other.of_step(7), strict=True):
        assert torch.equal(mine, again)
    assert given.shape == (3, 1, 32, 32)
    assert not torch.equal(given, pieces.of_step(8)[0])


def test_pieces_show_what_is_to_be_painted_there() -> None:
    """Bright is found: whatever was turned or moved, both were."""
    images, targets = lessons()
    small = np.ascontiguousarray(images[0][:, :20, :28]), targets[0][:, :20, :28]
    pieces = Pieces([*images, small[0]], [*targets, small[1]], classes=1, side=32, batch=4, seed=0)
    found = 0
    for step in range(12):
        for image, target in zip(*(each.numpy() for each in pieces.of_step(step)), strict=True):
            there = target[0] > 0
            found += there.any()
            if there.sum() > 20:
                assert image[0][there].mean() > image[0][~there].mean() + 1
    assert found > 24  # half of 48 are looked for


def test_what_was_wide_is_high_over_the_diagonal() -> None:
    image, target = torch.arange(6.0).reshape(1, 2, 3), torch.arange(24.0).reshape(4, 2, 3)
    turned = over_diagonal({"image": image, "target": target})
    assert torch.equal(turned["image"][0], image[0].T)
    for at, before in enumerate((0, 1, 3, 2)):
        assert torch.equal(turned["target"][at], target[before].T)


def test_the_loss_is_least_where_all_is_painted_as_wanted() -> None:
    image, found = cells(1)
    wanted = torch.from_numpy(target_of(found, image.shape, 0, BOXES)[None])
    middle = torch.logit(wanted[:, 1:2], eps=1e-4)
    right = torch.cat([9.0 - 18 * wanted[:, :1], 18 * wanted[:, :1] - 9, middle, wanted[:, 2:]], 1)
    loss = Loss(BOXES, torch.ones(2))
    least = float(loss(right, wanted))
    assert 0 <= least < 0.06  # a middle of a half is never sure
    for change in ([0, 1], [2], [3], [4]):
        worse = right.clone()
        worse[:, change] = -worse[:, change] + 0.5
        assert float(loss(worse, wanted)) > least + 0.05


def test_rare_classes_weigh_more_and_one_alone_no_more_than_the_background() -> None:
    target = np.zeros((1, 20, 20), np.float32)
    target[0, :4], target[0, 4, :5] = 1, 2  # 80 and 5 pixels
    assert (2.5 * class_weights([target], 2)).tolist() == pytest.approx([1, 1, 4])
    assert class_weights([target[:, :4]], 1).tolist() == [1, 1]
    assert class_weights([np.zeros((1, 2, 2), np.float32)], 2).tolist() == [1, 1, 1]


def test_bad_lessons_are_named(tmp_path: Path) -> None:
    images, targets = lessons(2)
    for bad, match in (
        (([], []), "images must be one or more"),
        ((images, [targets[0], targets[1] + 7]), "codes 0 to 1"),
        ((images, [one[:, :5] for one in targets]), "image must be"),
        ((images, [one[0] for one in targets]), "target must be 1 maps"),
    ):
        with pytest.raises(InputError, match=match):
            train_unet(*bad, ABOUT, recipe=RECIPE)
    for side in (30, 8):
        with pytest.raises(InputError, match=f"multiple of 8, at least 16; got {side}"):
            train_unet(images, targets, ABOUT, recipe=UnetRecipe(side=side))
    with pytest.raises(InputError, match="steps and batch must be at least 1; got 0 and 6"):
        train_unet(images, targets, ABOUT, recipe=UnetRecipe(steps=0))
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


def test_monai_waits_until_something_is_trained() -> None:
    """It takes seconds to import: neither the server nor a command that trains nothing pays."""
    program = (
        "import sys, overread.cli.train_pre_label, overread.web.pages.pre_labels\n"
        "heavy = {'torch', 'monai'} & set(sys.modules)\n"
        "import overread.learn.unet_answers, overread.learn.unet_targets\n"
        "sys.exit(' '.join(heavy | {'monai'} & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    program = "import overread.learn.unet"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")  # it says nothing
