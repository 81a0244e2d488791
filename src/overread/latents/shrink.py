"""Images of any size to the size an encoder wants."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from overread.errors import InputError

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as JPEG has it


def shrunk(image: NDArray[np.uint8], rows: int, columns: int, channels: int) -> NDArray[np.uint8]:
    """Resample an image: a tent around each new pixel, wide enough that no old one is left out.

    Args:
        image: (any, any) grey or (any, any, 3) colour, brightness 0 to 255.
        rows, columns: wanted; the image is stretched to them.
        channels: 1 (colour becomes grey) or 3 (grey is repeated).
    Returns:
        (rows, columns, channels).
    Raises:
        InputError: it is no image.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in {2, 3} or 0 in image.shape:
        rule = "be brightness 0 to 255 (uint8), (rows, columns) or (rows, columns, 3)"
        raise InputError("image", rule, f"{image.dtype} of shape {image.shape}")
    if image.ndim == 3 and image.shape[2] not in {1, 3}:
        raise InputError("image", "have 1 or 3 channels", image.shape[2])
    planes = image[..., None] if image.ndim == 2 else image
    down, across = _weights(planes.shape[0], rows), _weights(planes.shape[1], columns)
    made = np.empty((rows, columns, planes.shape[2]), dtype=np.float32)
    for channel in range(planes.shape[2]):
        made[..., channel] = (across @ (down @ planes[..., channel].astype(np.float32)).T).T
    if channels == 1 and made.shape[2] == 3:
        made = (made @ _LUMA)[..., None]
    made = np.clip(made + 0.5, 0, 255)
    whole = made.astype(np.uint8)
    return np.repeat(whole, 3, axis=2) if channels == 3 and whole.shape[2] == 1 else whole


@lru_cache(maxsize=64)
def _weights(old: int, new: int) -> csr_array:
    """(new, old): a tent around each new pixel's centre, wide enough to leave nothing out."""
    scale = old / new
    reach = max(scale, 1.0)
    centre = (np.arange(new) + 0.5) * scale - 0.5
    first = np.floor(centre - reach).astype(int)
    offset = np.arange(int(np.ceil(2 * reach)) + 2)
    column = first[:, None] + offset
    weight = np.maximum(1 - np.abs(column - centre[:, None]) / reach, 0)
    row = np.broadcast_to(np.arange(new)[:, None], column.shape)
    inside = (column >= 0) & (column < old) & (weight > 0)
    flat = csr_array((weight[inside], (row[inside], column[inside])), shape=(new, old))
    total = np.asarray(flat.sum(axis=1)).ravel()
    return csr_array(flat.multiply(1 / total[:, None]).astype(np.float32))
