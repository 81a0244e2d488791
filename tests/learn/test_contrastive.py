"""Contrastive training: its loss, its resumption, its export."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from overread.errors import InputError
from overread.latents.network import small_resnet
from overread.latents.onnx_encoder import open_onnx
from overread.learn.augment import Changes, looked_at
from overread.learn.contrastive import Recipe, contrast, train_contrastive
from overread.learn.export import export_onnx
from overread.learn.finetune import latents_by
from overread.learn.modules import weights_of
from tests.latents.making import stripes

NETWORK = small_resnet(side=16, widths=(8, 8, 8, 8))
RECIPE = Recipe(epochs=3, batch=8, projected=8)


def pictures(n: int = 32) -> np.ndarray:
    return stripes(n, side=16)[0][..., None]


def test_the_loss_by_counting() -> None:
    """Each look's softmax over all others, written out."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 3, 4))
    both = np.vstack([one, other])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    losses = []
    for i in range(6):
        near = {j: np.exp(both[i] @ both[j] / 0.3) for j in range(6) if j != i}
        losses.append(-np.log(near[(i + 3) % 6] / sum(near.values())))
    found = contrast(torch.tensor(one), torch.tensor(other), 0.3)
    assert float(found) == pytest.approx(np.mean(losses))


def test_looks_are_repeatable_and_differ() -> None:
    images = torch.from_numpy(pictures(6)).float()

    def look(seed: int, changes: Changes) -> torch.Tensor:
        return looked_at(images, changes, torch.Generator().manual_seed(seed))

    same = Changes(area=1, degrees=0, flip=0, gain=0, offset=0, blur=0, noise=0)
    assert torch.equal(look(1, Changes()), look(1, Changes()))
    assert not torch.equal(look(1, Changes()), look(2, Changes()))
    still = look(1, same)
    assert still.shape == images.shape
    assert torch.isfinite(look(3, Changes())).all()
    assert torch.isfinite(looked_at(images * 0, Changes(), torch.Generator())).all()


def test_it_learns_and_seeds_decide() -> None:
    torch.set_num_threads(1)
    recipe = Recipe(epochs=12, batch=16, projected=8)
    trained = train_contrastive(pictures(), recipe=recipe, network=NETWORK)
    assert trained.losses[-1] < trained.losses[0] - 0.3
    short = [
        train_contrastive(pictures(), recipe=Recipe(epochs=1, batch=8, seed=seed), network=NETWORK)
        for seed in (0, 0, 1)
    ]
    first = [weights_of(one.module)["stem.weight"] for one in short]
    np.testing.assert_array_equal(first[0], first[1])
    assert np.abs(first[0] - first[2]).max() > 1e-3


@pytest.mark.parametrize("stop_at", [1, 5, 11])
def test_a_stopped_run_ends_as_if_it_had_not_been(tmp_path: Path, stop_at: int) -> None:
    torch.set_num_threads(1)
    whole = train_contrastive(pictures(), recipe=RECIPE, network=NETWORK)
    checkpoint = tmp_path / "x.checkpoint"

    def stop(done: int, total: int, loss: float) -> None:
        assert (total, loss > 0) == (12, True)
        if done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_contrastive(
            pictures(), recipe=RECIPE, network=NETWORK, checkpoint=checkpoint, every=0,
            progress=stop,
        )  # fmt: skip
    steps: list[int] = []
    rest = train_contrastive(
        pictures(), recipe=RECIPE, network=NETWORK, checkpoint=checkpoint,
        progress=lambda done, _, __: steps.append(done),
    )  # fmt: skip
    assert steps == list(range(stop_at + 1, 13))
    assert rest.losses == pytest.approx(whole.losses)
    for name, value in weights_of(whole.module).items():
        np.testing.assert_allclose(weights_of(rest.module)[name], value, atol=1e-6, err_msg=name)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "x.checkpoint"
    told = {"network": NETWORK, "checkpoint": checkpoint}
    train_contrastive(pictures(8), recipe=RECIPE, **told)
    with pytest.raises(InputError, match="checkpoint must be of the same"):
        train_contrastive(pictures(9), recipe=RECIPE, **told)
    other = pictures(8).copy()
    other[0, 0, 0] += 1
    with pytest.raises(InputError, match="checkpoint must be of the same"):
        train_contrastive(other, recipe=RECIPE, **told)
    for wrong in (b"", b"no checkpoint", checkpoint.read_bytes()[:500]):
        checkpoint.write_bytes(wrong)
        with pytest.raises(InputError, match="checkpoint must be one"):
            train_contrastive(pictures(8), recipe=RECIPE, **told)
    with pytest.raises(InputError, match="at least 8"):
        train_contrastive(pictures(7), recipe=RECIPE, network=NETWORK)


def test_onnxruntime_gives_what_torch_gives(tmp_path: Path) -> None:
    trained = train_contrastive(pictures(), recipe=RECIPE, network=NETWORK)
    export_onnx(trained.module, tmp_path / "x.onnx", about="test")
    encoder = open_onnx(tmp_path / "x.onnx")
    found = encoder.encode(pictures(9))
    np.testing.assert_allclose(found, latents_by(trained.module, pictures(9), "cpu"), atol=1e-4)


def test_the_command_goes_on_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for at, image in enumerate(stripes(24, side=20)[0]):
        Image.fromarray(image).save(folder / f"{at:02}.png")
    out = tmp_path / "made.onnx"
    epochs = "400"
    words = [
        sys.executable, "-c", "from overread.cli.main import main; main()", "train-encoder",
        str(folder), "--out", str(out), "--epochs", epochs, "--side", "16", "--batch", "8",
        "--threads", "1", "--every", "0", "--device", "cpu", "--json",
    ]  # fmt: skip
    checkpoint = out.with_name("made.onnx.checkpoint")
    running = subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ)
    for _ in itertools.takewhile(lambda _: not checkpoint.exists(), itertools.count()):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    held = torch.load(checkpoint, weights_only=True)
    done = int(held["step"])
    assert 0 < done < 1200
    assert not out.exists()
    # the rest of the training, shortened: as if only a few steps were left
    held["step"], held["losses"] = 1197, torch.full((1197,), 2.0)
    torch.save(held, checkpoint)
    told = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
    assert told["images"] == 24
    assert told["losses"][0] == 2.0
    assert len(told["losses"]) == 400
    assert open_onnx(out).dimension == 96
    assert not checkpoint.exists()
