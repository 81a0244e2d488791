"""Which files are cases: content not names, no leaving the folder, slices into series."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from overread.errors import InputError
from overread.images import CaseImage, Child, Found, Quarantined, find_images, open_case
from overread.images.sniff import sniff
from tests.images.made import dataset, ramp, saved


def _slice(folder: Path, at: float, name: str, **elements: Any) -> Path:
    pixels = elements.pop("pixels", None)
    pixels = np.full((4, 5), round(at) + 100, np.int16) if pixels is None else pixels
    told = {
        "Modality": "CT",
        "SeriesInstanceUID": "1.2.3.4",
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [0, 0, at],
        "PixelSpacing": [0.5, 0.75],
        **elements,
    }
    return saved(dataset(pixels, **told), folder / name)


def _found(folder: Path | Sequence[Path], child: Child) -> list[Found]:
    paths = [folder] if isinstance(folder, Path) else folder
    found = list(find_images(paths, child))
    assert all(isinstance(one, Found) for one in found), found
    return [one for one in found if isinstance(one, Found)]


def _case(found: Found, child: Child) -> CaseImage:
    case = open_case(found, child)
    assert isinstance(case, CaseImage), case
    return case


def test_slices_are_sorted_by_position_not_by_name_or_number(tmp_path: Path, child: Child) -> None:
    for number, at in enumerate([7.5, 0.0, 5.0, 2.5]):
        _slice(tmp_path, at, f"{number}", InstanceNumber=number)
    (found,) = _found(tmp_path, child)
    case = _case(found, child)
    assert case.slice_positions == (0.0, 2.5, 5.0, 7.5)
    assert (case.slice_mm, case.spacing_mm) == (2.5, (0.5, 0.75))
    assert [int(frame[0, 0]) for frame in case.frames] == [100, 102, 105, 108]


def test_oblique_slices(tmp_path: Path, child: Child) -> None:
    turn = [0.0, 0.8, 0.6, 0.0, -0.6, 0.8]  # normal (1, 0, 0)
    for number, at in enumerate([9.0, 3.0, 6.0]):
        _slice(
            tmp_path, at, f"{number}",
            ImageOrientationPatient=turn, ImagePositionPatient=[at, at * 5, -at],
        )  # fmt: skip
    (found,) = _found(tmp_path, child)
    assert _case(found, child).slice_positions == (3.0, 6.0, 9.0)


def test_two_echoes_at_each_place_are_two_cases(tmp_path: Path, child: Child) -> None:
    for at in range(3):
        for echo in range(2):
            _slice(tmp_path, at, f"{at}{echo}", InstanceNumber=10 * echo + at)
    cases = [_case(one, child) for one in _found(tmp_path, child)]
    assert [len(case.frames) for case in cases] == [3, 3]
    assert all("one of 2 cases of a series" in case.notes[0] for case in cases)


def test_sizes_directions_and_missing_places_are_split(tmp_path: Path, child: Child) -> None:
    for at in range(3):
        _slice(tmp_path, at, f"a{at}")
        _slice(tmp_path, at, f"b{at}", pixels=np.zeros((6, 5), np.int16))
    _slice(tmp_path, 0, "localizer", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    _slice(tmp_path, 0, "placeless", ImagePositionPatient=None)
    found = _found(tmp_path, child)
    assert sorted(len(one.files) for one in found) == [1, 1, 3, 3]


def test_copies_are_left_out(tmp_path: Path, child: Child) -> None:
    first = _slice(tmp_path, 0, "0")
    _slice(tmp_path, 1, "1")
    (tmp_path / "copy").write_bytes(first.read_bytes())
    (found,) = _found(tmp_path, child)
    assert len(found.files) == 2
    assert found.notes == ("1 copies of slices are left out",)


def test_gaps_are_stated(tmp_path: Path, child: Child) -> None:
    for at in (0, 1, 2, 5, 6):
        _slice(tmp_path, at, f"{at}")
    case = _case(_found(tmp_path, child)[0], child)
    assert case.slice_mm is None
    assert "slices are not evenly spaced: 1 gaps" in case.notes


def test_without_places_the_scanner_s_count_decides(tmp_path: Path, child: Child) -> None:
    for number in (3, 1, 2):
        _slice(tmp_path, number, f"{9 - number}", InstanceNumber=number, ImagePositionPatient=None)
    case = _case(_found(tmp_path, child)[0], child)
    assert [int(frame[0, 0]) for frame in case.frames] == [101, 102, 103]
    assert (case.slice_positions, case.slice_mm) == ((), None)


def test_pet_slices_of_different_slopes_become_fractions(tmp_path: Path, child: Child) -> None:
    for at, slope in enumerate(["0.5", "0.25"]):
        _slice(tmp_path, at, f"{at}", Modality="PT", RescaleSlope=slope, RescaleIntercept=0)
    case = _case(_found(tmp_path, child)[0], child)
    assert [float(frame[0, 0]) for frame in case.frames] == [50.0, 25.25]
    assert (case.dtype, case.slope) == ("float32", 1.0)


def test_radiographs_of_one_series_stay_single(tmp_path: Path, child: Child) -> None:
    for at in range(3):
        _slice(tmp_path, at, f"{at}", Modality="DX")
    assert [len(one.files) for one in _found(tmp_path, child)] == [1, 1, 1]


def test_content_decides_not_the_name(tmp_path: Path, child: Child) -> None:
    saved(dataset(ramp()), tmp_path / "picture.png")
    Image.fromarray(ramp(dtype="uint8")).save(tmp_path / "scan.dcm", "PNG")
    (tmp_path / "IM0001").write_text("not an image at all", encoding="ascii")
    (tmp_path / "empty.dcm").touch()
    found = list(find_images([tmp_path], child))
    told = {one.files[0].name: one for one in found}
    assert told["picture.png"].kind == "dicom"  # type: ignore[union-attr]
    assert told["scan.dcm"].kind == "picture"  # type: ignore[union-attr]
    assert told["IM0001"].cause == "not an image"  # type: ignore[union-attr]
    assert told["empty.dcm"].cause == "damaged"  # type: ignore[union-attr]


def test_links_never_lead_out(tmp_path: Path, child: Child) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (root / "sub").mkdir(parents=True)
    saved(dataset(ramp()), outside / "secret")
    inside = saved(dataset(ramp()), root / "sub" / "image")
    (root / "out").symlink_to(outside / "secret")
    (root / "out folder").symlink_to(outside, target_is_directory=True)
    (root / "again").symlink_to(inside)
    (root / "round").symlink_to(root, target_is_directory=True)
    (root / "nowhere").symlink_to(root / "missing")
    os.mkfifo(root / "pipe")
    found = list(find_images([root], child))
    assert [one.files for one in found if isinstance(one, Found)] == [(inside,)]
    unsafe = {one.files[0].name for one in found if isinstance(one, Quarantined)}
    assert unsafe == {"out", "out folder", "nowhere", "pipe"}
    assert {one.cause for one in found if isinstance(one, Quarantined)} == {"unsafe path"}


def test_a_link_put_in_place_of_a_found_file_is_refused(tmp_path: Path, child: Child) -> None:
    path = saved(dataset(ramp()), tmp_path / "x")
    (found,) = _found(path, child)
    path.rename(tmp_path / "y")
    path.symlink_to(tmp_path / "y")
    refused = open_case(found, child)
    assert isinstance(refused, Quarantined)
    assert refused.cause == "unsafe path"


def test_a_path_named_twice_is_visited_once(tmp_path: Path, child: Child) -> None:
    path = saved(dataset(ramp()), tmp_path / "x")
    assert len(_found([tmp_path, path, tmp_path], child)) == 1


def test_missing_path(tmp_path: Path, child: Child) -> None:
    with pytest.raises(InputError, match="path 2 must exist"):
        list(find_images([tmp_path, tmp_path / "gone"], child))


@given(st.binary(max_size=600))
def test_sniffing_takes_any_bytes(head: bytes) -> None:
    assert sniff(head) in {"dicom", "bare dicom", "picture", "nifti", "nifti pair", ""}


def test_bare_data_set_without_preamble(tmp_path: Path, child: Child) -> None:
    whole = saved(dataset(ramp()), tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(whole[whole.index(b"\x08\0\x16\0UI") :])
    (found,) = _found(tmp_path, child)
    assert np.array_equal(_case(found, child).frames[0], ramp())
