"""Latents, cached and streamed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from overread.errors import InputError
from overread.latents import cache
from overread.latents.encoder import Pixels, Wanted
from overread.latents.stream import latents_of, latents_of_all
from tests.latents.making import keys_of, stripes

PIXELS = Pixels(Wanted(4, 4, 1))


class Counted:
    """An encoder that counts the images it sees."""

    def __init__(self, version: str = "v1") -> None:
        self.name, self.version, self.dimension = "counted", version, 2
        self.wanted = Wanted(4, 4, 1)
        self.seen = 0

    def encode(self, images):
        self.seen += len(images)
        flat = images.reshape(len(images), -1).astype(np.float32)
        return np.stack([flat.sum(axis=1), flat[:, 0]], axis=1)


def test_nothing_is_computed_twice(tmp_path: Path) -> None:
    images, _ = stripes(30)
    keys = keys_of(images)
    encoder = Counted()
    first = latents_of(keys, images.__getitem__, encoder, tmp_path)
    assert first.there.all()
    assert encoder.seen == 30
    order = np.r_[5, 5, 29, 0, 5]  # any order, and repeated
    again = latents_of([keys[i] for i in order], lambda _: pytest.fail("loaded"), encoder, tmp_path)
    np.testing.assert_array_equal(again.rows, first.rows[order])
    assert encoder.seen == 30
    latents_of(keys, images.__getitem__, Counted("v2"), tmp_path)
    assert encoder.seen == 30  # another version has its own rows


def test_duplicates_are_one_image(tmp_path: Path) -> None:
    images, _ = stripes(4)
    encoder = Counted()
    found = latents_of(["a"] * 9 + ["b"], lambda at: images[at % 2], encoder, tmp_path)
    assert encoder.seen == 2
    assert (found.rows[:9] == found.rows[0]).all()


def test_a_vanished_image_is_told_and_tried_again(tmp_path: Path) -> None:
    images, _ = stripes(5)
    keys = keys_of(images)
    gone = latents_of(keys, lambda at: None if at == 2 else images[at], Counted(), tmp_path)
    assert gone.missing.tolist() == [2]
    assert np.isnan(gone.rows[2]).all()
    assert np.isfinite(gone.rows[gone.there]).all()
    back = Counted()
    assert latents_of(keys, images.__getitem__, back, tmp_path).there.all()
    assert back.seen == 1


def test_each_image_is_loaded_once_for_all_encoders(tmp_path: Path) -> None:
    images, _ = stripes(7)
    loaded: list[int] = []

    def load(at: int):
        loaded.append(at)
        return images[at]

    one, other = latents_of_all(keys_of(images), load, [Counted(), PIXELS], tmp_path, batch=3)
    assert loaded == list(range(7))
    assert one.rows.shape == (7, 2)
    assert other.rows.dtype == np.uint8
    np.testing.assert_array_equal(other.rows.sum(axis=1), one.rows[:, 0])


def test_no_image_at_all(tmp_path: Path) -> None:
    found = latents_of([], lambda _: None, Counted(), tmp_path)
    assert found.rows.shape == (0, 2)


def test_what_was_done_before_a_stop_is_kept(tmp_path: Path) -> None:
    images, _ = stripes(20)
    keys = keys_of(images)

    def stop(done: int, _: int) -> None:
        if done == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        latents_of_all(keys, images.__getitem__, [Counted()], tmp_path, batch=4, progress=stop)
    rest = Counted()
    latents_of(keys, images.__getitem__, rest, tmp_path)
    assert rest.seen == 9


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half of a block", None])
def test_a_damaged_block_is_computed_again(tmp_path: Path, damage: bytes | None) -> None:
    images, _ = stripes(6)
    keys = keys_of(images)
    first = latents_of(keys, images.__getitem__, Counted(), tmp_path)
    (block,) = (tmp_path / "v1").glob("*.npz")
    if damage is None:
        np.savez(block, codes=np.array([b"x"]), latents=np.zeros((1, 2)))
    else:
        block.write_bytes(damage)
    again = Counted()
    found = latents_of(keys, images.__getitem__, again, tmp_path)
    assert again.seen == 6
    np.testing.assert_array_equal(found.rows, first.rows)


def test_an_encoder_that_gives_no_numbers(tmp_path: Path) -> None:
    class Broken(Counted):
        def encode(self, images):
            return np.full((len(images), 2), np.nan)

    with pytest.raises(InputError, match="finite"):
        latents_of(["a"], lambda _: np.zeros((4, 4), np.uint8), Broken(), tmp_path)
    assert not list(tmp_path.rglob("*.npz"))


def test_large_tables_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_IN_MEMORY", 64)
    images, _ = stripes(12)
    found = latents_of(keys_of(images), images.__getitem__, Counted(), tmp_path)
    assert isinstance(found.rows, np.memmap)
    assert (found.rows[:, 0] > 0).all()
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".npz"}


RUN = """
import sys, time
import numpy as np
from pathlib import Path
from overread.latents.encoder import Pixels, Wanted
from overread.latents.stream import latents_of_all

def load(at):
    if sys.argv[2] == "slow":
        print(at, flush=True)
        time.sleep(0.02)
    return np.full((8, 8), at, dtype=np.uint8)

keys = [str(one) for one in range(100)]
found = latents_of_all(
    keys, load, [Pixels(Wanted(4, 4, 1))], Path(sys.argv[1]), batch=5, block=10,
)[0]
assert found.there.all() and (found.rows[:, 0] == np.arange(100)).all()
"""


def _started(folder: Path, pace: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RUN, str(folder), pace]
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=quiet)


def test_killed_and_begun_again_twice_at_once(tmp_path: Path) -> None:
    killed = _started(tmp_path, "slow")
    assert killed.stdout is not None
    for line in killed.stdout:
        if int(line) == 45:
            killed.kill()
            break
    killed.wait()
    killed.stdout.close()
    kept = len(list(tmp_path.rglob("*.npz")))
    assert kept >= 4
    both = [_started(tmp_path, "fast") for _ in range(2)]
    for one in both:
        one.communicate()
        assert one.returncode == 0
