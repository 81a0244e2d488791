"""VOC folders."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.exchange import read_voc

SIZE = "<size><width>9</width><height>8</height></size>"


def xml(*boxes, size=SIZE):
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for name, x1, y1, x2, y2 in boxes
    )
    return f"<annotation>{size}{objects}</annotation>"


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_folder_a_reader(tmp_path):
    write(tmp_path, "R1/a.xml", xml(("cell", 1, 1, 3, 4), ("cell", 2, 2, 5, 5)))
    write(tmp_path, "R2/a.xml", xml())
    write(tmp_path, "R2/b.xml", xml(("blob", 1, 1, 3, 4)))
    reads = read_voc(tmp_path)
    assert reads.index.readers == ("R1", "R2")
    assert reads.index.cases.tolist() == ["a", "b"]
    assert reads.index.n_reads == 3
    assert reads.start().tolist() == [0, 2, 2, 3]
    assert reads.image_size.tolist() == [[9, 8], [9, 8]]
    assert read_voc(tmp_path, one_based=True).box[0].tolist() == [0, 0, 3, 4]


def test_one_folder_is_one_reader(tmp_path):
    write(tmp_path, "a.xml", xml(("cell", 1, 1, 3, 4), size=""))
    assert read_voc(tmp_path).index.readers == (tmp_path.name,)
    reads = read_voc(tmp_path, reader="R7")
    assert reads.index.readers == ("R7",)
    assert reads.image_size is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "VOC file must hold something"),
        ("<annotation>", "row 1: VOC file must be sound XML"),
        ("<other/>", 'row 1: VOC file must have the root element "annotation"'),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "declare no document type"),
        (xml(("cell", 3, 1, 1, 4)), "row 1: box must have x1 < x2; got x1 = 3, x2 = 1"),
        (xml(("cell", 3, 1, 3, 4)), "flat="),
        (xml(("cell", 1, 1, 30, 4)), "row 1: box must lie inside its image of 9 x 8 pixels"),
        (xml(("cell", 1, 1, "x", 4)), "row 1: xmax must be a number; got 'x'"),
        (xml(("", 1, 1, 2, 4)), 'row 1: VOC object must have a "name"'),
        ("<annotation><object><name>a</name></object></annotation>", 'and a "bndbox"'),
    ],
)
def test_broken_files_are_refused(tmp_path, text, words):
    write(tmp_path, "a.xml", text)
    with pytest.raises(InputError, match=words):
        read_voc(tmp_path)


def test_folders_of_another_form_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"hold \.xml files"):
        read_voc(tmp_path)
    with pytest.raises(InputError, match="be a directory"):
        read_voc(tmp_path / "none")
    write(tmp_path, "R1/a.xml", xml())
    with pytest.raises(InputError, match="reader must be left out"):
        read_voc(tmp_path, reader="R")
    write(tmp_path, "a.xml", xml())
    with pytest.raises(InputError, match="got both"):
        read_voc(tmp_path)
