"""The frames of one DICOM file, one at a time, as grey or RGB samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.images import jpeg12
from overread.images.case_image import Overlay
from overread.images.dicom_file import has_pixels
from overread.images.dicom_values import Dataset, text, whole
from overread.images.refusal import RefusedError

_GREY = {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}
_COLOUR = {
    "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "YBR_PARTIAL_422",
}  # fmt: skip
_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}


def sizes_of(dataset: Dataset) -> tuple[int, int, int, int]:
    """Claimed (frames, rows, columns, samples of the decoded frames)."""
    colour = whole(dataset, "SamplesPerPixel", 1) == 3
    palette = text(dataset, "PhotometricInterpretation") == "PALETTE COLOR"
    rows, columns = (whole(dataset, name, 0) for name in ("Rows", "Columns"))
    count = max(whole(dataset, "NumberOfFrames", 1), 1)
    return count, rows, columns, 3 if colour or palette else 1


def frames_of(dataset: Dataset) -> Iterator[NDArray[Any]]:
    """Decode the frames of a data set in their order.

    Raises:
        RefusedError: a syntax without decoder, a colour space that is not known, damaged pixels.
    """
    photometric = _photometric(dataset)
    if not has_pixels(dataset):
        raise RefusedError("damaged", "the pixels are missing")
    _complete(dataset, photometric)
    for frame in _decoded(dataset):
        yield _finished(dataset, frame, photometric)


def _photometric(dataset: Dataset) -> str:
    """Photometric interpretation that fits the samples per pixel."""
    samples = whole(dataset, "SamplesPerPixel", 1)
    told = text(dataset, "PhotometricInterpretation").upper()
    if samples == 1:
        return told if told in _GREY else "MONOCHROME2"
    if samples == 3 and told in _COLOUR:
        return told
    reason = f"{samples} samples per pixel of a colour space that is not read"
    raise RefusedError("not supported", reason)


def _complete(dataset: Dataset, photometric: str) -> None:
    """Fill in what old files leave out and the decoder insists on."""
    dataset.PhotometricInterpretation = photometric
    dataset.NumberOfFrames = sizes_of(dataset)[0]
    allocated = whole(dataset, "BitsAllocated", 8)
    dataset.SamplesPerPixel = whole(dataset, "SamplesPerPixel", 1)
    dataset.BitsAllocated = allocated
    dataset.BitsStored = min(whole(dataset, "BitsStored", allocated), allocated)
    dataset.PixelRepresentation = whole(dataset, "PixelRepresentation", 0)
    if dataset.SamplesPerPixel > 1:
        dataset.PlanarConfiguration = whole(dataset, "PlanarConfiguration", 0)
    meta = dataset.file_meta
    if not text(meta, "TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"
        meta.TransferSyntaxUID = "1.2.840.10008.1.2" if implicit else explicit


def _decoded(dataset: Dataset) -> Iterator[NDArray[Any]]:
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415 - the child alone

    syntax = dataset.file_meta.TransferSyntaxUID
    name = str(syntax.name)[:60] if syntax.is_transfer_syntax else "unknown"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise RefusedError("not supported", f"transfer syntax {name}") from error
    if decoder.is_encapsulated and not decoder.is_available:
        reason = f"transfer syntax {name} needs a decoder: pip install 'overread[images]'"
        raise RefusedError("missing part", reason)
    shift = _odd_high_bit(dataset) if str(syntax) in _NATIVE else 0
    try:
        for frame in _each(dataset, shift_correction=shift == 0):
            yield _shifted(dataset, frame, shift) if shift else frame
    except (MemoryError, ImportError, RefusedError):
        raise
    except Exception as error:  # each decoder has errors of its own
        raise RefusedError("damaged", f"the pixels cannot be decoded ({name})") from error


def _each(dataset: Dataset, *, shift_correction: bool) -> Iterator[NDArray[Any]]:
    """Frames one after another; by number where pydicom's iterator stumbles over its own array."""
    from pydicom.pixels.utils import iter_pixels, pixel_array  # noqa: PLC0415 - as above

    count = dataset.NumberOfFrames
    if _wide_jpeg(dataset):
        yield from _wide_jpeg_frames(dataset, count)
        return
    done = 0
    if count > 1:
        try:
            for frame in iter_pixels(dataset, shift_correction=shift_correction):
                yield frame
                done += 1
        except ValueError:  # "output array is read-only": JPEG 2000 of another sign than claimed
            if done:
                raise
    for at in range(done, count):
        yield pixel_array(dataset, index=at, shift_correction=shift_correction)


def _wide_jpeg(dataset: Dataset) -> bool:
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    return syntax == jpeg12.SYNTAX and dataset.BitsStored > 8 and dataset.SamplesPerPixel == 1


def _wide_jpeg_frames(dataset: Dataset, count: int) -> Iterator[NDArray[Any]]:
    from pydicom.encaps import generate_frames  # noqa: PLC0415 - as above

    for encoded in generate_frames(dataset.PixelData, number_of_frames=count):
        yield jpeg12.decode_frame(
            encoded, rows=dataset.Rows, columns=dataset.Columns, stored=dataset.BitsStored
        )


def _odd_high_bit(dataset: Dataset) -> int:
    """Bits below the lowest one stored, 0 in every image of today."""
    stored = dataset.BitsStored
    high = whole(dataset, "HighBit", stored - 1)
    return high - stored + 1 if stored <= high + 1 <= dataset.BitsAllocated else 0


def _shifted(dataset: Dataset, frame: NDArray[Any], shift: int) -> NDArray[Any]:
    """Stored bits of samples that do not start at bit 0; what lies beside them is overlay."""
    up = dataset.BitsAllocated - dataset.BitsStored - shift
    shifted: NDArray[Any] = np.right_shift(np.left_shift(frame, up), up + shift)
    return shifted


def _finished(dataset: Dataset, frame: NDArray[Any], photometric: str) -> NDArray[Any]:
    if photometric == "PALETTE COLOR":
        return _through_palette(dataset, frame)
    if frame.ndim == 2:
        return frame.astype(np.uint8) if frame.dtype.kind == "b" else frame
    if frame.shape[-1] != 3:
        raise RefusedError("damaged", "a colour frame without three samples")
    return _eight_bits(frame, whole(dataset, "BitsStored", 8 * frame.dtype.itemsize))


def _eight_bits(frame: NDArray[Any], stored: int) -> NDArray[Any]:
    if stored > 8:
        frame = frame.astype(np.int64) >> (stored - 8)
    eight: NDArray[np.uint8] = np.clip(frame, 0, 255).astype(np.uint8)
    return eight


def _through_palette(dataset: Dataset, frame: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 - as above

    try:
        coloured = apply_color_lut(frame, dataset)[..., :3]
    except Exception as error:  # a hostile table makes pydicom raise anything
        raise RefusedError("damaged", "the colour palette cannot be read") from error
    wide = coloured.dtype.itemsize > 1 and int(coloured.max(initial=0)) > 255
    eight: NDArray[Any] = coloured >> 8 if wide else coloured
    return eight.astype(np.uint8)


def overlays_of(dataset: Dataset, frame: int, count: int) -> list[Overlay]:
    """Graphics of groups 6000-601E, laid where they belong on the frame.

    Args:
        frame: number of the file's first frame within the case.
        count: frames of the file.
    Source:
        DICOM PS3.3 C.9.2. Overlays within unused bits of the samples (retired) are left out.
    """
    found: list[Overlay] = []
    rows, columns = whole(dataset, "Rows", 0), whole(dataset, "Columns", 0)
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x3000) not in dataset:
            continue
        try:
            drawn = np.asarray(dataset.overlay_array(group))
            origin = [int(one) - 1 for one in dataset[group, 0x50].value]
            first = int(dataset[group, 0x51].value) - 1 if (group, 0x51) in dataset else 0
        except Exception:  # noqa: BLE001, S112 - a damaged graphic is no reason to lose the image
            continue
        layers = drawn[None] if drawn.ndim == 2 else drawn
        everywhere = len(layers) == 1 and first == 0
        for at in range(count) if everywhere else range(first, min(first + len(layers), count)):
            bits = _placed(layers[0 if everywhere else at - first], origin, (rows, columns))
            found.append(Overlay(frame + at, bits))
    return found


def _placed(drawn: NDArray[Any], origin: list[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    bits = np.zeros(size, dtype=np.bool_)
    begin = [max(0, one) for one in origin]
    end = [
        min(side, one + drawn.shape[axis])
        for axis, (side, one) in enumerate(zip(size, origin, strict=True))
    ]
    if all(low < high for low, high in zip(begin, end, strict=True)):
        part = tuple(
            slice(low - one, high - one) for low, high, one in zip(begin, end, origin, strict=True)
        )
        bits[begin[0] : end[0], begin[1] : end[1]] = drawn[part] != 0
    return bits
