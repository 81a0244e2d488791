"""Any table is read or refused with an InputError; what is read comes back when written."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.exchange import (
    read_boxes,
    read_classes,
    read_coco,
    read_gold,
    read_label_rows,
    read_label_sets,
    read_mask_table,
    read_reads,
    read_scores,
    write_table,
)

settings.register_profile("tables", deadline=None, max_examples=60)
TABLES = settings(settings.get_profile("tables"))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
cells = st.one_of(
    texts, st.none(), st.booleans(), st.integers(), st.floats(), st.just("cannot be read"),
    st.sampled_from(["", "a", "b", "1", "1.0", " 1 ", "NA", "no finding", "é", "2024-01-01"]),
)  # fmt: skip
names = st.sampled_from(
    ["case", "reader", "label", "value", "x1", "y1", "x2", "y2", "time", "rle", "rows", "columns",
     "width", "height", "seconds", "group", "read"]
)  # fmt: skip


@st.composite
def tables(draw, extra=names):
    columns = draw(st.sets(extra)) | {"case", "reader", "label"}
    height = draw(st.integers(0, 5))
    return {name: draw(st.lists(cells, min_size=height, max_size=height)) for name in columns}


def refused(error, secret="\x00"):
    """A refusal says what is wrong, and not where the file lies."""
    assert " must " in str(error)
    assert secret not in str(error)


READERS = (
    read_classes, read_scores, read_boxes, read_label_rows, read_label_sets, read_mask_table,
    read_reads,
)  # fmt: skip


@TABLES
@given(tables())
def test_any_columns_are_read_or_refused(table):
    for read in READERS:
        try:
            reads = read(table)
        except InputError as error:
            refused(error)
        else:
            assert reads.index.n_reads <= len(table["case"])


def triples(reads):
    index = reads.index
    names = [*reads.schema.names, None]
    return [
        (index.cases[c], index.readers[r], names[k])
        for c, r, k in zip(index.case, index.reader, reads.label, strict=True)
    ]


@TABLES
@given(
    st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6),
    st.sampled_from([".csv", ".tsv", ".parquet"]),
)
def test_what_is_read_comes_back(rows, suffix):
    table = {
        name: [row[place] for row in rows] for place, name in enumerate(("case", "reader", "label"))
    }
    try:
        reads = read_classes(table, repeats="keep")
    except InputError:
        return
    frame = pl.DataFrame(triples(reads), schema=["case", "reader", "label"], orient="row")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"reads{suffix}"
        write_table(frame.fill_null("cannot be read"), path)
        again = read_classes(path, repeats="keep")
    assert triples(again) == triples(reads)


@TABLES
@given(tables(), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv_and_frame_say_the_same(table, separator, end, quoted):
    table = {
        name: [None if v is None else str(v).replace("\r", " ").replace("\x00", "") for v in column]
        for name, column in table.items()
    }
    buffer = io.StringIO()
    habit = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end, quoting=habit)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reads.csv"
        path.write_bytes(buffer.getvalue().encode())
        assert outcome(path) == outcome(table)


def outcome(source):
    try:
        return triples(read_classes(source, repeats="first"))
    except InputError as error:
        return error.name


@TABLES
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(raw):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("reads.csv", "reads.parquet", "reads.json", "reads.csv.gz"):
            path = Path(folder) / name
            path.write_bytes(raw)
            try:
                read_reads(path)
            except InputError as error:
                refused(error, folder)


plain = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), texts)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
fields = st.dictionaries(
    st.sampled_from(
        ["id", "image_id", "category_id", "name", "file_name", "bbox", "reader", "width", "height",
         "segmentation", "attributes", "counts", "size"]
    ),
    values,
    max_size=5,
)  # fmt: skip


@TABLES
@given(
    st.fixed_dictionaries(
        {"images": st.lists(fields, max_size=2), "annotations": st.lists(fields, max_size=2)},
        optional={"categories": st.lists(fields, max_size=2), "reads": values, "info": values},
    )
)
def test_any_json_is_read_or_refused(document):
    sound = {
        "images": [{"id": 1}, *document["images"]],
        "categories": [{"id": 1, "name": "a"}, *document.get("categories", [])],
        "annotations": [
            {"image_id": 1, "category_id": 1, "reader": "A"} | one
            for one in document["annotations"]
        ],
    }
    for made in (document, document | sound, sound):
        try:
            reads = read_coco(made)
        except InputError as error:
            refused(error)
        else:
            assert reads.index.n_reads > 0


@TABLES
@given(tables(st.just("label")))
def test_any_gold_is_read_or_refused(table):
    reads = read_classes({"case": ["a", "1"], "reader": ["A", "A"], "label": ["a", "b"]})
    try:
        gold = read_gold(table, reads)
    except InputError as error:
        refused(error)
    else:
        assert gold.code.shape == (2,)
