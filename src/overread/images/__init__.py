"""Images in: DICOM, PNG, JPEG, TIFF and NIfTI, decoded in a child process that can be killed."""

from overread.images.case_image import (
    CaseImage,
    CaseMeta,
    Found,
    Overlay,
    Quarantined,
    Window,
)
from overread.images.child import Child
from overread.images.decode import decode_in_child, open_case
from overread.images.dicom_about import patient_key
from overread.images.find import find_images
from overread.images.limits import Limits
from overread.images.packing import content_hash, pack_frame, unpack_frame
from overread.images.show import brightness, thumbnail
from overread.images.small import small_square

__all__ = [
    "CaseImage",
    "CaseMeta",
    "Child",
    "Found",
    "Limits",
    "Overlay",
    "Quarantined",
    "Window",
    "brightness",
    "content_hash",
    "decode_in_child",
    "find_images",
    "open_case",
    "pack_frame",
    "patient_key",
    "small_square",
    "thumbnail",
    "unpack_frame",
]
