"""What pydicom writes comes back, sample by sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.images.conftest import Opened
from tests.images.made import dataset, item, ramp, saved

_SETTINGS = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@given(
    stored=st.integers(1, 16),
    signed=st.booleans(),
    inverted=st.booleans(),
    frames=st.integers(1, 3),
    rubbish=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_grey_samples_come_back(  # noqa: PLR0917 - hypothesis draws them by name
    tmp_path: Path,
    opened: Opened,
    stored: int,
    signed: bool,
    inverted: bool,
    frames: int,
    rubbish: bool,
    seed: int,
) -> None:
    """Any depth, signed or not, MONOCHROME1 or 2, with rubbish in the unused bits."""
    rng = np.random.default_rng(seed)
    stored = max(stored, 2) if signed else stored
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
    kind = ("int" if signed else "uint") + ("8" if stored <= 8 else "16")
    truth = rng.integers(low, high, size=(frames, 5, 7)).astype(kind)
    written = truth.view(kind.removeprefix("u") if signed else f"u{kind.removeprefix('u')}").copy()
    if rubbish:
        bits = written.view(f"u{kind.removeprefix('u')}")
        mask = (1 << stored) - 1
        top = np.iinfo(bits.dtype).max & ~mask
        bits[...] = (bits & mask) | (rng.integers(0, top + 1, bits.shape).astype(bits.dtype) & top)
    photometric = "MONOCHROME1" if inverted else "MONOCHROME2"
    made = dataset(written, frames=True, stored=stored, PhotometricInterpretation=photometric)
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(np.stack(case.frames), truth)
    assert case.invert == inverted
    assert case.frames[0].flags.writeable is False


@_SETTINGS
@given(planar=st.booleans(), wide=st.booleans(), frames=st.integers(1, 3), seed=st.integers(0, 99))
def test_colour_comes_back(  # noqa: PLR0917 - as above
    tmp_path: Path, opened: Opened, planar: bool, wide: bool, frames: int, seed: int
) -> None:
    truth = np.random.default_rng(seed).integers(0, 256, size=(frames, 4, 6, 3)).astype(np.uint8)
    written = truth.astype(np.uint16) * 256 + 7 if wide else truth
    made = dataset(written, frames=True, PlanarConfiguration=int(planar))
    if planar:
        made.PixelData = np.ascontiguousarray(np.moveaxis(written, -1, 1)).tobytes()
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(np.stack(case.frames), truth)
    assert (case.dtype, case.samples, case.windows) == ("uint8", 3, ())


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_syntaxes(tmp_path: Path, opened: Opened, syntax: str) -> None:
    made = dataset(ramp(), syntax=syntax)
    assert np.array_equal(opened.case(saved(made, tmp_path / "x")).frames[0], ramp())


def test_big_endian(tmp_path: Path, opened: Opened) -> None:
    made = dataset(ramp().astype(">u2"), syntax=ExplicitVRBigEndian)
    made["PixelData"].VR = "OW"
    assert np.array_equal(opened.case(saved(made, tmp_path / "x")).frames[0], ramp())


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_lossless_compression_is_the_same_content(
    tmp_path: Path, opened: Opened, syntax: str
) -> None:
    made = dataset(ramp(40, 40), PixelSpacing=[0.5, 0.25])
    plain = opened.case(saved(made, tmp_path / "plain"))
    made.compress(syntax)
    made.PatientName = "Other^Name"
    packed = opened.case(saved(made, tmp_path / "packed"))
    assert np.array_equal(packed.frames[0], ramp(40, 40))
    assert packed.content_hash == plain.content_hash


@pytest.mark.parametrize("name", ["FloatPixelData", "DoubleFloatPixelData"])
def test_fractions(tmp_path: Path, opened: Opened, name: str) -> None:
    kind = "float32" if name == "FloatPixelData" else "float64"
    truth = ramp(dtype=kind) / 7 - 3
    truth[0, 0] = np.nan
    made = dataset(truth.astype(kind))
    del made.PixelData, made.BitsStored, made.HighBit, made.PixelRepresentation
    setattr(made, name, truth.astype(kind).tobytes())
    case = opened.case(saved(made, tmp_path / "x"))
    assert case.dtype == "float32"
    assert case.frames[0][0, 0] == np.float32(truth.ravel()[1:].min())
    assert np.allclose(case.frames[0].ravel()[1:], truth.ravel()[1:], rtol=1e-6)
    assert "1 samples are not finite numbers" in case.notes


def test_sixteen_bits_that_do_not_start_at_bit_0(tmp_path: Path, opened: Opened) -> None:
    truth = ramp().astype(np.uint16)
    rubbish = np.random.default_rng(5).integers(0, 4, truth.shape).astype(np.uint16)
    made = dataset((truth << 2) | rubbish | 0x8000, stored=12, HighBit=13)
    assert np.array_equal(opened.case(saved(made, tmp_path / "x")).frames[0], truth)


def test_whole_rescale_is_applied(tmp_path: Path, opened: Opened) -> None:
    made = dataset(ramp(), RescaleSlope=2, RescaleIntercept=-1024, PixelPaddingValue=3)
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(case.frames[0], ramp().astype(int) * 2 - 1024)
    assert (case.slope, case.intercept, case.padding) == (1.0, 0.0, (-1018.0, -1018.0))


def test_fractional_rescale_is_left_beside(tmp_path: Path, opened: Opened) -> None:
    made = dataset(ramp(), RescaleSlope="0.25", RescaleIntercept="7", PixelPaddingValue=3)
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(case.frames[0], ramp())
    assert (case.slope, case.intercept, case.padding) == (0.25, 7.0, (3.0, 3.0))
    window = case.windows[0]
    assert window.name == "Full range"
    assert window.center == 128 * 0.25 + 7


def test_modality_table(tmp_path: Path, opened: Opened) -> None:
    table = np.arange(1000, 1100, dtype="<u2")[::-1]
    made = dataset(ramp())
    made.ModalityLUTSequence = [
        item(LUTDescriptor=[100, 5, 16], LUTData=table.tobytes(), ModalityLUTType="US")
    ]
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(case.frames[0], table[np.clip(ramp().astype(int) - 5, 0, 99)])


def test_palette(tmp_path: Path, opened: Opened) -> None:
    pixels = ramp(4, 4, dtype="uint8")
    made = dataset(pixels, PhotometricInterpretation="PALETTE COLOR")
    colours = np.random.default_rng(0).integers(0, 256, (3, 16)).astype("<u2")
    for name, values in zip(("Red", "Green", "Blue"), colours, strict=True):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [16, 0, 16])
        setattr(made, f"{name}PaletteColorLookupTableData", (values * 257).tobytes())
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.array_equal(case.frames[0], np.moveaxis(colours[:, pixels], 0, -1))


def test_ybr_becomes_rgb(tmp_path: Path, opened: Opened) -> None:
    rgb = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 90, 90]]], dtype=np.uint8)
    matrix = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    ybr = np.clip(np.round(rgb @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)
    case = opened.case(saved(dataset(ybr, PhotometricInterpretation="YBR_FULL"), tmp_path / "x"))
    assert np.abs(case.frames[0].astype(int) - rgb).max() <= 2


def test_a_different_pixel_is_another_content(tmp_path: Path, opened: Opened) -> None:
    changed = ramp()
    changed[3, 3] += 1
    spaced = dataset(ramp(), PixelSpacing=[1, 2])
    hashes = {
        opened.case(saved(made, tmp_path / "x")).content_hash
        for made in (dataset(ramp()), dataset(changed), spaced)
    }
    assert len(hashes) == 3


def test_the_same_image_as_picture_and_as_dicom(tmp_path: Path, opened: Opened) -> None:
    from PIL import Image

    Image.fromarray(ramp()).save(tmp_path / "p.png")
    picture = opened.case(tmp_path / "p.png", kind="picture")
    assert picture.content_hash == opened.case(saved(dataset(ramp()), tmp_path / "x")).content_hash
