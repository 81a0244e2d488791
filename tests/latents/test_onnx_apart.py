"""Files of somebody else at work in a process of its own: what it gives, and how it is ended."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from overread.errors import InputError
from overread.latents.onnx_apart import opened_apart
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_file import open_file
from tests.latents.test_onnx_encoder import BATCH, written
from tests.latents.test_onnx_trial import MEAN, SINE, graph, loop_of

DARK = np.zeros((2, 8, 8, 3), np.uint8)
LIGHT = DARK + 255


def looping(folder: Path, *, wide: int = 0) -> Path:
    """White images never end, or fill the memory; others end at once (scale "unit")."""
    step = helper.make_node("Concat", ["a", "a"], ["b"], axis=0) if wide else SINE
    nodes = [
        MEAN,
        helper.make_node("Sub", ["m", "white"], ["over"]),
        helper.make_node("ReduceMax", ["over"], ["top"], keepdims=0),
        helper.make_node("Relu", ["top"], ["some"]),
        helper.make_node("Mul", ["some", "many"], ["far"]),
        helper.make_node("Cast", ["far"], ["rounds"], to=TensorProto.INT64),
        helper.make_node("Loop", ["rounds", "yes", "m"], ["z"], body=loop_of(step)),
        helper.make_node("ReduceMean", ["z"], ["s"], keepdims=0),
        helper.make_node("Mul", ["s", "none"], ["no"]),
        helper.make_node("Add", ["m", "no"], ["y"]),
    ]
    return graph(
        folder, nodes, ("many", np.array(wide or 1e15, np.float32)), ("yes", np.array(True)),
        ("white", np.array(0.97, np.float32)), ("none", np.array(0, np.float32)),
    )  # fmt: skip


def test_it_gives_what_the_file_gives_here(tmp_path: Path) -> None:
    path = written(tmp_path, ["n", 3, 8, 8])
    here = open_onnx(path, name="mean", scale="unit")
    with opened_apart(path, "encoder", name="mean", scale="unit") as apart:
        for one in ("name", "version", "dimension", "wanted", "scale"):
            assert getattr(apart, one) == getattr(here, one)
        for images in (BATCH, BATCH[:1], BATCH):
            np.testing.assert_array_equal(apart.encode(images), here.encode(images))
    same = written(tmp_path, ["n", 3, "r", "c"], layer="same")
    file = open_file(same, scale="unit", side=8)
    with opened_apart(same, "model", scale="unit", side=8) as model:
        assert (model.shape, model.version) == ((3, 8, 8), file.sha256)
        np.testing.assert_array_equal(model.encode(BATCH), file.run(BATCH))


def test_time_is_bounded_batch_by_batch_and_the_process_is_gone(tmp_path: Path) -> None:
    with opened_apart(looping(tmp_path), "encoder", scale="unit", seconds=3) as apart:
        assert apart.encode(DARK).shape == (2, 3)
        process = apart._process._child.pid
        with pytest.raises(InputError, match=r"take 2 images within 3 s .* got more time"):
            apart.encode(LIGHT)
        with pytest.raises(InputError, match="more time"):  # it is not begun again
            apart.encode(DARK)
    assert not Path(f"/proc/{process}").exists()


def test_memory_is_bounded_batch_by_batch(tmp_path: Path) -> None:
    path = looping(tmp_path, wide=2_000)  # 2 ** 60 rows
    with opened_apart(path, "model", scale="unit", megabytes=600) as model:
        assert model.encode(DARK).shape == (2, 3)
        with pytest.raises(InputError, match=r"take 2 images|600 MB"):
            model.encode(LIGHT)


def test_it_ends_in_the_middle_of_a_batch_when_who_asked_is_gone(tmp_path: Path) -> None:
    with opened_apart(looping(tmp_path), "encoder", scale="unit", seconds=50) as apart:
        child = apart._process._child
        line = b'{"shape": [2, 8, 8, 3]}\n'
        assert child.stdin is not None
        child.stdin.write(line + LIGHT.tobytes())
        child.stdin.flush()
        time.sleep(0.5)
        assert child.poll() is None  # at work
        child.stdin.close()  # as the end of our process does
        assert child.wait(timeout=10) == 0


def test_what_a_batch_gives_is_bounded(tmp_path: Path) -> None:
    grown = [helper.make_node("Tile", ["x", "often"], ["y"])]
    path = graph(tmp_path, grown, ("often", np.array([1, 1, 500, 500], np.int64)))
    with opened_apart(path, "model", scale="unit") as model:
        assert model.encode(DARK[:1]).shape == (1, 3, 4_000, 4_000)
        with pytest.raises(InputError, match="at most 512 MB for a batch; got 732 MB"):
            model.encode(np.concatenate([LIGHT, DARK]))
