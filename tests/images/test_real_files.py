"""Real DICOM files of pydicom and pydicom-data, against SimpleITK (GDCM's C++ reader)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from overread.images import CaseImage, Child, Found, Quarantined, find_images, open_case
from tests.images.conftest import Opened

sitk.ProcessObject_SetGlobalWarningDisplay(False)

# What SimpleITK does otherwise than the standard: it knows no modality tables, no dose scaling,
# and takes the big-endian dose grid for a little-endian one.
_NOT_AN_ORACLE = {"mlut_18.dcm", "badVR.dcm", "rtdose.dcm", "rtdose_expb.dcm", "rtdose_rle.dcm"}
# Ninety more frames of examples_ybr_color.dcm, which is compared.
_NOT_AN_ORACLE |= {"color3d_jpeg_baseline.dcm"}
# RLE of 16 and 32 bits: SimpleITK swaps the byte planes; see the test of equal contents below.
_NOT_AN_ORACLE |= {
    f"SC_rgb_rle_{bits}{more}.dcm" for bits in ("16bit", "32bit") for more in ("", "_2frame")
}


def _oracle(path: Path) -> np.ndarray | None:
    try:
        found = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError:
        return None
    return found if found.size > 1 << 24 else found.astype(np.float64)


def _as_sitk_shows(case: CaseImage, like: np.ndarray) -> np.ndarray:
    ours = np.stack(case.frames).astype(np.float64)
    if case.samples == 1:
        ours = ours * case.slope + case.intercept
        if case.invert:  # SimpleITK turns MONOCHROME1 around within the range of its values
            ours = _turned(ours, like)
    return ours.reshape(like.shape)


def _turned(ours: np.ndarray, like: np.ndarray) -> np.ndarray:
    return (like + ours.reshape(like.shape)).ravel()[0] - ours


def _files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def test_samples_are_those_of_an_independent_reader(
    opened: Opened, pydicom_files: Path, more_dicom: Path
) -> None:
    compared = 0
    for path in _files(pydicom_files, more_dicom):
        if path.name in _NOT_AN_ORACLE:
            continue
        case = opened.any(path)
        if isinstance(case, Quarantined):
            continue
        truth = _oracle(path)
        if truth is None:
            continue
        if len(case.frames) > 20:  # a long clip: a few of its frames
            some = [0, len(case.frames) // 2, -1]
            case = replace(case, frames=tuple(case.frames[at] for at in some))
            truth = truth[some]
        if case.samples == 3 and truth.max() > 255:
            truth = truth // (256 ** (np.ceil(np.log2(truth.max() + 1) / 8) - 1))
        ours = _as_sitk_shows(case, truth)
        if case.slice_positions and len(case.frames) > 1 and np.array_equal(ours, truth[::-1]):
            truth = truth[::-1]  # SimpleITK keeps the file's order, we go up along the normal
        assert np.allclose(ours, truth, atol=1e-3), path.name
        compared += 1
    assert compared >= 130


def test_every_file_is_in_exactly_one_result(
    child: Child, pydicom_files: Path, more_dicom: Path
) -> None:
    found = list(find_images([pydicom_files, more_dicom], child))
    told = [path for one in found for path in one.files]
    assert sorted(told) == [path.resolve() for path in _files(pydicom_files, more_dicom)]
    causes = {one.cause for one in found if isinstance(one, Quarantined)}
    assert causes == {"not an image"}


def test_what_is_quarantined_of_real_files(opened: Opened, pydicom_files: Path) -> None:
    causes = {path.name: opened.any(path) for path in _files(pydicom_files)}
    damaged = {
        name
        for name, one in causes.items()
        if isinstance(one, Quarantined) and one.cause != "not an image"
    }
    assert damaged >= {"MR_truncated.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"}
    assert len(damaged) < 20


@pytest.mark.parametrize(
    "names",
    [
        ("SC_rgb_16bit.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_expb_16bit.dcm"),
        ("SC_rgb_32bit_2frame.dcm", "SC_rgb_rle_32bit_2frame.dcm", "SC_rgb_expb_32bit_2frame.dcm"),
        ("RG1_UNCR.dcm", "RG1_J2KR.dcm"),
        ("RG3_UNCR.dcm", "RG3_J2KR.dcm"),
        ("US1_UNCR.dcm", "US1_J2KR.dcm"),
        ("693_UNCR.dcm", "693_J2KR.dcm"),
        ("emri_small.dcm", "emri_small_RLE.dcm", "emri_small_jpeg_2k_lossless.dcm",
         "emri_small_jpeg_ls_lossless.dcm", "emri_small_big_endian.dcm"),
        ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_padded.dcm",
         "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"),
        ("rtdose.dcm", "rtdose_expb.dcm", "rtdose_rle.dcm"),
        ("color-pl.dcm", "color-px.dcm"),
    ],
)  # fmt: skip
def test_one_image_in_many_syntaxes_is_one_content(
    opened: Opened, pydicom_files: Path, more_dicom: Path, names: tuple[str, ...]
) -> None:
    where = {path.name: path for path in _files(pydicom_files, more_dicom)}
    assert len({opened.case(where[name]).content_hash for name in names}) == 1


def test_twelve_bit_jpeg(opened: Opened, pydicom_files: Path) -> None:
    """Process 4 with loss stays close to the lossless original of the same bone scan."""
    case = opened.case(pydicom_files / "JPGExtended.dcm")
    truth = _oracle(pydicom_files / "JPGExtended.dcm")
    assert truth is not None
    assert np.array_equal(case.frames[0], truth[0])


def test_facts_of_known_files(opened: Opened, pydicom_files: Path, more_dicom: Path) -> None:
    radiograph = opened.case(more_dicom / "RG1_UNCR.dcm")
    assert radiograph.invert
    assert radiograph.spacing_mm is None  # the file says 0 \\ 0
    clip = opened.case(pydicom_files / "examples_ybr_color.dcm")
    assert (len(clip.frames), clip.frame_time_ms, clip.spacing_from) == (30, 33.333, "region")
    enhanced = opened.case(more_dicom / "eCT_Supplemental.dcm")
    assert enhanced.slice_mm == 10.0
    assert enhanced.windows[0].center == 49.0
    scaled = opened.case(more_dicom / "MR2_UNCR.dcm")
    assert scaled.slope == pytest.approx(3.774114)
    drawn = opened.case(more_dicom / "MR-SIEMENS-DICOM-WithOverlays.dcm")
    assert drawn.overlays[0].bits.shape == (484, 484)
    assert 0 < drawn.overlays[0].bits.sum() < 20_000
    table = opened.case(more_dicom / "vlut_04.dcm")
    assert table.windows[0].name == "From a table"


def test_overlay_is_that_of_pydicom(opened: Opened, more_dicom: Path) -> None:
    import pydicom

    path = more_dicom / "MR-SIEMENS-DICOM-WithOverlays.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truth = pydicom.dcmread(path).overlay_array(0x6000)
    assert np.array_equal(opened.case(path).overlays[0].bits, truth != 0)


def test_series_of_a_dicomdir_tree(child: Child, pydicom_files: Path) -> None:
    folder = pydicom_files / "dicomdirtests" / "98892003"
    found = [one for one in find_images([folder], child) if isinstance(one, Found)]
    cases = [open_case(one, child) for one in found]
    assert all(isinstance(case, CaseImage) for case in cases)
    localizers = [one for one in found if any("one of 7 cases" in note for note in one.notes)]
    assert len(localizers) == 7  # seven radial planes: seven directions


@pytest.mark.shared_data
def test_jpegs_of_the_shared_data(shared_data: Path, child: Child) -> None:
    from PIL import Image

    for folder in ("chest-xray", "knee-grades", "mitosis-votes"):
        paths = sorted((shared_data / folder / "images").rglob("*.jp*g"))[:20]
        assert paths
        for path in paths:
            case = open_case(Found("picture", (path,)), child)
            assert isinstance(case, CaseImage)
            assert np.array_equal(case.frames[0], np.asarray(Image.open(path)))
