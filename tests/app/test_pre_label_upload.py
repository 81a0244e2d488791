"""Files of pre-labels as a browser sends them: what is read of them, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from overread.app.learning.pre_label_upload import kept_upload, proposals_at
from overread.errors import InputError


def packed(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as kept:
        for name, content in files.items():
            kept.writestr(name, content)
    return made.getvalue()


def sent(folder: Path, **files: bytes) -> Path:
    kept_upload([(name, io.BytesIO(content)) for name, content in files.items()], folder)
    return proposals_at(folder)


def test_one_table_is_that_table(tmp_path: Path) -> None:
    assert sent(tmp_path, **{"reads/grades.csv": b"case"}).name == "grades.csv"


def test_a_zip_of_masks_is_a_folder_under_what_it_was_packed_in(tmp_path: Path) -> None:
    inner = {"masks/one.png": b"1", "masks/two.png": b"2", "__MACOSX/masks/._one.png": b"x"}
    found = sent(tmp_path, **{"masks.zip": packed(**inner)})
    assert sorted(one.name for one in found.iterdir()) == ["one.png", "two.png"]


def test_a_zip_of_one_table_is_that_table_and_one_mask_is_a_folder(tmp_path: Path) -> None:
    for at, (inner, wanted) in enumerate((("coco.json", "coco.json"), ("one.png", "unpacked"))):
        folder = tmp_path / str(at)
        folder.mkdir()
        assert sent(folder, **{"a.zip": packed(**{inner: b"{}"})}).name == wanted


def test_masks_may_be_sent_as_they_are(tmp_path: Path) -> None:
    assert sent(tmp_path, **{"one.png": b"1", "two.png": b"2"}) == tmp_path


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "be a file"),
        ({"a.zip": b"no zip"}, "be a zip"),
        ({"a.zip": packed()}, "hold files"),
        ({"a.zip": packed(**{"../out.png": b"1"})}, "stay inside"),
        ({"a.zip": packed(**{"/out.png": b"1"})}, "stay inside"),
        ({"x/one.png": b"1", "y/one.png": b"2"}, "names of their own"),
    ],
)
def test_what_is_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    folder = tmp_path / "upload"
    folder.mkdir()
    with pytest.raises(InputError, match=words):
        sent(folder, **files)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["upload"]
