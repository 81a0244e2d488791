"""NIfTI volumes against nibabel, and against the patient's own left and right."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel.orientations import ornt_transform

from tests.images.conftest import Opened

_VOXEL = (0.8, 0.9, 3.0)


def _volume(shape: tuple[int, ...] = (5, 6, 4)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape) * 3 - 50


def _saved(array: np.ndarray, path: Path, affine: np.ndarray | None = None) -> Path:
    affine = np.diag([*_VOXEL, 1.0]) if affine is None else affine
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_axial_slices_of_ras(tmp_path: Path, opened: Opened, name: str) -> None:
    case = opened.case(_saved(_volume(), tmp_path / name), kind="nifti")
    truth = _volume()[::-1, ::-1, :].transpose(2, 1, 0)  # left side right, front up, feet first
    assert np.array_equal(np.stack(case.frames), truth)
    assert case.spacing_mm == pytest.approx((0.9, 0.8))
    assert (case.slice_mm, case.slice_positions) == (3.0, (0.0, 3.0, 6.0, 9.0))


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(3)), signs=st.tuples(*[st.sampled_from([-1, 1])] * 3))
def test_storage_order_does_not_matter(
    tmp_path: Path, opened: Opened, order: list[int], signs: tuple[int, ...]
) -> None:
    """The same patient stored along any axes, either way round, gives the same slices."""
    plain = opened.case(_saved(_volume(), tmp_path / "plain.nii"), kind="nifti")
    image = nibabel.Nifti1Image(_volume(), np.diag([*_VOXEL, 1.0]))
    ras = np.array([[0, 1], [1, 1], [2, 1]])
    wanted = np.array(list(zip(order, signs, strict=True)))
    nibabel.save(image.as_reoriented(ornt_transform(ras, wanted)), tmp_path / "turned.nii")
    turned = opened.case(tmp_path / "turned.nii", kind="nifti")
    assert np.array_equal(np.stack(turned.frames), np.stack(plain.frames))
    assert turned.spacing_mm == pytest.approx(plain.spacing_mm)
    assert turned.content_hash == plain.content_hash


@pytest.mark.parametrize("thick", [0, 1, 2])
def test_slices_are_those_of_the_acquisition(tmp_path: Path, opened: Opened, thick: int) -> None:
    voxel = [1.0, 1.0, 1.0]
    voxel[thick] = 5.0
    path = _saved(_volume(), tmp_path / "x.nii", np.diag([*voxel, 1.0]))
    case = opened.case(path, kind="nifti")
    assert len(case.frames) == _volume().shape[thick]
    assert case.slice_mm == 5.0
    assert case.spacing_mm == (1.0, 1.0)


def test_sagittal_and_coronal_look_right(tmp_path: Path, opened: Opened) -> None:
    x, y, z = np.meshgrid(range(5), range(6), range(4), indexing="ij")
    for thick, ups, lefts in ((0, z, y), (1, z, x)):
        voxel = [1.0, 1.0, 1.0]
        voxel[thick] = 5.0
        for which, axis in ((ups, 0), (lefts, 1)):
            path = _saved(which.astype(np.int16), tmp_path / "x.nii", np.diag([*voxel, 1.0]))
            steps = np.diff(opened.case(path, kind="nifti").frames[0].astype(int), axis=axis)
            assert np.all(steps == -1)  # down: towards the feet; right: to the back or the left


def test_scaling_fractions_and_types(tmp_path: Path, opened: Opened) -> None:
    image = nibabel.Nifti1Image(_volume(), np.diag([*_VOXEL, 1.0]))
    image.header.set_slope_inter(2, -7)
    nibabel.save(image, tmp_path / "x.nii")
    truth = nibabel.load(tmp_path / "x.nii").get_fdata()[::-1, ::-1, :].transpose(2, 1, 0)
    case = opened.case(tmp_path / "x.nii", kind="nifti")
    shown = np.stack(case.frames) * case.slope + case.intercept
    assert np.allclose(shown, truth)
    path = _saved(_volume().astype(np.float64) / 7, tmp_path / "y.nii")
    assert opened.case(path, kind="nifti").dtype == "float32"


def test_first_of_several_volumes_is_stated(tmp_path: Path, opened: Opened) -> None:
    path = _saved(_volume((5, 6, 4, 3)), tmp_path / "x.nii.gz")
    case = opened.case(path, kind="nifti")
    assert case.notes == ("the first of 3 volumes",)
    truth = _volume((5, 6, 4, 3))[..., 0][::-1, ::-1, :].transpose(2, 1, 0)
    assert np.array_equal(np.stack(case.frames), truth)


def test_flat_image_and_nifti_2(tmp_path: Path, opened: Opened) -> None:
    nibabel.save(
        nibabel.Nifti2Image(_volume((5, 6, 1)), np.diag([*_VOXEL, 1.0])), tmp_path / "x.nii"
    )
    case = opened.case(tmp_path / "x.nii", kind="nifti")
    assert (len(case.frames), case.rows, case.columns, case.slice_mm) == (1, 6, 5, None)


def test_colour(tmp_path: Path, opened: Opened) -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    plain = np.random.default_rng(0).integers(0, 256, (5, 6, 4, 3)).astype(np.uint8)
    path = _saved(plain.view(kind)[..., 0], tmp_path / "x.nii")
    case = opened.case(path, kind="nifti")
    assert np.array_equal(np.stack(case.frames), plain[::-1, ::-1].transpose(2, 1, 0, 3))


def test_complex_is_refused(tmp_path: Path, opened: Opened) -> None:
    path = _saved(_volume().astype(np.complex64), tmp_path / "x.nii")
    assert opened.refused(path, kind="nifti").cause == "not supported"


@pytest.mark.parametrize("cut", [100, 348, 352, 400])
def test_truncated(tmp_path: Path, opened: Opened, cut: int) -> None:
    whole = _saved(_volume(), tmp_path / "x.nii").read_bytes()
    (tmp_path / "x.nii").write_bytes(whole[:cut])
    assert opened.refused(tmp_path / "x.nii", kind="nifti").cause == "damaged"
    (tmp_path / "x.gz").write_bytes(gzip.compress(whole[:cut]))
    assert opened.refused(tmp_path / "x.gz", kind="nifti").cause == "damaged"


def test_zero_voxel_size_is_left_out(tmp_path: Path, opened: Opened) -> None:
    image = nibabel.Nifti1Image(_volume(), None)
    image.header["pixdim"][1:4] = 0
    image.header["sform_code"] = image.header["qform_code"] = 0
    raw = image.header.binaryblock + b"\0\0\0\0" + _volume().tobytes(order="F")
    patched = bytearray(raw)
    patched[108:112] = np.float32(352).tobytes()
    (tmp_path / "x.nii").write_bytes(bytes(patched))
    case = opened.case(tmp_path / "x.nii", kind="nifti")
    assert case.spacing_mm is None
    assert len(case.frames) == 4
