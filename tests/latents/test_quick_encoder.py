"""The quick encoder in its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.errors import InputError
from overread.latents.quick_encoder import fit_quick, read_quick, write_quick
from overread.latents.table import Project, open_encoder
from tests.latents.making import keys_of, stripes

SMALL = {"size": 6, "words": 8, "patches": 300}


def test_written_and_read_it_is_the_same(tmp_path: Path) -> None:
    images, _ = stripes(12)
    made = fit_quick(keys_of(images), images.__getitem__, **SMALL)
    path = tmp_path / "new" / "quick.npz"
    assert write_quick(made, path) is made
    back = read_quick(path)
    assert back.version == made.version
    assert (back.dimension, back.wanted) == (made.dimension, made.wanted)
    batch = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 1), dtype=np.uint8)
    np.testing.assert_array_equal(back.encode(batch), made.encode(batch))
    assert back.encode(batch[:0]).shape == (0, made.dimension)


def test_the_first_to_write_stays(tmp_path: Path) -> None:
    images, _ = stripes(12)
    path = tmp_path / "quick.npz"
    first = write_quick(fit_quick(keys_of(images), images.__getitem__, **SMALL), path)
    other = fit_quick(keys_of(images), images.__getitem__, seed=1, **SMALL)
    assert other.version != first.version
    assert write_quick(other, path).version == first.version
    project = Project(tmp_path, [], lambda _: None)
    assert open_encoder("quick", project).version == first.version


def test_vanished_constant_and_coloured_images() -> None:
    images = list(stripes(8)[0])
    images[3] = np.full((5, 90), 9, np.uint8)
    images[4] = stripes(1, channels=3)[0][0]
    keys = [str(at) for at in range(9)]
    made = fit_quick(keys, lambda at: None if at == 8 else images[at], **SMALL)
    assert made.wanted.channels == 3
    assert np.isfinite(made.encode(np.zeros((2, 64, 64, 3), np.uint8))).all()


def test_too_few_images() -> None:
    with pytest.raises(InputError, match="at least 2 images"):
        fit_quick(["a", "a", "b"], lambda at: None if at == 2 else np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize("content", [b"", b"no archive", "other arrays", "a pickle"])
def test_a_file_that_is_none_is_refused_and_not_run(tmp_path: Path, content) -> None:
    path = tmp_path / "quick.npz"
    if content == "other arrays":
        np.savez(path, mean=np.zeros(3))
    elif content == "a pickle":
        np.savez(path, mean=np.array([Trap(tmp_path / "run")], dtype=object))
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="quick encoder must"):
        read_quick(path)
    assert not (tmp_path / "run").exists()


class Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_unknown_encoder(tmp_path: Path) -> None:
    project = Project(tmp_path, [], lambda _: None)
    with pytest.raises(InputError, match="encoder must be one of quick"):
        open_encoder("vgg", project)
    with pytest.raises(InputError, match="ONNX file must be there"):
        open_encoder(str(tmp_path / "none.onnx"), project)
