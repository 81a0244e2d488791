"""The encoder of a project: kept and read back, with and without the pretrained network."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from overread.app.learning.project_encoder import (
    PRETRAINED,
    QUICK,
    encode_pictures,
    learn_part,
    opened,
    packed,
    trained_part,
    unpacked,
)
from overread.store import open_blobs
from overread.store.errors import NotFoundError


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    return _pictures(12)


def _pictures(count: int) -> list[bytes]:
    rng = np.random.default_rng(3)
    made = []
    for n in range(count):
        image = rng.normal(90, 20, size=(96, 80))
        image[20:60, 20:50] += 90 * (n % 2)
        out = io.BytesIO()
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(out, "PNG")
        made.append(out.getvalue())
    return made


@pytest.mark.parametrize("part", [QUICK, PRETRAINED])
def test_kept_and_read_back_it_gives_the_same(pictures, part, tmp_path) -> None:
    with opened(part, open_blobs(str(tmp_path))) as network:
        made = learn_part(part, pictures, colour=False, network=network)
        again = unpacked(packed(made))
        assert again.version == made.version
        assert again.version.startswith(f"{part}-")
        assert (again.learned_on, again.part) == (12, part)
        one = encode_pictures(made, pictures, network=network)
        some = encode_pictures(again, [b"cut", *pictures[:2]], network=network)
    assert sorted(some) == [1, 2]
    for at in some:
        assert np.allclose(some[at], one[at - 1], atol=1e-4)
        assert some[at].dtype == np.float32
    # each part has the same say: a total variance of 1
    table = np.stack([one[at] for at in sorted(one)])
    assert table.var(axis=0).sum() == pytest.approx(1, abs=0.02)


def test_nothing_to_learn_from(tmp_path) -> None:
    assert learn_part(QUICK, [b"cut", b""], colour=False, network=None) is None
    with opened(PRETRAINED, open_blobs(str(tmp_path))) as network:
        assert learn_part(PRETRAINED, [b"cut", b""], colour=False, network=network) is None
        assert encode_pictures(
            learn_part(PRETRAINED, _pictures(2), colour=False, network=network), [b"cut"],
            network=network,
        ) == {}  # fmt: skip


def test_a_trained_part_whose_file_is_gone_says_so(tmp_path) -> None:
    gone = trained_part("simclr", "0" * 64)
    with pytest.raises(NotFoundError), opened(gone, open_blobs(str(tmp_path))):
        pass
