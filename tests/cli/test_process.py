"""The program as a process: exit codes, streams, missing extras, Ctrl-C, the served demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer.main

from overread.cli import demo
from overread.cli.main import program
from overread.report import DemoEntry
from tests.cli.inputs import class_columns, write_csv
from tests.cli.program import files_of, ok, overread, process, refused

COMMANDS = sorted(typer.main.get_command(program()).commands)  # type: ignore[attr-defined]
_BLOCK = """
import sys
from importlib.abc import MetaPathFinder
class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.split(".")[0])
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture
def reads(tmp_path):
    return write_csv(tmp_path / "reads.csv", class_columns(["x", "y"]))


def test_version_and_nothing_at_all():
    assert process("--version").out == f"overread {version('overread')}\n"
    bare = overread()
    assert bare.code == 2
    assert all(name in bare.out + bare.err for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(name):
    said = ok(name, "--help").out
    assert "Usage:" in said
    parameters = typer.main.get_command(program()).commands[name].params  # type: ignore[attr-defined]
    declared = {option for parameter in parameters for option in parameter.opts}
    for option in ("--json", "--out", "--help"):
        assert (option in said) == (option in declared or option == "--help")
    if "reads" in declared:
        assert "READS" in said
        assert "How READS is read" in said


def test_help_of_the_program_names_the_columns():
    said = ok("-h").out
    assert all(word in said for word in (*COMMANDS, "case", "reader", "label", "x1"))


def test_bad_input_leaves_standard_output_empty(tmp_path):
    ended = process("agree", tmp_path / "absent.csv", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Input: table must be a file that can be read; got No such file")


def test_a_closed_pipe_is_no_traceback(reads):
    with subprocess.Popen(
        [sys.executable, "-m", "overread", "consensus", str(reads), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        run.stdout.close()
        assert "Traceback" not in run.stderr.read()


def test_report_without_its_extra(reads, tmp_path):
    page, block = tmp_path / "page.html", _BLOCK.format(names="('altair',)")
    ended = process("report", reads, "--out", page, code=block)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("Missing: ")
    assert "pip install 'overread[report]'" in ended.err
    assert sorted(files_of(tmp_path)) == ["reads.csv"]


def test_a_pdf_without_typst_leaves_no_page_either(reads, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.delitem(sys.modules, "overread.report.document", raising=False)
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    assert "overread[report]" in refused("report", reads, "--out", page, "--pdf", pdf, code=3)
    assert sorted(files_of(tmp_path)) == ["reads.csv"]


def test_masks_without_their_extra(reads_of, tmp_path, monkeypatch):
    folder, *_ = reads_of("masks")
    monkeypatch.setitem(sys.modules, "PIL", None)
    said = refused("consensus", folder, "--out", tmp_path / "out", code=3)
    assert "pip install 'overread[images]'" in said
    assert not (tmp_path / "out").exists()


def test_light_commands_need_no_extra(reads):
    block = _BLOCK.format(names="('altair', 'jinja2', 'typst', 'vl_convert', 'PIL', 'nibabel')")
    ended = process("consensus", reads, "--json", code=block)
    assert (ended.code, ended.err) == (0, "")
    assert ended.document["n_cases"] == 12


def test_ctrl_c_says_so_and_ends_with_130(reads, tmp_path):
    out = tmp_path / "out.csv"
    slow = (
        "import time\nfrom overread.cli import consensus\n"
        "def wait(*a, **k):\n    print('working', flush=True)\n    time.sleep(60)\n"
        "consensus.reach_consensus = wait"
    )
    code = f"{slow}\nfrom overread.cli.main import main\nmain()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "consensus", str(reads), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout.readline() == "working\n"
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "stopped" in err
    assert "Traceback" not in err
    assert not out.exists()


def test_the_demo_in_one_document(tmp_path, monkeypatch):
    def few(stage, *, most_scans, processes):
        assert (most_scans, processes) == (3, min(2, os.cpu_count() or 1))
        stage.say("a finding")
        stage.step("a part")(1, 2)
        stage.entries.append(DemoEntry("LIDC", "lidc.html", "Half agree."))
        stage.synthetic.append("VinDr-CXR")
        return stage.folder / "index.html"

    monkeypatch.setattr(demo, "run_demo", few)
    ended = ok("demo", "--out", tmp_path, "--scans", 3, "--json")
    assert ended.document == {
        "index": str(tmp_path / "index.html"),
        "reports": [{"title": "LIDC", "page": "lidc.html", "words": "Half agree.", "document": ""}],
        "synthetic": ["VinDr-CXR"],
    }
    assert "a finding" in ended.err
    said = ok("demo", "--out", tmp_path, "--scans", 3).out
    assert "a finding" in said
    assert "SYNTHETIC stand-in for: VinDr-CXR" in said
