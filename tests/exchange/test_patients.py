"""Which patient a file is of: tables as people write them, patterns, and nothing told of either."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InputError
from overread.exchange.patients import is_patient_table, patients_of, read_patients

SECRET = "Doe-4711"


def table(*rows: tuple[str, str], name: str = "patient"):
    return read_patients({"file": [row[0] for row in rows], name: [row[1] for row in rows]})


@pytest.mark.parametrize("name", ["patient", "video", "group", "Patient", "VIDEO"])
def test_a_table_says_of_whom_files_are(tmp_path: Path, name: str) -> None:
    text = f"\ufeffFile;{name};age\n007/a.png; 017 ;4\n./b.png;017;4\nc.png;;\nd\\e.png;18.0;\n"
    (tmp_path / "t.csv").write_text(text)
    found = patients_of(
        ["study/007/a.png", "b.png", "study/c.png", "d/e.png"], read_patients(tmp_path / "t.csv")
    )
    assert found.patient == ("017", "017", "", "18")
    assert found.counts == {
        "patients stated": 2,
        "files of the largest": 2,
        "files without a patient": 1,
        "rows without a file": 0,
    }


def test_names_fit_whatever_folder_was_chosen() -> None:
    known = table(("one/a.png", "A"), ("two/a.png", "B"), ("b.png", "C"), ("gone.png", "D"))
    found = patients_of(["images/one/a.png", "images/two/a.png", "x/b.png"], known)
    assert (found.patient, found.idle) == (("A", "B", "C"), 1)
    assert patients_of(["A\u0308.png"], table(("\u00c4.png", "A"))).patient == ("A",)
    near = table(("a.png", "A"), ("one/a.png", "B"))  # the closer one counts
    assert patients_of(["one/a.png"], near).patient == ("B",)
    both = patients_of(["17_a.png", "18_a.png", "x.png"], table(("17_a.png", "Z")), r"^(\d+)_")
    assert both.patient == ("Z", "18", "")


@pytest.mark.parametrize(
    ("rows", "paths", "told", "where"),
    [
        ([("a.png", SECRET)], ["x/a.png", "y/a.png"], "name one file", (1,)),
        ([("x/a.png", SECRET), ("y/a.png", "B")], ["a.png"], "be told apart", (1, 2)),
        ([("a.png", SECRET), ("b.png", ""), ("a.png", "B")], ["a.png"], "say one patient", (1, 3)),
        ([("", SECRET)], ["a.png"], "name the file", (1,)),
        ([(f"{SECRET}.png", SECRET)], ["a.png"], "name files that are there", ()),
        ([("a.png", SECRET * 99)], ["a.png"], "have at most 256", (1,)),
    ],
)
def test_what_does_not_fit_is_told_by_row_and_column(rows, paths, told, where) -> None:
    with pytest.raises(InputError, match=told) as caught:
        patients_of(paths, table(*rows))
    assert caught.value.rows == where
    assert SECRET not in str(caught.value)
    assert "column" in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["", "a.png", "x/a.png", "b.png", f"{SECRET}.png"]),
                  st.sampled_from(["", SECRET, "Roe-0815"])), max_size=6,
    ),
    header=st.sampled_from(
        ["file,patient", "file,video", "file", f"{SECRET},b", "file,patient,file"]
    ),
    pattern=st.sampled_from(["", r"^(\w)", "(", "(a)(b)", f"({SECRET})(?=x)", SECRET]),
)  # fmt: skip
def test_nothing_that_is_told_names_anybody(tmp_path_factory, rows, header, pattern) -> None:
    file = tmp_path_factory.mktemp("t") / "t.csv"
    file.write_text("\n".join([header, *(",".join(row) for row in rows)]))
    try:
        known = read_patients(file)
        found = patients_of(["x/a.png", "b.png", f"{SECRET}.png"], known, pattern)
        told = f"{known!r} {found!r} {found.counts}"
    except InputError as error:
        told = f"{error} {error!r}"
    assert SECRET not in told
    assert "Roe" not in told


def test_a_pattern_sees_the_name_or_with_a_slash_the_path() -> None:
    paths = ["images/7/17_left.png", "images/8/17_right.png", "images/8/x.png"]
    assert patients_of(paths, None, r"^(\d+)_").patient == ("17", "17", "")
    assert patients_of(paths, None, r"/(\d+)/").patient == ("7", "8", "8")
    assert patients_of(paths, None, r"(?P<who>\d+)(?:_|$)").patient == ("17", "17", "")
    assert patients_of([], None, r"^(\d+)_").patient == ()


@pytest.mark.parametrize(
    "pattern",
    ["unclosed(x", "no group", "(a)(b)", r"(?=a)(b)", r"(a)\1", "(a)" + "b" * 200,
     r"(\w{500}x){9}", "(a){9999999}"],
)  # fmt: skip
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="pattern of file names") as caught:
        patients_of(["aa.png"], None, pattern)
    assert pattern not in str(caught.value)


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^((?:a|aa)+)+b", r"(?:[\w\W]{0,90}){0,90}(q)"])
def test_no_pattern_takes_long(pattern: str) -> None:
    """Those that take others centuries; the last takes this engine seconds, and is given up."""
    begun = time.monotonic()
    try:
        patients_of(["a" * 200 + f"{k}.png" for k in range(3_000)], None, pattern)
    except InputError as error:
        assert "quick" in str(error) or "one group" in str(error)  # noqa: PT017
    assert time.monotonic() - begun < 40


def test_a_table_among_images_is_known_by_its_name_and_columns(tmp_path: Path) -> None:
    for name, text, is_one in (
        ("patients.csv", "file,patient\na,b\n", True),
        ("Groups.TSV", "file\tgroup\na\tb\n", True),
        ("videos.csv", "file,video\n", True),
        ("patients.csv", "name,age\na,b\n", False),
        ("others.csv", "file,patient\na,b\n", False),
        ("patients.csv", "", False),
    ):
        (tmp_path / name).write_text(text)
        assert is_patient_table(tmp_path / name) is is_one
    (tmp_path / "000001.csv").write_text("file,patient\na,b\n")
    assert is_patient_table(tmp_path / "000001.csv", "images/patients.csv")
