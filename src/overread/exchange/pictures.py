"""One mask file in: PNG and kin, NIfTI, or a NumPy array, bounded before it is unpacked."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError, MissingExtraError

PICTURE_SUFFIXES = (".png", ".gif", ".bmp", ".tif", ".tiff")
VOLUME_SUFFIXES = (".nii", ".nii.gz")
MASK_SUFFIXES = (*PICTURE_SUFFIXES, *VOLUME_SUFFIXES, ".npy")
"""Files that can hold a mask; JPEG cannot: it changes values."""

MOST_VOXELS = 1 << 30
"""Largest volume that is unpacked."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One mask as its file has it.

    Args:
        value: (rows, columns) or (slices, rows, columns) whole numbers; a colour is written
            65536 red + 256 green + blue.
        colour: the values are colours.
        spacing_mm: mm a voxel, in the order of the axes of ``value``; None where the file has none.
        affine: (4, 4) of a NIfTI file, None elsewhere.
    """

    value: NDArray[Any]
    colour: bool = False
    spacing_mm: Floats | None = None
    affine: Floats | None = None


def read_picture(path: Path, row: int) -> Picture:
    """Read one mask file.

    Args:
        row: its number among the files, for messages.
    Raises:
        InputError: damaged, too large, several pages, half-transparent, or not of whole numbers.
        MissingExtraError: pillow or nibabel is not installed.
    """
    name = path.name.lower()
    if name.endswith(VOLUME_SUFFIXES):
        return _read_nifti(path, row)
    if name.endswith(".npy"):
        return Picture(whole_numbers(_read_npy(path, row), row))
    return _read_image(path, row)


def whole_numbers(array: NDArray[Any], row: int) -> NDArray[Any]:
    """The array as whole numbers of 0 or more; a fraction or nan is an error."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or np.any(array != np.round(array)):
            raise InputError("mask", "hold whole numbers", "fractions or nan", rows=(row,))
        if np.abs(array).max(initial=0) > np.iinfo(np.int32).max:
            raise InputError("mask", "hold whole numbers below 2^31", "larger", rows=(row,))
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InputError("mask", "hold whole numbers", str(array.dtype), rows=(row,))
    if array.size and int(array.min()) < 0:
        raise InputError("mask", "hold numbers of 0 or more", int(array.min()), rows=(row,))
    if array.dtype.kind == "u" and array.itemsize == 8:
        array = array.astype(np.int64)
    return array


def _read_image(path: Path, row: int) -> Picture:
    try:
        from PIL import Image  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise MissingExtraError("Reading masks from image files", "images") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path) as image:
                return _values(image, row)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        rule = f"have at most {Image.MAX_IMAGE_PIXELS} pixels"
        raise InputError("mask", rule, "more", rows=(row,)) from error
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Warning) as error:
        raise InputError("mask", "be a sound image file", "a damaged one", rows=(row,)) from error


def _values(image: Any, row: int) -> Picture:
    if getattr(image, "n_frames", 1) > 1:
        raise InputError("mask", "be one page", "several", rows=(row,))
    if image.format == "GIF":  # its indices follow the program that wrote it, not the mask
        rgb = np.asarray(image.convert("RGB"))
        if np.all(rgb == rgb[..., :1]):
            return Picture(rgb[..., 0].copy())
        image = image.convert("RGB")
    if image.mode == "P" or image.mode in ("1", "L", "I", "I;16", "I;16B", "F"):
        return Picture(whole_numbers(np.asarray(image), row))
    if image.mode in ("LA", "RGBA", "PA"):
        alpha = np.asarray(image.getchannel("A"))
        if np.any(alpha != 255):
            raise InputError("mask", "be opaque", "transparent pixels", rows=(row,))
        if image.mode != "RGBA":
            return Picture(np.asarray(image.getchannel(0)))
    if image.mode not in ("RGB", "RGBA"):
        raise InputError("mask", "be grey, palette or RGB", image.mode, rows=(row,))
    rgb = np.asarray(image)[..., :3].astype(np.int32)
    return Picture(rgb[..., 0] * 65536 + rgb[..., 1] * 256 + rgb[..., 2], colour=True)


def _read_npy(path: Path, row: int) -> NDArray[Any]:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        _refuse_size(mapped.shape, row)
        return np.array(mapped)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, TypeError, AttributeError) as error:
        raise InputError("mask", "be a sound .npy file", "a damaged one", rows=(row,)) from error


def _read_nifti(path: Path, row: int) -> Picture:
    try:
        import nibabel  # noqa: PLC0415 - an extra, needed here alone
        from nibabel.filebasedimages import ImageFileError  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Reading masks from NIfTI", "images") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nibabel warns of headers that it then repairs
            image: Any = nibabel.load(path)
            shape = tuple(int(side) for side in image.shape)
            while len(shape) > 3 and shape[-1] == 1:
                shape = shape[:-1]
            _refuse_size(shape, row)
            array = np.asanyarray(image.dataobj).reshape(shape)
            affine = np.asarray(image.affine, dtype=np.float64)
    except InputError:
        raise
    except (OSError, ValueError, EOFError, TypeError, ImageFileError, OverflowError) as error:
        raise InputError("mask", "be a sound NIfTI file", "a damaged one", rows=(row,)) from error
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[: array.ndim]
    if not np.isfinite(spacing).all() or np.any(spacing <= 0):
        raise InputError("voxel size", "be above 0", spacing.tolist(), rows=(row,))
    return Picture(whole_numbers(array, row).T, spacing_mm=spacing[::-1].copy(), affine=affine)


def _refuse_size(shape: tuple[int, ...], row: int) -> None:
    if len(shape) not in (2, 3):
        raise InputError("mask", "have 2 or 3 axes", len(shape), rows=(row,))
    if np.prod([float(side) for side in shape]) > MOST_VOXELS:
        raise InputError("mask", f"have at most {MOST_VOXELS} voxels", shape, rows=(row,))
