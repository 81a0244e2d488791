"""Boxes from tables."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.exchange import Columns, read_boxes


def table(*rows, **columns):
    names = ("case", "reader", "label", "x1", "y1", "x2", "y2")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)} | columns


BOX = (1, 2, 5, 6)
NONE = (None,) * 4


def test_findings_empty_reads_and_unreadable_ones():
    reads = read_boxes(
        table(
            ("x", "B", "mass", *BOX),
            ("x", "A", "nodule", *BOX),
            ("y", "A", "NO finding", *NONE),
            ("x", "B", "nodule", 0, 0, "1.5", 1),
            ("y", "B", "", *NONE),
            ("z", "A", "Cannot be read", *NONE),
        )
    )
    assert (reads.index.n_reads, reads.index.readers) == (5, ("A", "B"))
    assert reads.schema.names == ("mass", "nodule")
    assert reads.read.tolist() == [0, 0, 1]
    assert reads.label.tolist() == [0, 1, 1]
    assert reads.box.tolist() == [[1, 2, 5, 6], [0, 0, 1.5, 1], [1, 2, 5, 6]]
    assert reads.unreadable.tolist() == [False, False, False, False, True]
    assert reads.image_size is None


def test_names_by_option_and_form():
    source = {"image": ["x"], "who": ["A"], "what": ["a"], "x": [1], "y": [2], "w": [3], "h": [4]}
    names = Columns(case="image", reader="who", label="what", x1="x", y1="y", x2="w", y2="h")
    assert read_boxes(source, columns=names, form="size").box.tolist() == [[1, 2, 4, 6]]
    assert read_boxes(source, columns=names, inclusive=True).box.tolist() == [[1, 2, 4, 5]]


def test_alike_rows_count_once():
    row = ("x", "A", "a", *BOX)
    assert read_boxes(table(row, row, ("x", "A", "b", *BOX))).box.shape == (2, 4)


def test_repeat_reads_are_told_apart_by_time_or_number():
    rows = (("x", "A", "a", *BOX), ("x", "A", "no finding", *NONE))
    with pytest.raises(InputError, match=r'rows 1, 2: a read must say one thing .* "a finding"'):
        read_boxes(table(*rows))
    assert read_boxes(table(*rows, read=[1, 2])).index.n_reads == 2
    assert read_boxes(table(*rows, time=["2024-01-01", "2024-01-02"])).index.n_reads == 2


def test_image_sizes_by_case():
    rows = (("x", "A", "a", *BOX), ("y", "A", "a", *BOX), ("x", "B", "a", *BOX))
    reads = read_boxes(table(*rows, width=[9, None, None], height=["8", "", ""]))
    assert reads.image_size.tolist() == [[9, 8], [0, 0]]
    with pytest.raises(InputError, match=r"rows? .*width must be the same in all rows of one case"):
        read_boxes(table(*rows, width=[9, 9, 7], height=[8, 8, 8]))
    with pytest.raises(InputError, match=r"row 2: width must be a whole number of pixels"):
        read_boxes(table(*rows, width=[9, 0, 9], height=[8, 8, 8]))
    with pytest.raises(InputError, match=r"row 3: box must lie inside its image of 9 x 5 pixels"):
        read_boxes(
            table(("y", "A", "a", *BOX), ("z", "A", "", *NONE), ("x", "B", "a", *BOX),
                  width=[9, 9, 9], height=[8, 8, 5])
        )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("x", "A", "a", 5, 2, 1, 6), r"row 2: box must have x1 < x2; got x1 = 5, x2 = 1"),
        (("x", "A", "a", 1, 2, 5, 2), r"row 2: box must have y1 < y2; .* flat=\"drop\""),
        (("x", "A", "a", 1, None, 5, 2), r"row 2: x1, y1, x2, y2 must be given .* nothing in y1"),
        (("x", "A", "a", *NONE), "row 2: .* no_finding"),
        (("x", "A", "a", 1, "b", 5, 2), r"row 2: y1 must be a number; got 'b'"),
        (("x", "A", "a", 1, 2, float("inf"), 9), "row 2: x2 must be a number"),
        (("x", "A", "no finding", *BOX), "row 2: .* must be empty in a row that says no finding"),
        (("x", "A", "", *BOX), r"row 2: .* \(or has no label\)"),
        (("x", "A", "cannot be read", *BOX), "row 2: .* says cannot be read"),
        (("", "A", "a", *BOX), "row 2: case must be given"),
        (("x", None, "a", *BOX), "row 2: reader must be given"),
        (("y", "A", "cannot be read", *NONE), "rows 1, 2: a read must say one thing"),
    ],
)
def test_bad_rows_are_refused(row, words):
    with pytest.raises(InputError, match=words):
        read_boxes(table(("y", "A", "a", *BOX), row))


def test_unknown_classes_are_refused():
    rows = table(("y", "A", "a", *BOX), ("y", "A", "c", *BOX))
    with pytest.raises(InputError, match=r"row 2: label must be one of a, b; got 'c'"):
        read_boxes(rows, schema=["a", "b"])
    assert read_boxes(rows, schema=["c", "b", "a"]).label.tolist() == [2, 0]


def test_boxes_without_area_can_be_dropped():
    reads = read_boxes(table(("y", "A", "a", 1, 2, 1, 6)), flat="drop")
    assert (reads.index.n_reads, reads.read.size) == (1, 0)
    with pytest.raises(InputError, match="x1 < x2"):
        read_boxes(table(("y", "A", "a", 3, 2, 1, 6)), flat="drop")


def test_nobody_found_anything():
    reads = read_boxes(table(("y", "A", "", *NONE)))
    assert reads.box.shape == (0, 4)


@pytest.mark.parametrize(("option", "value"), [("form", "centre"), ("flat", "keep")])
def test_options_are_checked(option, value):
    with pytest.raises(InputError, match=f"{option} must be"):
        read_boxes(table(("y", "A", "", *NONE)), **{option: value})
