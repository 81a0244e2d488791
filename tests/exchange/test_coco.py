"""COCO in and out."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from overread.errors import InputError
from overread.exchange import read_coco, write_coco
from overread.exchange.run_length import coco_counts, compress_counts
from overread.labels import BoxReads, InstanceReads

SQUARE = [1, 1, 4, 1, 4, 5, 1, 5]


def note(image, reader, category=7, **fields):
    return {
        "image_id": image,
        "reader": reader,
        "category_id": category,
        "bbox": [1, 1, 3, 4],
    } | fields


def document(*notes, **fields):
    return {
        "images": [
            {"id": 10, "file_name": "a.png", "width": 8, "height": 9},
            {"id": 20, "file_name": "b.png", "width": 8, "height": 9},
            {"id": 30, "file_name": "c.png"},
        ],
        "categories": [{"id": 7, "name": "nodule"}, {"id": 3, "name": "mass"}],
        "annotations": list(notes),
    } | fields


def test_boxes_with_readers_in_both_places():
    second = note(20, None, 3, attributes={"reader": "B"})
    reads = read_coco(document(note(10, "A"), second, note(10, "A", bbox=[0, 0, 1, 1])))
    assert isinstance(reads, BoxReads)
    assert reads.index.cases.tolist() == ["a.png", "b.png", "c.png"]
    assert reads.index.case.tolist() == [0, 1]
    assert reads.box.tolist() == [[1, 1, 4, 5], [0, 0, 1, 1], [1, 1, 4, 5]]
    assert reads.schema.names == ("nodule", "mass")
    assert reads.label.tolist() == [0, 0, 1]
    assert reads.image_size.tolist() == [[8, 9], [8, 9], [0, 0]]


def test_reads_without_findings_must_be_listed():
    listed = [{"image_id": 30, "reader": "B"}, {"image_id": 20, "reader": "A", "unreadable": True}]
    for fields in ({"reads": listed}, {"info": {"reads": listed}}):
        reads = read_coco(document(note(10, "A"), **fields))
        pairs = [(reads.index.cases[c], reads.index.readers[r])
                 for c, r in zip(reads.index.case, reads.index.reader, strict=True)]  # fmt: skip
        assert sorted(pairs) == [("a.png", "A"), ("b.png", "A"), ("c.png", "B")]
        assert reads.unreadable.sum() == 1
    assert read_coco(document(note(10, "A"))).index.n_reads == 1
    everyone = read_coco(document(note(10, "A"), note(20, "B")), every_reader_read_all=True)
    assert everyone.index.n_reads == 6
    assert everyone.box.shape == (2, 4)


def test_outlines_and_run_lengths():
    mask = np.zeros((9, 8), dtype=bool)
    mask[2:6, 3:5] = True
    counts = coco_counts(mask)
    plain = {"size": [9, 8], "counts": counts}
    packed = {"size": [9, 8], "counts": compress_counts(counts)}
    reads = read_coco(
        document(
            note(10, "A", segmentation=[SQUARE]),
            note(10, "B", segmentation=plain),
            note(10, "C", segmentation=packed),
        )
    )  # fmt: skip
    assert isinstance(reads, InstanceReads)
    assert reads.boxes().tolist() == [[1, 1, 4, 5], [3, 2, 5, 6], [3, 2, 5, 6]]
    assert isinstance(
        read_coco(document(note(10, "A", segmentation=[SQUARE])), kind="box"), BoxReads
    )


def test_outlines_of_several_parts():
    two = document(note(10, "A", segmentation=[[0, 0, 1, 0, 1, 1], SQUARE]))
    with pytest.raises(
        InputError, match=r"row 1: segmentation must be one outline .* got 2 outlines"
    ):
        read_coco(two)
    assert read_coco(two, parts="largest").outline(0).reshape(-1).tolist() == SQUARE
    ring = np.ones((9, 8), dtype=bool)
    ring[3:5, 3:5] = False
    holed = document(note(10, "A", segmentation={"size": [9, 8], "counts": coco_counts(ring)}))
    with pytest.raises(InputError, match="without holes"):
        read_coco(holed)
    assert read_coco(holed, parts="largest").boxes().tolist() == [[0, 0, 8, 9]]


def broken(path, value):
    made = document(note(10, "A"))
    part = made
    for step in path[:-1]:
        part = part[step]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["images"], None, 'have the lists "images"'),
        (["annotations"], None, 'have the lists "images"'),
        (["images"], 3, '"images" of the COCO file must be a list of objects'),
        (["images"], [3], '"images" of the COCO file must be a list of objects'),
        (["images", 0, "id"], None, "row 1: image id must be"),
        (["images", 1, "id"], 10, "row 2: image id must differ"),
        (["images", 1, "file_name"], "a.png", 'row 2: image names must differ .* case="id"'),
        (["images", 0, "width"], "8", "row 1: width must be a whole number"),
        (["categories"], None, "list its categories"),
        (["categories", 0, "name"], 3, 'row 1: category must have an "id" and a "name"'),
        (["categories", 1, "id"], 7, "row 2: category id must differ"),
        (["annotations", 0, "reader"], None, 'row 1: annotation must name its reader in "reader"'),
        (["annotations", 0, "image_id"], 11, "row 1: image_id must be the id of a listed image"),
        (["annotations", 0, "category_id"], 9, "row 1: category_id must .* got 9"),
        (["annotations", 0, "category_id"], [9], "row 1: category_id must"),
        (["annotations", 0, "bbox"], None, "row 1: bbox must be four numbers"),
        (["annotations", 0, "bbox"], [1, 2, 3], "row 1: bbox must be four numbers"),
        (["annotations", 0, "bbox"], [1, 2, -3, 4], "row 1: bbox must have a width"),
        (["annotations", 0, "bbox"], [1, 2, float("nan"), 4], "row 1: bbox must be four finite"),
        (["annotations", 0, "bbox"], [1, 2, 30, 4], "must lie inside its image of 8 x 9"),
        (["annotations", 0, "segmentation"], [[1, 2, 3, 4]], "segmentation must have 3 or more"),
        (["annotations", 0, "segmentation"], [["a"] * 6], "segmentation must be lists"),
        (["annotations", 0, "segmentation"], {"size": [3, 3], "counts": [9]}, "9 rows x 8"),
        (["annotations", 0, "segmentation"], {"size": [9, 8], "counts": [72]}, "one pixel"),
        (["annotations", 0, "segmentation"], {"size": 9, "counts": [72]}, "two whole numbers"),
        (["annotations", 0, "segmentation"], {"size": [9, 8]}, "a text or a list"),
        (["reads"], [{"image_id": 10}], 'row 1: a read must name its "reader"'),
        (["reads"], [{"image_id": 99, "reader": "A"}], "row 1: image_id of a read"),
        (["reads"], [{"image_id": 20, "reader": "A"}] * 2, "row 2: reads must name each"),
        (["reads"], [{"image_id": 10, "reader": "A", "unreadable": True}], "must say one thing"),
    ],
)  # fmt: skip
def test_other_forms_are_refused(path, value, words):
    with pytest.raises(InputError, match=words):
        read_coco(copy.deepcopy(broken(path, value)))


def test_huge_masks_are_refused():
    counts = {"size": [10**6, 10**6], "counts": [10**12]}
    made = document({"image_id": 30, "reader": "A", "category_id": 7, "segmentation": counts})
    with pytest.raises(InputError, match="at most 268435456 pixels"):
        read_coco(made)


def test_no_reads_at_all():
    with pytest.raises(InputError, match="at least one read"):
        read_coco(document())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "hold something"),
        (b"{", r"sound JSON; got a mistake in line 1, column 2"),
        (b"[1]", "hold a JSON object; got a list"),
        (b"\xff\xfe\x00", "JSON in UTF-8"),
        (b"[" * 100_000, "sound JSON"),
        (b'{"a": 1}', 'have the lists "images"'),
    ],
)
def test_other_files_are_refused(tmp_path, raw, words):
    path = tmp_path / "reads.json"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=words):
        read_coco(path)


@pytest.mark.parametrize("outlined", [False, True])
def test_reads_come_back_as_they_went_out(tmp_path, outlined):
    extra = {"segmentation": [SQUARE]} if outlined else {}
    listed = [{"image_id": 30, "reader": "A"}, {"image_id": 20, "reader": "B", "unreadable": True}]
    reads = read_coco(document(note(10, "A", **extra), note(10, "B", 3, **extra), reads=listed))
    path = tmp_path / "out.json"
    write_coco(path, reads)
    again = read_coco(path)
    assert type(again) is type(reads)
    assert again.index.readers == reads.index.readers
    assert again.schema == reads.schema
    for name in ("read", "label", "unreadable", "image_size"):
        assert np.array_equal(getattr(again, name), getattr(reads, name))
    assert np.array_equal(again.index.case, reads.index.case)
    shape = "point" if outlined else "box"
    assert np.array_equal(getattr(again, shape), getattr(reads, shape))
    assert json.loads(path.read_text())["annotations"][0]["area"] == 12
