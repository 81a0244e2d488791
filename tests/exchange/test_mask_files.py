"""Masks from files, arrays and tables."""

from __future__ import annotations

import struct
import zlib

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from overread.errors import InputError
from overread.exchange import Columns, mask_arrays, read_mask_folder, read_mask_table
from overread.exchange.run_length import coco_counts, compress_counts, pairs_of_mask
from overread.labels import CANNOT_BE_READ

GREY = np.array([[0, 0, 255], [128, 255, 0]], dtype=np.uint8)


def save(folder, name, image):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(image, bytes):
        path.write_bytes(image)
    elif name.endswith(".npy"):
        np.save(path, image)
    else:
        (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(path)


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif", "npy"])
def test_grey_files(tmp_path, suffix):
    save(tmp_path, f"R1/a.{suffix}", GREY)
    save(tmp_path, f"R2/a.{suffix}", GREY * 0)
    reads = read_mask_folder(tmp_path, classes={0: "background", 128: "edge", 255: "vessel"})
    assert reads.schema.names == ("background", "edge", "vessel")
    assert reads.mask(0).tolist() == [[0, 0, 2], [1, 2, 0]]
    assert reads.mask(1).tolist() == [[0, 0, 0]] * 2
    assert read_mask_folder(tmp_path).schema.names == ("background", "128", "255")
    merged = read_mask_folder(tmp_path, classes={0: "background", 128: "vessel", 255: "vessel"})
    assert merged.mask(0).tolist() == [[0, 0, 1], [1, 1, 0]]


def test_palette_two_colour_and_deep_images(tmp_path):
    palette = Image.fromarray(GREY // 128).convert("P")
    palette.putpalette([9, 9, 9, 200, 0, 0] + [0] * 762)
    save(tmp_path, "R1/a.png", palette)
    save(tmp_path, "R2/a.png", Image.fromarray(GREY > 0))
    save(tmp_path, "R3/a.png", (GREY > 0).astype(np.uint16) * 1000)
    assert read_mask_folder(tmp_path, readers=["R1"]).mask(0).max() == 1
    assert read_mask_folder(tmp_path, readers=["R2"]).schema.names == ("background", "1")
    assert read_mask_folder(tmp_path, readers=["R3"]).schema.names == ("background", "1000")


def test_colours(tmp_path):
    rgb = np.zeros((2, 3, 3), dtype=np.uint8)
    rgb[0, 0] = (255, 0, 16)
    save(tmp_path, "R1/a.png", rgb)
    save(tmp_path, "R2/a.png", np.dstack([rgb, np.full((2, 3), 255, np.uint8)]))
    reads = read_mask_folder(tmp_path, classes={"#000000": "background", "#FF0010": "organ"})
    assert reads.mask(0).tolist() == reads.mask(1).tolist() == [[1, 0, 0], [0, 0, 0]]
    assert read_mask_folder(tmp_path).schema.names == ("background", "#ff0010")
    save(tmp_path, "R2/a.png", np.dstack([rgb, np.full((2, 3), 7, np.uint8)]))
    with pytest.raises(InputError, match="row 2: mask must be opaque"):
        read_mask_folder(tmp_path)
    save(tmp_path, "R2/a.png", GREY)
    with pytest.raises(InputError, match="all be grey or all be in colour"):
        read_mask_folder(tmp_path)


def test_patterns_name_cases_and_readers(tmp_path):
    save(tmp_path, "masks/01_first.png", GREY)
    save(tmp_path, "masks/01_second_v2.png", GREY)
    save(tmp_path, "masks/.hidden.png", GREY)
    reads = read_mask_folder(tmp_path, pattern="masks/{case}_{reader}")
    assert (reads.index.cases.tolist(), reads.index.readers) == (["01"], ("first", "second_v2"))
    with pytest.raises(InputError, match=r"row 2: mask file must be one for each"):
        read_mask_folder(tmp_path, pattern="{reader}/{case}_*.png")
    with pytest.raises(InputError, match=r"fit the pattern .* Known suffixes: \.png"):
        read_mask_folder(tmp_path, pattern="{reader}/{case}.nii.gz")
    with pytest.raises(InputError, match="once each"):
        read_mask_folder(tmp_path, pattern="{case}.png")


def test_volumes_have_axes_and_spacing(tmp_path):
    volume = np.zeros((4, 3, 2), dtype=np.int16)  # columns, rows, slices as NIfTI has them
    volume[1, 2, 0] = 5
    for name in ("R1/a.nii.gz", "R2/a.nii"):
        (tmp_path / name).parent.mkdir()
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([0.5, -0.7, 3, 1])), tmp_path / name)
    reads = read_mask_folder(tmp_path)
    assert reads.shape.tolist() == [[2, 3, 4]]
    assert np.allclose(reads.spacing_mm, [[3, 0.7, 0.5]])
    assert np.argwhere(reads.mask(0)).tolist() == [[0, 2, 1]]
    other = nibabel.Nifti1Image(volume, np.diag([0.5, -0.7, 2, 1]))
    nibabel.save(other, tmp_path / "R2/a.nii")
    with pytest.raises(InputError, match="row 2: voxel size must be the same"):
        read_mask_folder(tmp_path)


def test_masks_of_one_case_have_one_size(tmp_path):
    save(tmp_path, "R1/a.png", GREY)
    save(tmp_path, "R2/a.png", GREY.T.copy())
    with pytest.raises(
        InputError, match=r"row 2: mask must have the size 2 x 3 of its case; got 3 x 2"
    ):
        read_mask_folder(tmp_path)


def test_unknown_values_are_refused(tmp_path):
    save(tmp_path, "R1/a.png", GREY * 0)
    save(tmp_path, "R2/a.png", GREY)
    with pytest.raises(InputError, match=r"row 2: mask value must be one of 0, 255; got 128"):
        read_mask_folder(tmp_path, classes={0: "background", 255: "vessel"})
    with pytest.raises(InputError, match="mask values must be whole numbers or colours"):
        read_mask_folder(tmp_path, classes={"red": "vessel"})


def bomb(side=60_000):
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("R1/a.png", bomb(), "row 1: mask must have at most 89478485 pixels"),
        ("R1/a.png", bomb(10_000), "row 1: mask must have at most 89478485 pixels"),
        ("R1/a.png", b"no image", "row 1: mask must be a sound image file"),
        ("R1/a.nii.gz", b"no volume", "row 1: mask must be a sound NIfTI file"),
        ("R1/a.npy", b"no array", r"row 1: mask must be a sound \.npy file"),
        ("R1/a.npy", np.array([[0.5]]), "row 1: mask must hold whole numbers"),
        ("R1/a.npy", np.array([[-1]]), "row 1: mask must hold numbers of 0 or more; got -1"),
        ("R1/a.npy", np.array([["a"]]), "row 1: mask must hold whole numbers"),
        ("R1/a.npy", np.array([1]), "row 1: mask must have 2 or 3 axes; got 1"),
    ],
)
def test_broken_files_are_refused(tmp_path, name, content, words):
    save(tmp_path, name, content)
    with pytest.raises(InputError, match=words):
        read_mask_folder(tmp_path)


def test_pickled_arrays_are_never_loaded(tmp_path):
    (tmp_path / "R1").mkdir()
    np.save(tmp_path / "R1/a.npy", np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"sound \.npy file"):
        read_mask_folder(tmp_path)


def test_several_pages_are_refused(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    (tmp_path / "R1").mkdir()
    pages[0].save(tmp_path / "R1/a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="be one page"):
        read_mask_folder(tmp_path)


def test_damaged_png_after_a_sound_header(tmp_path):
    save(tmp_path, "R1/a.png", GREY)
    path = tmp_path / "R1/a.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="sound image file"):
        read_mask_folder(tmp_path)


@given(
    st.lists(
        arrays(np.uint8, (3, 4), elements=st.sampled_from([0, 1, 200])), min_size=1, max_size=4
    )
)
def test_arrays_come_back(masks):
    reads = mask_arrays(range(len(masks)), ["A"] * len(masks), masks)
    for row, mask in enumerate(masks):
        names = np.array(reads.schema.names)[reads.mask(row)]
        assert np.array_equal(np.where(names == "background", "0", names), mask.astype(str))


def test_arrays_that_cannot_be_masks():
    assert mask_arrays(["a"], ["A"], [None]).unreadable.tolist() == [True]
    spaced = mask_arrays(["a"], ["A"], [GREY], spacing_mm=(2, 1))
    assert spaced.spacing_mm.tolist() == [[2, 1]]
    with pytest.raises(InputError, match="spacing_mm must be 2 numbers"):
        mask_arrays(["a"], ["A"], [GREY], spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="masks must be 1"):
        mask_arrays(["a"], ["A"], [GREY, GREY])
    with pytest.raises(InputError, match="all be 2-D or all be 3-D"):
        mask_arrays(["a", "b"], ["A"] * 2, [GREY, GREY[None]])


def runs(*rows, **columns):
    names = ("case", "reader", "rows", "columns", "rle")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)} | columns


MASK = GREY > 0


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("kaggle", pairs_of_mask(MASK)),
        ("kaggle_rows", pairs_of_mask(MASK.T)),
        ("coco", str(coco_counts(MASK))),
        ("coco", compress_counts(coco_counts(MASK))),
    ],
)
def test_run_length_tables(code, text):
    table = runs(("a", "A", 2, 3, text), ("a", "B", 2, 3, ""), ("a", "C", "", "", CANNOT_BE_READ))
    reads = read_mask_table(table, code=code)
    assert np.array_equal(reads.mask(0) > 0, MASK)
    assert not reads.mask(1).any()
    assert reads.unreadable.tolist() == [False, False, True]
    assert reads.schema.names == ("background", "foreground")


def test_run_length_tables_with_classes():
    table = runs(("a", "A", 2, 2, "1 1"), ("a", "A", 2, 2, "4 1"), label=["mass", "edge"])
    reads = read_mask_table(table)
    assert reads.schema.names == ("background", "edge", "mass")
    assert reads.mask(0).tolist() == [[2, 0], [0, 1]]
    assert read_mask_table(table, schema=["none", "mass", "edge"]).mask(0)[0, 0] == 1
    with pytest.raises(InputError, match=r"row 2: label must be one of mass; got 'edge'"):
        read_mask_table(table, schema=["none", "mass"])
    clash = runs(("a", "A", 2, 2, "1 2"), ("a", "A", 2, 2, "2 1"), label=["mass", "edge"])
    with pytest.raises(InputError, match="row 2: a pixel must be of one class"):
        read_mask_table(clash)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("a", "B", 3, 2, ""), r"row 2: mask must have the size 2 x 2 of its case; got 3 x 2"),
        (("b", "B", 0, 2, ""), "row 2: rows and columns must be whole numbers"),
        (("b", "B", "", 2, ""), "row 2: rows and columns must be whole numbers"),
        (("b", "B", 1.5, 2, ""), "row 2: rows and columns must be whole numbers"),
        (("b", "B", 1e6, 1e6, ""), "row 2: mask must have at most"),
        (("b", "B", 2, 2, "1"), "row 2: run lengths must be pairs"),
        (("b", "B", 2, 2, "3 9"), "row 2: run lengths must have starts"),
        (("a", "A", "", "", CANNOT_BE_READ), "rows 1, 2: a read must say one thing"),
        (("", "A", 2, 2, ""), "row 2: case must be given"),
    ],
)
def test_bad_run_length_rows(row, words):
    with pytest.raises(InputError, match=words):
        read_mask_table(runs(("a", "A", 2, 2, "1 1"), row))


def test_run_length_options():
    with pytest.raises(InputError, match="code must be"):
        read_mask_table(runs(("a", "A", 2, 2, "1 1")), code="zip")
    with pytest.raises(InputError, match='have a column "mask"'):
        read_mask_table(runs(("a", "A", 2, 2, "1 1")), columns=Columns(rle="mask"))
