"""Bad input through the command line: exit code 2; row, rule and value; nothing touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from overread.app.analysis.methods import METHODS
from tests.cli.inputs import CASES, class_columns, save_mask, write_csv
from tests.cli.program import files_of, ok, overread, refused

HEAD = {"case": ["p1", "p1", "p2", "p2"], "reader": ["Ada", "Ben", "Ada", "Ben"]}
BOX = HEAD | {
    "label": ["n"] * 4, "x1": [1, 1, 1, 1], "y1": [1, 1, 1, 1], "x2": [5, 5, 5, 5],
    "y2": [6, 6, 6, 6], "width": [50] * 4, "height": [40] * 4,
}  # fmt: skip


def with_cell(table, column, row, value):
    return table | {column: [value if n == row else v for n, v in enumerate(table[column], 1)]}


LABELS = HEAD | {"label": ["x", "y", "x", "x"]}
BAD_TABLES = {
    "an unknown class": (LABELS, ("--classes", "x,z"), ("row 2", "one of x, z", "'y'")),
    "a blank label": (with_cell(LABELS, "label", 3, ""), (), ("row 3", "label must be given")),
    "a NaN label": (with_cell(LABELS, "label", 3, "NaN"), (), ("row 3", "label must be given")),
    "a blank reader": (with_cell(LABELS, "reader", 2, ""), (), ("row 2", "reader must")),
    "a blank case": (with_cell(LABELS, "case", 2, ""), (), ("row 2", "case must")),
    "two answers": (with_cell(LABELS, "reader", 2, "Ada"), (), ("rows 1, 2", "'x'", "'y'")),
    "a text for a score": (
        HEAD | {"value": [1, 2, "much", 4]}, (), ("row 3", "value must be a number", "'much'"),
    ),
    "an infinite score": (HEAD | {"value": [1, 2, "inf", 4]}, (), ("row 3", "number", "'inf'")),
    "a box outside its image": (
        with_cell(BOX, "x2", 2, 51), (), ("row 2", "inside its image of 50 x 40", "1, 1, 51, 6"),
    ),
    "a box inside out": (with_cell(BOX, "x2", 3, 0), (), ("row 3", "x1 < x2", "x1 = 1, x2 = 0")),
    "a box without height": (with_cell(BOX, "y2", 3, 1), (), ("row 3", "y1 < y2", "y2 = 1")),
    "a corner left out": (with_cell(BOX, "y1", 4, "nan"), (), ("row 4", "nothing in y1")),
    "a box of a text": (with_cell(BOX, "y1", 4, "top"), (), ("row 4", "number", "'top'")),
    "finding and no finding": (
        {name: [*column, "no finding" if name == "label" else column[0] if name in HEAD else ""]
         for name, column in BOX.items()}, (), ("rows 1, 5", "one thing"),
    ),
    "a set of a text": (
        HEAD | {"mass": [0, 1, "maybe", 0]}, ("--kind", "multi-label"), ("row 3", "'maybe'"),
    ),
    "no label column": (HEAD | {"grade": [1, 2, 3, 4]}, (), ("columns case, reader, grade",)),
    "no reader column": (
        {"case": ["1"], "who": ["A"], "label": ["x"]}, (),
        ('a column "reader"', "columns case, who, label", "--reader"),
    ),
    "zero rows": ({name: [] for name in LABELS}, (), ("at least one row", "header only")),
    "an unknown kind": (LABELS, ("--kind", "boxes"), ("--kind must be one of", "'boxes'")),
    "three corners": (BOX, ("--corners", "x1,y1,x2"), ("--corners", "x1,y1,x2")),
    "an unknown rule for repeats": (LABELS, ("--repeats", "mean"), ("repeats must", "'mean'")),
    "an unknown rule for blanks": (LABELS, ("--blank", "drop"), ("blank must", "'drop'")),
    "seconds in words": (
        LABELS | {"seconds": [1, 2, "long", 4]}, (), ("row 3", "seconds", "'long'"),
    ),
    "instances in a table": (LABELS, ("--kind", "instance"), ('"outline"', "--outline")),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_TABLES)
@pytest.mark.parametrize("command", ["agree", "consensus", "compare", "next", "report"])
def test_bad_tables(what, command, tmp_path):
    table, options, words = BAD_TABLES[what]
    source = write_csv(tmp_path / "reads.csv", table)
    outputs: tuple[object, ...] = ()
    if command in ("consensus", "next", "report"):
        outputs = ("--out", tmp_path / ("out.html" if command == "report" else "out.csv"))
        outputs[1].write_text("as it was")
    before = files_of(tmp_path)
    said = refused(command, source, *options, *outputs)
    assert said.startswith("Input:")
    for word in words:
        assert word in said
    assert files_of(tmp_path) == before


def test_repeats_are_accepted_by_option(tmp_path):
    source = write_csv(tmp_path / "reads.csv", BAD_TABLES["two answers"][0])
    for rule in ("keep", "first", "last"):
        assert ok("consensus", source, "--repeats", rule, "--json").document["n_cases"] == 2


def test_blanks_are_skipped_by_option(tmp_path):
    source = write_csv(tmp_path / "reads.csv", BAD_TABLES["a blank label"][0])
    assert ok("consensus", source, "--blank", "skip", "--json").document["n_reads"] == 3


def png_bytes(folder: Path) -> bytes:
    save_mask(folder / "x.png", np.zeros((4, 4), dtype=np.uint8))
    content = (folder / "x.png").read_bytes()
    (folder / "x.png").unlink()
    return content


@pytest.mark.parametrize("command", ["agree", "consensus", "report"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "an empty file"),
        ("blank.csv", b"\n\n \n", "column names"),
        ("reads.csv", "png", "a PNG image"),
        ("reads.csv", b"PK\x03\x04rest", "Excel"),
        ("reads.csv", b"case,reader,label\n1,A,\xff\n", "row 1"),
        ("reads.csv", b"case,reader,label\n1,A,x,y,z\n", "at most 3 fields"),
        ("reads.parquet", b"PAR1 and no more", "a damaged one"),
        ("reads.json", b"{", "sound JSON"),
        ("reads.json", b"[]", "JSON object"),
        ("reads.json", b'{"images": []}', '"annotations"'),
        ("reads.csv", b"case,reader,label,label\n1,A,x,y\n", "'label' twice"),
    ],
)
def test_files_of_another_form(command, name, content, words, tmp_path):
    source = tmp_path / name
    source.write_bytes(png_bytes(tmp_path) if content == "png" else content)
    before = files_of(tmp_path)
    outputs = ("--out", tmp_path / "out.html") if command == "report" else ()
    assert words in refused(command, source, *outputs)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("command", ["agree", "consensus", "compare", "next", "report"])
def test_no_such_file_and_an_empty_folder(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "No such file" in refused(command, tmp_path / "absent.csv")
    assert "No such file" in refused(command, tmp_path / "absent.json")
    (tmp_path / "folder").mkdir()
    assert "mask folder must hold mask files" in refused(command, tmp_path / "folder")
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize("command", ["agree", "consensus", "report"])
def test_a_mask_of_another_size(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_mask(tmp_path / "masks" / "Ada" / "p1.png", np.ones((4, 5), dtype=np.uint8))
    save_mask(tmp_path / "masks" / "Ben" / "p1.png", np.ones((5, 4), dtype=np.uint8))
    before = files_of(tmp_path)
    said = refused(command, tmp_path / "masks")
    for word in ("row 2", "5 x 4", "4 x 5"):
        assert word in said
    assert files_of(tmp_path) == before


def test_a_coco_box_outside_its_image(tmp_path):
    note = {"id": 1, "image_id": 1, "category_id": 1, "reader": "Ada", "bbox": [40, 1, 20, 5]}
    document = {
        "images": [{"id": 1, "file_name": "p1", "width": 50, "height": 40}],
        "categories": [{"id": 1, "name": "nodule"}],
        "annotations": [note],
    }
    source = tmp_path / "reads.json"
    source.write_text(json.dumps(document))
    said = refused("consensus", source)
    assert "row 1" in said
    assert "50 x 40" in said
    document["annotations"] = [{k: v for k, v in note.items() if k != "reader"}]
    source.write_text(json.dumps(document))
    assert "reader" in refused("consensus", source)


@pytest.fixture
def reads(tmp_path):
    return write_csv(tmp_path / "reads.csv", class_columns(["x", "y"]))


def test_an_unknown_method_names_those_that_fit(reads, tmp_path):
    for command in ("consensus", "next", "report"):
        said = refused(command, reads, "--method", "stapel")
        assert "'stapel'" in said
        assert "dawid_skene" in said
        assert "staple" not in said.replace("'stapel'", "")
    assert "'best'" in refused("compare", reads, "--methods", "majority,best")
    for method in METHODS.values():
        if "nominal" not in method.kinds:
            assert f"'{method.name}'" in refused("consensus", reads, "--method", method.name)
    assert [p.name for p in tmp_path.iterdir()] == ["reads.csv"]


def test_an_unknown_measure(reads):
    said = refused("agree", reads, "--measures", "fleiss,kapa")
    assert "'kapa'" in said
    assert "fleiss" in said
    scores = class_columns(["x", "y"])
    scores["value"] = list(range(36))
    del scores["label"]
    source = write_csv(reads.with_name("scores.csv"), scores)
    assert "classes and grades alone" in refused("agree", source, "--measures", "fleiss")


def test_settings_that_a_method_has_not(reads):
    said = refused("consensus", reads, "--method", "majority", "--history")
    assert "setting of majority" in said
    assert "keep_history" in said
    assert "ties" in refused("consensus", reads, "--method", "ebcc", "--ties", "first")
    assert "'coin'" in refused("consensus", reads, "--method", "majority", "--ties", "coin")


def answers(folder, cases, labels):
    return write_csv(folder / "answers.csv", {"case": cases, "label": labels})


@pytest.mark.parametrize(
    ("cases", "labels", "words"),
    [
        (["case 1", "case 2"], ["x", "z"], ("row 2", "one of x, y", "'z'")),
        (["other 1"], ["x"], ("somebody read", "none of them")),
        (["case 1", "case 1"], ["x", "y"], ("rows 1, 2", "one answer a case")),
        (["case 1"], [""], ("row 1", "nothing")),
        ([], [], ("at least one row",)),
    ],
)
def test_gold_and_truth_that_do_not_fit(cases, labels, words, reads, tmp_path):
    table = answers(tmp_path, cases, labels)
    page = tmp_path / "page.html"
    for arguments in (
        ("consensus", reads, "--gold", table),
        ("compare", reads, "--truth", table),
        ("report", reads, "--truth", table, "--out", page, "--draws", 100),
        ("report", reads, "--gold", table, "--out", page, "--draws", 100),
    ):
        said = refused(*arguments)
        for word in words:
            assert word in said
    assert not page.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wide", "label must be one of mass, node; got 'x'"),
        ("boxes", 'table must have a column "x1"'),
        ("instances", 'table must have a column "outline"'),
        ("masks", 'table must have a column "rows"'),
    ],
)
def test_gold_of_another_kind(name, words, reads_of, tmp_path):
    table = answers(tmp_path, ["case 1"], ["x"])
    assert words in refused("consensus", *reads_of(name), "--gold", table)


def test_gold_for_a_method_that_does_not_learn(reads_of, tmp_path):
    table = answers(tmp_path, ["case 1"], ["x"])
    said = refused("consensus", *reads_of("boxes"), "--gold", table, "--method", "median_boxes")
    assert "method must be one that learns from gold: boxes; got median_boxes" in said


def test_a_report_of_a_kind_without_truth(reads_of, tmp_path):
    table = answers(tmp_path, ["case 1"], ["x"])
    page = tmp_path / "page.html"
    for name in ("wide", "boxes", "masks"):
        options = ("--truth", table, "--out", page)
        assert "truth must" in refused("report", *reads_of(name), *options)
    assert not page.exists()


OUTPUTS = [
    ("consensus", "--out", "out.xlsx", "must end in .csv"),
    ("consensus", "--out", "out.json", "must end in .csv"),
    ("consensus", "--out", "out", "no suffix"),
    ("consensus", "--out", "absent/out.csv", "does not exist"),
    ("consensus", "--readers-out", "out.html", "must end in .csv"),
    ("consensus", "--readers-out", "absent/out.csv", "does not exist"),
    ("next", "--out", "out.pdf", "must end in .csv"),
    ("next", "--out", "absent/out.csv", "does not exist"),
    ("report", "--out", "out.pdf", "must end in .html"),
    ("report", "--out", "absent/out.html", "does not exist"),
    ("report", "--pdf", "out.html", "must end in .pdf"),
    ("report", "--pdf", "absent/out.pdf", "does not exist"),
    ("consensus", "--out", "reads.csv", "another file"),
    ("next", "--out", "reads.csv", "another file"),
]


@pytest.mark.parametrize("output", OUTPUTS, ids=" ".join)
def test_outputs_are_refused_before_anything_is_written(output, reads, tmp_path, monkeypatch):
    command, option, name, words = output
    monkeypatch.chdir(tmp_path)
    before = files_of(tmp_path)
    said = refused(command, reads, option, tmp_path / name)
    assert option in said
    assert words in said
    assert files_of(tmp_path) == before


def test_one_bad_output_spoils_the_good_one(reads, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "absent" / "bad.csv"
    refused("consensus", reads, "--out", good, "--readers-out", bad)
    refused("consensus", reads, "--out", good, "--readers-out", good)
    refused("report", reads, "--out", tmp_path / "good.html", "--pdf", tmp_path / "no" / "bad.pdf")
    assert list(files_of(tmp_path)) == ["reads.csv"]


def test_masks_are_not_written_among_the_reads(reads_of, tmp_path):
    folder, *_ = reads_of("masks")
    before = files_of(folder)
    assert "--out must" in refused("consensus", folder, "--out", folder / "consensus")
    assert files_of(folder) == before
    (tmp_path / "taken").write_text("a file")
    assert "--out must be a folder" in refused("consensus", folder, "--out", tmp_path / "taken")
    assert "must end in" in refused("consensus", folder, "--out", tmp_path / "masks.json")


def test_a_case_in_two_subgroups(tmp_path):
    columns = class_columns(["x", "y"])
    columns["site"] = ["north"] * 35 + ["south"]
    source = write_csv(tmp_path / "reads.csv", columns)
    for command in ("agree", "report"):
        said = refused(command, source, "--by", "site")
        assert "column site must be the same in all rows of one case" in said
        assert "row" in said
        assert "north" in said
        assert "south" in said
        assert 'a column "sight"' in refused(command, source, "--by", "sight")


@pytest.mark.parametrize(
    "arguments",
    [("agree", "--level", "1.5"), ("agree", "--draws", "3"), ("agree", "--seed", "-1"),
     ("consensus", "--seed", "-1"), ("compare", "--seed", "x"), ("next", "--top", "0"),
     ("report", "--level", "nan"), ("agree", "--colour", "red")],
)  # fmt: skip
def test_options_out_of_range(arguments, reads):
    command, *options = arguments
    said = refused(command, reads, *options)
    assert options[0] in said


@pytest.mark.parametrize("arguments", [("demo", "--port", "70000"), ("demo", "--scans", "0"),
                                       ("agre",), ("agree",)])  # fmt: skip
def test_commands_that_do_not_exist_or_lack_their_reads(arguments):
    refused(*arguments)


def test_a_demo_folder_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("a file")
    assert "--out must be a folder" in refused("demo", "--out", tmp_path / "taken")


def test_readers_that_nobody_knows(reads):
    said = refused("next", reads, "--readers", "Zoe,Ada")
    assert "readers must" in said
    assert "1 unknown" in said


def test_other_kinds_are_refused_where_they_have_no_meaning(reads_of):
    for name in ("boxes", "instances", "masks", "score"):
        assert "kind must be nominal" in refused("next", *reads_of(name))
    for name, kind in (("boxes", "box"), ("instances", "instance"), ("masks", "mask")):
        said = refused("compare", *reads_of(name))
        assert f"truth must be given for {kind} reads; got none" in said


def test_a_method_that_cannot_do_it_ends_with_4(tmp_path):
    table = HEAD | {"value": ["cannot be read"] * 4}
    out = tmp_path / "out.csv"
    said = refused("consensus", write_csv(tmp_path / "r.csv", table), "--out", out, code=4)
    assert said.startswith("Method: there is no read that answers")
    assert not out.exists()
    masks = {"case": ["p1"], "reader": ["Ada"], "rows": [4], "columns": [4]}
    unread = write_csv(tmp_path / "m.csv", masks | {"rle": ["cannot be read"]})
    said = refused("consensus", unread, "--out", out, code=4)
    assert said.startswith("Method: there is no readable mask")
    assert not out.exists()


def test_a_full_disk_is_told_in_words(reads, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "secret"))

    monkeypatch.setattr("overread.cli.consensus.save_consensus", full)
    said = refused("consensus", reads, "--out", tmp_path / "out.csv")
    assert said == "System: No space left on device"


def test_only_cases_that_cannot_be_read(tmp_path):
    columns = {"case": ["1", "1"], "reader": ["A", "B"], "label": ["cannot be read"] * 2}
    source = write_csv(tmp_path / "reads.csv", columns)
    for command in ("agree", "consensus"):
        ended = overread(command, source)
        assert ended.code in (0, 2, 4), ended.err
        assert CASES[0] not in ended.err
