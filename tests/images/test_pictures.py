"""PNG, JPEG and TIFF, against what was written and against PIL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.images.conftest import Opened
from tests.images.made import ramp


def _write(array: np.ndarray, path: Path, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey(tmp_path: Path, opened: Opened, suffix: str, dtype: str) -> None:
    truth = ramp(dtype=dtype)
    if dtype == "uint16":
        truth = truth * np.uint16(600)
    case = opened.case(_write(truth, tmp_path / f"x.{suffix}"), kind="picture")
    assert np.array_equal(case.frames[0], truth)
    assert case.dtype == dtype
    assert case.spacing_mm is None
    assert case.windows[0].name == ("Full range" if dtype == "uint8" else "Automatic")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_colour(tmp_path: Path, opened: Opened, suffix: str) -> None:
    truth = np.random.default_rng(1).integers(0, 256, (6, 4, 3)).astype(np.uint8)
    case = opened.case(_write(truth, tmp_path / f"x.{suffix}"), kind="picture")
    assert np.array_equal(case.frames[0], truth)


def test_fractions_in_tiff(tmp_path: Path, opened: Opened) -> None:
    truth = ramp(dtype="float32") / 3
    case = opened.case(_write(truth, tmp_path / "x.tif"), kind="picture")
    assert np.array_equal(case.frames[0], truth)


def test_big_endian_tiff(tmp_path: Path, opened: Opened) -> None:
    truth = ramp() * np.uint16(600)
    case = opened.case(_write(truth.astype(">u2"), tmp_path / "x.tif"), kind="picture")
    assert np.array_equal(case.frames[0], truth)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_looks_as_pil_shows_it_on_black(
    tmp_path: Path, opened: Opened, mode: str
) -> None:
    colours = np.random.default_rng(2).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    picture = Image.fromarray(colours).convert(mode)
    if mode in {"LA", "RGBA"}:
        picture.putalpha(Image.fromarray(ramp(8, 8, dtype="uint8") * 4))
    suffix = "tif" if mode == "CMYK" else "png"
    picture.save(tmp_path / f"x.{suffix}")
    case = opened.case(tmp_path / f"x.{suffix}", kind="picture")
    clear = Image.open(tmp_path / f"x.{suffix}").convert("RGBA")
    black = Image.new("RGBA", clear.size, (0, 0, 0, 255))
    truth = np.asarray(Image.alpha_composite(black, clear).convert("RGB"))
    ours = case.frames[0] if case.samples == 3 else np.stack([case.frames[0]] * 3, axis=-1)
    assert np.array_equal(ours, truth)
    said = any("transparent" in note for note in case.notes)
    assert said == (mode in {"LA", "RGBA"})


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation(tmp_path: Path, opened: Opened, turn: int) -> None:
    tags = Image.Exif()
    tags[0x0112] = turn
    path = _write(ramp(6, 4, dtype="uint8"), tmp_path / "x.png", exif=tags)
    turned = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: a[::-1, ::-1], 4: np.flipud,
        5: lambda a: a.T, 6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].T,
        8: np.rot90,
    }[turn]  # fmt: skip
    case = opened.case(path, kind="picture")
    assert np.array_equal(case.frames[0], turned(ramp(6, 4, dtype="uint8")))


def test_pages_are_frames(tmp_path: Path, opened: Opened) -> None:
    pages = [Image.fromarray(ramp(dtype="uint8") + at) for at in range(4)]
    odd = Image.fromarray(ramp(5, 5, dtype="uint8"))
    pages[0].save(tmp_path / "x", "TIFF", save_all=True, append_images=[*pages[1:], odd])
    case = opened.case(tmp_path / "x", kind="picture")
    assert [int(frame[0, 0]) for frame in case.frames] == [0, 1, 2, 3]
    assert case.notes == ("1 pages of another size are left out",)


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_damaged(tmp_path: Path, opened: Opened, cut: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8)
    path = _write(noise, tmp_path / "x.png")
    path.write_bytes(path.read_bytes()[:cut])
    refused = opened.refused(path, kind="picture")
    assert refused.cause == "damaged"


@pytest.mark.shared_data
def test_real_colour_tiff(opened: Opened, shared_data: Path) -> None:
    paths = sorted((shared_data / "retina-vessels" / "images").iterdir())[:2]
    assert paths
    for path in paths:
        case = opened.case(path, kind="picture")
        assert np.array_equal(case.frames[0], np.asarray(Image.open(path).convert("RGB")))
