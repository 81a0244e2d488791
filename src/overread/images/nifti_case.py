"""NIfTI volumes as slices in radiological orientation."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from overread.images.case_image import Details
from overread.images.dicom_display import Rescale
from overread.images.dicom_file import open_regular
from overread.images.limits import Limits
from overread.images.refusal import RefusedError
from overread.images.stack import Stack, refuse_size

# For slices along x, y, z of the patient (RAS+): the direction in which rows, columns and slices
# of the picture run, as signs along (rows' axis, columns' axis, slices' axis). The patient's right
# is at the left of the picture, front or top is up: DICOM's own habit, ascending along the normal.
_VIEWS = {
    0: ((2, -1), (1, -1), (0, 1)),  # sagittal: down = inferior, right = posterior, on to the right
    1: ((2, -1), (0, -1), (1, -1)),  # coronal: down = inferior, right = left side, on to the back
    2: ((1, -1), (0, -1), (2, 1)),  # axial: down = posterior, right = left side, on to the head
}
_CLEARLY_THICKER = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class _Volume:
    samples: NDArray[Any]  # (i, j, k) or (i, j, k, 3)
    affine: NDArray[np.float64]
    slope: float
    intercept: float
    slice_axis: int | None
    notes: tuple[str, ...]


def nifti_stack(path: Path, limits: Limits) -> Stack:
    """Read a NIfTI file and cut it into slices.

    The slices are those of the acquisition: the axis the header names, or the one with clearly
    thicker voxels, or the axial ones.

    Raises:
        RefusedError: damaged, too large, or of complex numbers.
    """
    volume = _read(path, limits)
    axes, signs = _axes(volume.affine)
    picture, order = _oriented(volume, axes, signs)
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)[order]
    sound = bool(np.isfinite(spacing).all() and np.all((spacing > 1e-6) & (spacing < 1e6)))
    count, rows, columns = picture.shape[:3]
    flat = count == 1
    step = float(spacing[0]) if sound and not flat else None
    lost = () if sound else ("the voxel size of the file is not above 0 and is left out",)
    return Stack(
        frames=_frames(picture),
        count=count,
        rows=rows,
        columns=columns,
        samples=3 if picture.ndim == 4 else 1,
        details=Details(
            slope=volume.slope,
            intercept=volume.intercept,
            spacing_mm=(float(spacing[1]), float(spacing[2])) if sound else None,
            spacing_from="pixel" if sound else "",
            slice_positions=tuple(round(at * step, 4) for at in range(count)) if step else (),
            slice_mm=round(step, 6) if step else None,
            thickness_mm=round(step, 6) if step else None,
            notes=(*volume.notes, *lost),
        ),
    )


def _read(path: Path, limits: Limits) -> _Volume:
    with open_regular(path, limits) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source: Any = gzip.GzipFile(fileobj=file) if packed else file
        try:
            return _parsed(source, limits)
        except (RefusedError, MemoryError, ImportError):
            raise
        except Exception as error:  # a hostile header makes the parser raise anything
            raise RefusedError("damaged", "the NIfTI file cannot be parsed") from error


def _parsed(source: BinaryIO, limits: Limits) -> _Volume:
    import nibabel  # noqa: PLC0415 - the child alone needs it

    header: Any
    head = source.read(540)
    wide = 540 in {int.from_bytes(head[:4], order) for order in ("little", "big")}
    kind: Any = nibabel.Nifti2Header if wide else nibabel.Nifti1Header
    header = kind(head[: 540 if wide else 348], check=False)
    shape = tuple(int(side) for side in header.get_data_shape())
    volumes = int(np.prod(shape[3:], dtype=np.float64)) if len(shape) > 3 else 1
    shape = (*shape[:3], *[1] * (3 - len(shape[:3])))
    dtype = header.get_data_dtype()
    colour = 3 if dtype.fields else 1
    count = max(shape)  # any axis can become the slices
    refuse_size(1, int(np.prod(shape, dtype=np.float64)), samples=colour, count=1, limits=limits)
    refuse_size(1, 1, samples=1, count=count, limits=limits)
    if dtype.kind == "c" or (dtype.fields and set("RGB") - set(dtype.fields)):
        raise RefusedError("not supported", "NIfTI samples that are neither real nor RGB")
    size = int(np.prod(shape)) * dtype.itemsize
    _skip(source, int(header.get_data_offset()) - len(head), head)
    raw = _after(source, int(header.get_data_offset()), head, size)
    grid = np.frombuffer(raw, dtype, count=int(np.prod(shape))).reshape(shape, order="F")
    notes = (f"the first of {volumes} volumes",) if volumes > 1 else ()
    return _scaled(grid, header, colour == 3, notes)


def _skip(source: BinaryIO, more: int, head: bytes) -> None:
    """Step over extensions, in pieces, so that a claimed offset makes no large buffer."""
    if more + len(head) > 1 << 28 or (more < 0 and more + len(head) < 348):
        raise RefusedError("damaged", "the NIfTI header places the samples nowhere")
    while more > 0:
        piece = source.read(min(more, 1 << 20))
        if not piece:
            raise RefusedError("damaged", "the NIfTI file ends before its samples")
        more -= len(piece)


def _after(source: BinaryIO, offset: int, head: bytes, size: int) -> bytes:
    """Bytes of the samples; those that were read with the header come first."""
    early = head[offset:] if offset < len(head) else b""
    raw = early + source.read(max(size - len(early), 0))
    if len(raw) < size:
        raise RefusedError("damaged", "the NIfTI file ends before its last sample")
    return raw[:size]


def _scaled(grid: NDArray[Any], header: Any, colour: bool, notes: tuple[str, ...]) -> _Volume:
    affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    slice_axis = header.get_dim_info()[2]
    if colour:
        samples = np.stack([grid[channel] for channel in "RGB"], axis=-1)
        return _Volume(samples, affine, 1.0, 0.0, slice_axis, notes)
    slope, intercept = (1.0 if one is None else float(one) for one in header.get_slope_inter())
    if header.get_slope_inter()[0] is None or slope == 0:
        slope, intercept = 1.0, 0.0
    samples = grid.astype(grid.dtype.newbyteorder("="), copy=False)
    scale = Rescale(slope, intercept)
    if samples.dtype.kind in "iu" and scale.whole:
        samples = samples.astype(np.int64) * int(slope) + int(intercept)
        slope, intercept = 1.0, 0.0
    return _Volume(samples, affine, slope, intercept, slice_axis, notes)


def _axes(affine: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """For each patient axis x, y, z the voxel axis that runs along it, and its sign."""
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        return [0, 1, 2], [1, 1, 1]
    import nibabel  # noqa: PLC0415 - as above

    orientation_of: Any = nibabel.orientations.io_orientation
    told = orientation_of(affine)
    axes, signs = [0, 1, 2], [1, 1, 1]
    for voxel_axis, (patient_axis, sign) in enumerate(told):
        axes[int(patient_axis)], signs[int(patient_axis)] = voxel_axis, int(sign)
    return axes, signs


def _oriented(volume: _Volume, axes: list[int], signs: list[int]) -> tuple[NDArray[Any], list[int]]:
    """(slices, rows, columns[, 3]) as a radiologist looks at them, and the voxel axis of each."""
    view = _VIEWS[_normal(volume, axes)]
    down, right, on = view
    order = [axes[patient_axis] for patient_axis, _ in (on, down, right)]
    picture = volume.samples.transpose(*order, *range(3, volume.samples.ndim))
    for at, (patient_axis, wanted) in enumerate((on, down, right)):
        if signs[patient_axis] != wanted:
            picture = np.flip(picture, axis=at)
    return picture, order


def _normal(volume: _Volume, axes: list[int]) -> int:
    """Patient axis along which the slices follow each other."""
    shape = volume.samples.shape
    if 1 in shape[:3]:
        return axes.index(int(np.flatnonzero(np.array(shape[:3]) == 1)[-1]))
    if volume.slice_axis is not None:
        return axes.index(volume.slice_axis)
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    thick = int(np.argmax(spacing))
    others = np.delete(spacing, thick)
    if np.isfinite(spacing).all() and spacing[thick] > _CLEARLY_THICKER * others.max():
        return axes.index(thick)
    return 2


def _frames(picture: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for one in picture:
        yield np.ascontiguousarray(one)
