"""Kept thumbnails as small square arrays, for whoever compares images by numbers."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError


def small_square(picture: bytes, *, side: int = 64, colour: bool = False) -> NDArray[np.uint8]:
    """A thumbnail, squeezed into a square.

    Args:
        picture: the bytes of a PNG, as :func:`overread.images.thumbnail` makes them.
        side: rows and columns wanted.
        colour: with three channels.
    Returns:
        (side, side), or (side, side, 3).
    Raises:
        InputError: the bytes are no picture.
        MissingExtraError: pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Looking at thumbnails", "images") from error
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG",)) as one:
            shown = one.convert("RGB" if colour else "L")
            made = shown.resize((side, side), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError("thumbnail", "be a PNG", "something else") from error
    return np.asarray(made, dtype=np.uint8)
