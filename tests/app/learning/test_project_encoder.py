"""The encoder of a project: kept and read back, with and without the pretrained network."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from overread.app.learning.project_encoder import encode_pictures, learn_encoder, packed, unpacked
from overread.latents.efficientnet import open_lite0


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    rng = np.random.default_rng(3)
    made = []
    for n in range(12):
        image = rng.normal(90, 20, size=(96, 80))
        image[20:60, 20:50] += 90 * (n % 2)
        out = io.BytesIO()
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(out, "PNG")
        made.append(out.getvalue())
    return made


@pytest.mark.parametrize("with_network", [False, True])
def test_kept_and_read_back_it_gives_the_same(pictures, with_network, tmp_path) -> None:
    network = open_lite0(tmp_path) if with_network else None
    made = learn_encoder(pictures, colour=False, pretrained=network)
    again = unpacked(packed(made))
    assert again.version == made.version
    assert again.version.startswith("quick+efficientnet-" if with_network else "quick-")
    assert again.learned_on == 12
    one = encode_pictures(made, pictures, pretrained=network)
    some = encode_pictures(again, [b"cut", *pictures[:2]], pretrained=network)
    assert sorted(some) == [1, 2]
    for at in some:
        assert np.allclose(some[at], one[at - 1], atol=1e-4)
        assert some[at].dtype == np.float32


def test_the_network_adds_to_what_is_seen(pictures, tmp_path) -> None:
    network = open_lite0(tmp_path)
    alone = learn_encoder(pictures, colour=False, pretrained=None)
    both = learn_encoder(pictures, colour=False, pretrained=network)
    assert alone.version != both.version
    ours = encode_pictures(alone, pictures, pretrained=None)[0]
    joined = encode_pictures(both, pictures, pretrained=network)[0]
    assert len(joined) > len(ours)


def test_nothing_to_learn_from() -> None:
    assert learn_encoder([b"cut", b""], colour=False, pretrained=None) is None
