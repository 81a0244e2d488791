"""Tables of every form come in alike, and broken ones are refused in words."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import polars as pl
import pytest

from overread.errors import InputError
from overread.exchange.classes import read_classes
from overread.exchange.tables import open_table, read_table

PLAIN = "case,reader,label\n007,R1,yes\nb,R2,no\n"


def said(source, **options):
    reads = read_classes(source, **options)
    index = reads.index
    return [
        (index.cases[c], index.readers[r], reads.schema.names[k])
        for c, r, k in zip(index.case, index.reader, reads.label, strict=True)
    ]


EXPECTED = [("007", "R1", "yes"), ("b", "R2", "no")]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        PLAIN.rstrip().encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        ("\n\n" + PLAIN).encode(),
        (PLAIN + ",,\n,,\n").encode(),
        (PLAIN + "\n\n").encode(),
        b'"case","reader","label"\n"007","R1","yes"\n"b","R2","no"\n',
        b" Case , READER,label\n 007 ,R1, yes\nb,R2,no \n",
        gzip.compress(PLAIN.encode(), mtime=0),
        b"extra,label,reader,case\n,yes,R1,007\nx,no,R2,b\n",
        b'"a,b",case,reader,label\n1,007,R1,yes\n2,b,R2,no\n',
    ],
)
def test_text_files_of_every_habit(tmp_path, raw):
    path = tmp_path / "reads.csv"
    path.write_bytes(raw)
    assert said(path) == EXPECTED
    assert said(str(path)) == EXPECTED


def frames():
    columns = {"case": ["007", "b"], "reader": ["R1", "R2"], "label": ["yes", "no"]}
    rows = list(zip(*columns.values(), strict=True))
    kinds = [(name, "U5") for name in columns]
    pandas = pd.DataFrame(columns)
    yield from (columns, pandas, pandas.astype("category"), pandas.astype(object))
    yield from (pl.DataFrame(columns), pl.DataFrame(columns).lazy(), np.array(rows, dtype=kinds))
    yield np.array(rows, dtype=[(name, "S5") for name in columns])
    yield {name: np.array(column, dtype=object) for name, column in columns.items()}
    yield {name: pl.Series(column) for name, column in columns.items()}
    yield pl.DataFrame(columns, schema_overrides={"label": pl.Categorical})
    yield pl.DataFrame(columns, schema_overrides={"label": pl.Enum(["no", "yes"])})
    yield pl.DataFrame(columns).to_arrow()


@pytest.mark.parametrize("frame", list(frames()), ids=lambda frame: type(frame).__name__)
def test_frames_of_every_library(frame):
    assert said(frame) == EXPECTED


def test_parquet(tmp_path):
    path = tmp_path / "reads.parquet"
    pl.DataFrame(
        {" case": ["007", "b"], "reader": ["R1", "R2"], "label": ["yes", "no"]}
    ).write_parquet(path)
    assert said(path) == EXPECTED


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([1, 2, 1]), pl.Series([1.0, 2.0, 1.0]), pl.Series(["1.0", " 2", "1"]),
        pl.Series([1, 2, 1], dtype=pl.UInt8), np.array([1.0, 2.0, 1.0], dtype=">f8"),
        [1, 2.0, "1.0"], pd.Series([1, 2, 1], dtype="Int64"),
    ],
)  # fmt: skip
def test_numbers_as_labels_read_alike(column):
    reads = read_classes({"case": [1, 2, 3], "reader": ["a"] * 3, "label": column})
    assert (reads.schema.names, reads.label.tolist()) == (("1", "2"), [0, 1, 0])


def test_only_the_wanted_columns_are_read(tmp_path):
    path = tmp_path / "reads.csv"
    path.write_text("a,b,a\n1,2,3\n")
    assert open_table(path).names == ("a", "b", "a")
    assert open_table(path).load(["b"]).to_dict(as_series=False) == {"b": ["2"]}
    with pytest.raises(
        InputError, match=r"column names must differ from each other; got 'a' twice"
    ):
        read_table(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "table must hold something; got an empty file"),
        (b"\n\n \n", "begin with a row of column names; got blank lines"),
        (b"\x89PNG\r\n\x1a\n123", "be CSV, TSV or Parquet; got a PNG image"),
        (b"PK\x03\x04rest", "an Excel workbook. Save it as CSV"),
        (b"\x00\x01\x02\x03" * 9, "a binary file"),
        (b"PAR1 but no more", "be a sound Parquet file"),
        (b"\x1f\x8b broken", "be a sound .gz file"),
        (gzip.compress(b"", mtime=0), "hold something"),
        (b"case,reader,label\n", "hold at least one row; got the header only"),
        (b"case,reader,label\na,b,c\na,b,c,d\n", r"row 2: the table must have at most 3 fields"),
        (b'case,reader,label\na,b,c\na,"b,c\n', "quotes must be closed"),
        ("case,reader,label\na,b,c\nd,é,f\n".encode("latin-1"), r"row 2: text .* got byte 0xe9"),
        (b"case,reader\na,b\n", r'have a column "label"; got columns case, reader. Name'),
        (b"case,reader,label\na,b\n", "row 1: label must be given"),
        (b"case,reader,label\n\na,b,c\n", "row 1: case must be given"),
        (b"\xff\xfe\x00", "UTF-8 or UTF-16"),
    ],
)  # fmt: skip
def test_broken_files_are_refused_in_words(tmp_path, raw, words):
    path = tmp_path / "reads.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=words) as caught:
        read_classes(path)
    assert str(tmp_path) not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="be a file; got a directory"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="be a file that can be read; got No such file"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (3, "be a path, a data frame"),
        (np.zeros((2, 2)), "structured array"),
        ({"case": [1], "reader": [1, 2], "label": [1]}, "as many rows as each other"),
        ({"case": "abc", "reader": [1], "label": [1]}, "column case must hold one value a row"),
        ({"case": [[1]], "reader": [1], "label": [1]}, r"row 1: column case must hold texts"),
        (
            {"case": np.zeros((1, 1)), "reader": [1], "label": [1]},
            "column case must hold one value",
        ),
        (pl.DataFrame({"case": [[1]], "reader": [1], "label": [1]}), "column case must hold texts"),
        ({"case": [], "reader": [], "label": []}, "at least one row"),
        (pd.DataFrame([[1, 2, 3, 4]], columns=["case", "case", "reader", "label"]), "'case' twice"),
    ],
)
def test_what_is_no_table_is_refused(source, words):
    with pytest.raises(InputError, match=words):
        read_classes(source)


def test_long_lists_of_columns_are_cut():
    wide = {f"c{place}": [1] for place in range(50)}
    with pytest.raises(InputError, match=r"c29 and 20 more"):
        read_classes(wide)


def test_quoted_line_ends_stay_in_one_row(tmp_path):
    path = tmp_path / "reads.csv"
    path.write_bytes(b'case,reader,label\r\na,R1,"yes\r\nand ""no"""\r\n')
    assert said(path)[0][2].replace("\r", "") == 'yes\nand "no"'


def test_a_million_reads_load_small(tmp_path):
    rows = 1_000_000
    rng = np.random.default_rng(3)
    case, reader = np.repeat(np.arange(rows // 5), 5), np.tile(np.arange(5), rows // 5)
    label = rng.integers(0, 4, rows)
    path = tmp_path / "reads.csv"
    pl.DataFrame({"case": case, "reader": reader, "label": label}).write_csv(path)
    reads = read_classes(path)
    assert np.array_equal(reads.index.case, case)
    assert np.array_equal(reads.index.reader, reader)
    assert np.array_equal(reads.label, label)
    held = reads.index.case.nbytes + reads.index.reader.nbytes + reads.label.nbytes
    assert held == rows * (4 + 1 + 1)


def test_files_in_memory_are_no_tables():
    with pytest.raises(InputError, match="be a path"):
        read_table(io.BytesIO(PLAIN.encode()))
