"""What the demo lets people read: real images of many kinds from PyPI's pydicom-data.

The package carries test files of pydicom, most of them several times in other encodings; here is
one of each image, radiographs first. What an image shows was looked at by the authors of the demo,
for the simulated readers alone: nobody is told it as a truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overread.exchange.public_reads import package_file

PACKAGE, _FOLDER = "pydicom-data", "data_store/data"


@dataclass(frozen=True, slots=True)
class DemoImage:
    """One image.

    Args:
        file: in the package.
        name: of its case, for leads; readers do not see it.
        known: question -> what it is known to show; boxes as (class, x1, y1, x2, y2).
    """

    file: str
    name: str
    known: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class DemoProject:
    """One project: a protocol and its images.

    Args:
        name: of the project.
        protocol: name of the file of its protocol.
        images: in the order of reading, as far as they are single images.
        simulated: whether simulated readers read it, too.
    """

    name: str
    protocol: str
    images: tuple[DemoImage, ...]
    simulated: bool = True

    def text(self) -> str:
        """Its protocol."""
        path = Path(__file__).parent / "demo_protocols" / f"{self.protocol}.yaml"
        return path.read_text(encoding="utf-8")


def dicom_file(name: str) -> Path:
    """Where a file of the package lies; see :func:`package_file`."""
    return package_file(PACKAGE, f"{_FOLDER}/{name}")


Find = Callable[[str], Path]

_CHEST, _LEG, _HEAD = "RG1_UNCR.dcm", "RG3_UNCR.dcm", "693_UNCR.dcm"
_NODE, _HEART, _PELVIS = "US1_UNCR.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "gdcm-US-ALOKA-16.dcm"
_ABDOMEN, _SPINE, _SHOULDER = "explicit_VR-UN.dcm", "bad_sequence.dcm", "MR2_UNCR.dcm"


def _part(file: str, name: str, part: str, quality: str) -> DemoImage:
    return DemoImage(file, name, {"part": part, "quality": quality})


def _text(file: str, name: str, *boxes: tuple[str, int, int, int, int]) -> DemoImage:
    return DemoImage(file, name, {"text": boxes})


_PARTS = (
    _part(_CHEST, "Chest radiograph", "Chest or heart", "Very good"),
    _part(_LEG, "Leg radiograph", "Leg", "Good enough"),
    _part(_NODE, "Ultrasound, lymph node", "Cannot tell", "Good enough"),
    _part(_HEART, "Ultrasound, heart", "Chest or heart", "Good enough"),
    _part(_PELVIS, "Ultrasound, pelvis", "Abdomen or pelvis", "Good enough"),
    _part("color3d_jpeg_baseline.dcm", "Ultrasound clip, heart", "Chest or heart", "Good enough"),
    _part("JPEG-LL.dcm", "Bone scan", "Whole body", "Poor"),
    _part("eCT_Supplemental.dcm", "CT map of the head", "Head", "Poor"),
    _part("emri_small.dcm", "MR, ten small slices", "Cannot tell", "Poor"),
    _part(_HEAD, "CT of the head", "Head", "Very good"),
    _part(_ABDOMEN, "CT of the abdomen", "Abdomen or pelvis", "Good enough"),
    _part(_SPINE, "CT of a vertebra", "Spine", "Very good"),
    _part(_SHOULDER, "MR of the shoulder", "Shoulder or arm", "Very good"),
    _part("MR-SIEMENS-DICOM-WithOverlays.dcm", "MR of the liver", "Abdomen or pelvis", "Very good"),
    # no images: they are set aside with their reason, and the import goes on
    DemoImage("liver.dcm", "Segmentation"),
    DemoImage("emri_small_jpeg_2k_lossless_too_short.dcm", "Damaged file"),
)

_TEXTS = (
    _text(_LEG, "Leg radiograph", ("Side marker", 1141, 1385, 1217, 1475)),
    _text(
        _NODE,
        "Ultrasound, lymph node",
        ("Text", 18, 21, 170, 107),
        ("Text", 277, 23, 362, 58),
        ("Text", 497, 21, 621, 107),
        ("Text", 247, 359, 360, 377),
        ("Text", 398, 455, 621, 474),
        ("Scale", 77, 443, 255, 459),
    ),
    _text(
        _HEART,
        "Ultrasound, heart",
        ("Text", 14, 20, 145, 48),
        ("Text", 14, 50, 75, 240),
        ("Text", 80, 60, 335, 120),
        ("Text", 826, 22, 960, 48),
        ("Text", 930, 726, 998, 750),
    ),
    _text(
        _PELVIS,
        "Ultrasound, pelvis",
        ("Text", 80, 0, 640, 27),
        ("Text", 250, 33, 329, 67),
        ("Text", 553, 33, 638, 67),
        ("Text", 35, 430, 283, 447),
        ("Text", 339, 430, 585, 447),
        ("Text", 20, 454, 98, 470),
        ("Text", 549, 454, 629, 470),
    ),
    _text(_CHEST, "Chest radiograph"),
    _text(_HEAD, "CT of the head"),
)

_BONES = (
    DemoImage(_LEG, "Leg radiograph"),
    DemoImage(_SPINE, "CT of a vertebra"),
    DemoImage(_HEAD, "CT of the head"),
    DemoImage(_ABDOMEN, "CT of the abdomen"),
    DemoImage(_SHOULDER, "MR of the shoulder"),
)

PROJECTS = (
    DemoProject("Body part and quality", "body-part", _PARTS),
    DemoProject("Text and markers", "text-boxes", _TEXTS),
    DemoProject("Bone, painted", "bone", _BONES, simulated=False),
)
"""The first is the one that a newcomer's link opens."""
