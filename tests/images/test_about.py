"""What is told of a patient: bands, codes and keyed hashes; spacing, windows and packing."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from overread.errors import InputError, MissingExtraError
from overread.images import (
    Child,
    Found,
    Limits,
    Window,
    find_images,
    open_case,
    pack_frame,
    thumbnail,
    unpack_frame,
)
from overread.images.case_image import STORED_TYPES
from overread.images.dicom_about import age_band, group_of, meta_of
from overread.images.show import windowed
from tests.images.conftest import SECRET, Opened
from tests.images.made import dataset, item, ramp, saved


@pytest.mark.parametrize(
    ("told", "band"),
    [
        ({"PatientAge": "045Y"}, "40-49"),
        ({"PatientAge": "089Y"}, "80-89"),
        ({"PatientAge": "090Y"}, "90+"),
        ({"PatientAge": "113Y"}, "90+"),
        ({"PatientAge": "018M"}, "0-9"),
        ({"PatientAge": "003D"}, "0-9"),
        ({"PatientAge": "130Y"}, None),
        ({"PatientAge": "old"}, None),
        ({"PatientBirthDate": "19500402", "StudyDate": "20200401"}, "60-69"),
        ({"PatientBirthDate": "19500402", "StudyDate": "20200402"}, "70-79"),
        ({"PatientBirthDate": "20210101", "StudyDate": "20200101"}, None),
        ({"PatientBirthDate": ""}, None),
    ],
)
def test_age_band(told: dict[str, str], band: str | None) -> None:
    assert age_band(item(**told)) == band


def test_group_is_the_patient_under_the_project_s_key() -> None:
    jane = item(PatientID="4711", StudyInstanceUID="1.2")
    assert group_of(jane, SECRET) == group_of(item(PatientID=" 4711 "), SECRET)
    others = [
        group_of(jane, b"another project's key"),
        group_of(item(PatientID="4711", IssuerOfPatientID="B"), SECRET),
        group_of(item(PatientID="4712"), SECRET),
        group_of(item(StudyInstanceUID="1.2"), SECRET),
    ]
    assert len({group_of(jane, SECRET), *others}) == 5
    assert group_of(item(), SECRET) is None


def test_free_text_where_a_code_belongs_is_left_out() -> None:
    meta = meta_of(item(BodyPartExamined="Jane Doe's left knee", PatientSex="Jane"), SECRET)
    assert (meta.body_part, meta.sex, meta.site, meta.device) == (None, None, None, None)
    assert meta_of(item(BodyPartExamined="JANE DOE"), SECRET).body_part is None
    assert meta_of(item(BodyPartExamined="Chest"), SECRET).body_part == "CHEST"
    meta = meta_of(item(InstitutionName="  St.  ELSEWHERE", Manufacturer="Acme"), SECRET)
    assert meta.site == meta_of(item(InstitutionName="St. Elsewhere"), SECRET).site
    assert meta.device == "Acme"


@pytest.mark.parametrize(
    ("told", "mm", "source"),
    [
        ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.3), "pixel"),
        ({"PixelSpacing": [0.2, 0.3], "ImagerPixelSpacing": [1, 1]}, (0.2, 0.3), "pixel"),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [1, 1]}, (1.0, 1.0), "detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "detector"),
        (
            {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": "1.25"},
            (0.16, 0.16),
            "pixel",
        ),
        ({"PixelSpacing": [0, 0]}, None, ""),
        ({"PixelSpacing": [-1, 1]}, None, ""),
        ({"NominalScannedPixelSpacing": [0.1, 0.1]}, (0.1, 0.1), "detector"),
        ({}, None, ""),
    ],
)
def test_spacing(
    tmp_path: Path,
    opened: Opened,
    told: dict[str, Any],
    mm: tuple[float, float] | None,
    source: str,
) -> None:
    case = opened.case(saved(dataset(ramp(), **told), tmp_path / "x"))
    assert case.spacing_mm == (None if mm is None else pytest.approx(mm))
    assert case.spacing_from == source


def _region(delta: float, kind: int = 1, units: int = 3) -> Any:
    return item(
        RegionSpatialFormat=kind, PhysicalUnitsXDirection=units, PhysicalUnitsYDirection=units,
        PhysicalDeltaX=delta, PhysicalDeltaY=delta * 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("regions", "mm"),
    [
        ([_region(0.05)], (1.0, 0.5)),
        ([_region(0.05), _region(0.05)], (1.0, 0.5)),
        ([_region(0.05), _region(0.5, kind=3, units=4)], (1.0, 0.5)),  # a Doppler strip beside
        ([_region(0.05), _region(0.06)], None),
        ([_region(0.05, units=0)], None),
    ],
)
def test_ultrasound_regions(
    tmp_path: Path, opened: Opened, regions: list[Any], mm: tuple[float, float] | None
) -> None:
    made = dataset(ramp(), Modality="US", SequenceOfUltrasoundRegions=regions)
    assert opened.case(saved(made, tmp_path / "x")).spacing_mm == mm


def test_windows_with_names_and_nonsense(tmp_path: Path, opened: Opened) -> None:
    made = dataset(
        ramp(), WindowCenter=[40, -600, 5], WindowWidth=[400, 1500, 0],
        WindowCenterWidthExplanation=["Soft", "Lung", "Nothing"], VOILUTFunction="SIGMOID",
    )  # fmt: skip
    case = opened.case(saved(made, tmp_path / "x"))
    assert case.windows == (
        Window(40.0, 400.0, "Soft", "SIGMOID"),
        Window(-600.0, 1500.0, "Lung", "SIGMOID"),
    )


def test_automatic_window_leaves_padding_out(tmp_path: Path, opened: Opened) -> None:
    pixels = np.full((64, 64), -2000, np.int16)
    pixels[20:40, 20:40] = np.arange(400).reshape(20, 20)
    case = opened.case(saved(dataset(pixels, PixelPaddingValue=-2000), tmp_path / "x"))
    assert case.padding == (-2000.0, -2000.0)
    assert abs(case.windows[0].center - 200) < 2
    assert 380 < case.windows[0].width < 400


def test_overlay_lies_where_it_belongs(tmp_path: Path, opened: Opened) -> None:
    made = dataset(ramp())
    drawn = np.zeros((4, 4), np.uint8)
    drawn[0, 0] = drawn[3, 3] = 1
    made.add_new(0x60000010, "US", 4)
    made.add_new(0x60000011, "US", 4)
    made.add_new(0x60000040, "CS", "G")
    made.add_new(0x60000050, "SS", [0, 3])  # one row above the image
    made.add_new(0x60000100, "US", 1)
    made.add_new(0x60000102, "US", 0)
    made.add_new(0x60003000, "OW", np.packbits(drawn.ravel(), bitorder="little").tobytes())
    case = opened.case(saved(made, tmp_path / "x"))
    assert np.argwhere(case.overlays[0].bits).tolist() == [[2, 5]]
    assert np.array_equal(case.frames[0], ramp())


def test_multi_frame_with_functional_groups_is_sorted(tmp_path: Path, opened: Opened) -> None:
    pixels = np.stack([np.full((3, 4), at, np.int16) for at in (30, 10, 20)])
    shared = item(
        PixelMeasuresSequence=[item(PixelSpacing=[0.5, 0.6], SliceThickness=7)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
    )
    own = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[0, 0, at])],
            PixelValueTransformationSequence=[item(RescaleSlope=1, RescaleIntercept=at)],
            FrameVOILUTSequence=[item(WindowCenter=at, WindowWidth=50)],
        )
        for at in (30, 10, 20)
    ]
    made = dataset(
        pixels, frames=True, Modality="CT", SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,
    )  # fmt: skip
    case = opened.case(saved(made, tmp_path / "x"))
    assert [int(frame[0, 0]) for frame in case.frames] == [20, 40, 60]
    assert case.slice_positions == (10.0, 20.0, 30.0)
    assert (case.spacing_mm, case.slice_mm, case.thickness_mm) == ((0.5, 0.6), 10.0, 7.0)
    assert case.windows == (Window(20.0, 50.0),)


@given(
    arrays.arrays(
        st.sampled_from(STORED_TYPES),
        st.one_of(
            st.tuples(st.integers(1, 9), st.integers(1, 9)),
            st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
        ),
        elements={"allow_nan": False},
    )
)
def test_packing_comes_back(frame: np.ndarray) -> None:
    packed = pack_frame(frame)
    assert packed == pack_frame(np.asfortranarray(frame))
    back = unpack_frame(
        packed, rows=frame.shape[0], columns=frame.shape[1],
        samples=frame.shape[2] if frame.ndim == 3 else 1, dtype=str(frame.dtype),
    )  # fmt: skip
    assert np.array_equal(back, frame)
    assert back.dtype == frame.dtype


def test_packing_refuses_other_things() -> None:
    with pytest.raises(InputError, match="frame must be of uint8"):
        pack_frame(np.zeros((2, 2)))
    for packed in (b"nonsense", pack_frame(np.zeros((3, 3), np.uint8))):
        with pytest.raises(InputError, match="frame must"):
            unpack_frame(packed, rows=2, columns=2, samples=1, dtype="uint8")


def test_windowing_follows_the_standard() -> None:
    """The formula of PS3.3 C.11.2.1.2, one value at a time."""
    window, values = Window(40.0, 400.0), np.arange(-300, 400, 7).astype(np.int16)
    truth = [
        0.0 if x <= 39.5 - 199.5 else 255.0 if x > 39.5 + 199.5 else ((x - 39.5) / 399 + 0.5) * 255
        for x in values.tolist()
    ]
    shown = windowed(values[None], window, slope=1.0, intercept=0.0)[0]
    assert np.abs(shown - np.array(truth)).max() <= 0.51


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_thumbnail(tmp_path: Path, opened: Opened, photometric: str) -> None:
    pixels = np.zeros((300, 600), np.uint8)
    pixels[:, 300:] = 255
    made = dataset(pixels, PhotometricInterpretation=photometric)
    small = Image.open(io.BytesIO(thumbnail(opened.case(saved(made, tmp_path / "x")))))
    assert small.size == (256, 128)
    left_is_bright = small.getpixel((10, 60)) > small.getpixel((240, 60))
    assert left_is_bright == (photometric == "MONOCHROME1")


def test_a_missing_package_names_the_extra(
    tmp_path: Path, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(dataset(ramp()), tmp_path / "x")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"overread\[images\]"):
        list(find_images([tmp_path], child))


def test_a_missing_decoder_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more_dicom: Path
) -> None:
    """Packages that exist but cannot be imported stand for ones that are not there."""
    for name in ("gdcm", "PIL", "pylibjpeg", "openjpeg", "jpeg_ls"):
        (tmp_path / f"{name}.py").write_text("raise ImportError", encoding="ascii")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Child(SECRET, Limits()) as bare:
        refused = open_case(Found("dicom", (more_dicom / "RG3_J2KR.dcm",)), bare)
        taken = open_case(Found("dicom", (more_dicom / "RG3_UNCR.dcm",)), bare)
    assert "overread[images]" in repr(refused)
    assert "missing part" in repr(refused)
    assert hasattr(taken, "frames")


def test_the_parent_never_imports_a_decoder() -> None:
    import subprocess

    program = (
        "import sys, overread.images; "
        "sys.exit(any(name in sys.modules for name in ('pydicom', 'PIL', 'nibabel', 'gdcm')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
