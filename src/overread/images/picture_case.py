"""PNG, JPEG and TIFF files as cases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.images.case_image import Details
from overread.images.dicom_file import open_regular
from overread.images.limits import Limits
from overread.images.refusal import RefusedError
from overread.images.stack import Stack, refuse_size

_GREY = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
_REDUCED = 254  # TIFF tag NewSubfileType; bit 0 marks a smaller copy of another page


def picture_stack(path: Path, limits: Limits) -> Stack:
    """Prepare the frames of a picture.

    Raises:
        RefusedError: damaged or too large.
    """
    from PIL import Image  # noqa: PLC0415 - the child alone needs it

    Image.MAX_IMAGE_PIXELS = None  # the size is checked below, against our own limit
    warnings.simplefilter("ignore")
    try:
        image = Image.open(open_regular(path, limits), formats=["PNG", "JPEG", "TIFF"])
        pages, left_out = _pages(image, limits)
        columns, rows = _shown_size(image)
        samples = 1 if image.mode in _GREY or _grey_alpha(image) else 3
    except (RefusedError, MemoryError, ImportError):
        raise
    except Exception as error:  # a hostile picture makes the decoder raise anything
        raise RefusedError("damaged", "the picture's header cannot be parsed") from error
    refuse_size(rows, columns, samples=samples, count=len(pages), limits=limits)
    notes = (f"{left_out} pages of another size are left out",) if left_out else ()
    return Stack(
        frames=_frames(image, pages, grey=samples == 1),
        count=len(pages),
        rows=rows,
        columns=columns,
        samples=samples,
        details=Details(notes=(*notes, *_notes(image))),
    )


def _pages(image: Any, limits: Limits) -> tuple[list[int], int]:
    """Pages that are frames: of the first one's size and no reduced copies."""
    columns, rows = image.size
    refuse_size(rows, columns, samples=1, count=1, limits=limits)
    if image.format != "TIFF":
        return [0], 0
    count = min(int(getattr(image, "n_frames", 1)), limits.frames + 1)
    kept: list[int] = []
    size, mode, reduced = image.size, image.mode, 0
    for page in range(count):
        image.seek(page)
        copy = bool(int(image.tag_v2.get(_REDUCED, 0)) & 1)
        reduced += copy
        if image.size == size and image.mode == mode and not (copy and page):
            kept.append(page)
    image.seek(0)
    return kept, count - len(kept) - reduced


def _shown_size(image: Any) -> tuple[int, int]:
    turned = image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    across, down = image.size
    return (down, across) if turned else (across, down)


def _grey_alpha(image: Any) -> bool:
    return image.mode in {"LA", "La"}


def _notes(image: Any) -> tuple[str, ...]:
    clear = image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info
    return ("transparent parts are shown on black",) if clear else ()


def _frames(image: Any, pages: list[int], *, grey: bool) -> Iterator[NDArray[Any]]:
    from PIL import ImageOps  # noqa: PLC0415 - as above

    try:
        for page in pages:
            image.seek(page)
            image.load()
            yield _samples(ImageOps.exif_transpose(image), grey=grey)
    except (MemoryError, ImportError, RefusedError):
        raise
    except Exception as error:  # as above
        raise RefusedError("damaged", "the picture's pixels cannot be decoded") from error


def _samples(image: Any, *, grey: bool) -> NDArray[Any]:
    clear = _grey_alpha(image) or (image.mode in {"L", "1"} and "transparency" in image.info)
    if grey and not clear:
        return _grey_samples(image)
    if image.mode != "RGB" or "transparency" in image.info:
        image = _on_black(image)
    array = np.asarray(image)
    return np.ascontiguousarray(array[..., 0]) if grey else array


def _grey_samples(image: Any) -> NDArray[Any]:
    array = np.asarray(image)
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _on_black(image: Any) -> Any:
    from PIL import Image  # noqa: PLC0415 - as above

    has_alpha = image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info
    if not has_alpha:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear).convert(
        "RGB"
    )
