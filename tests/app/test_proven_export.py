"""Exports with their proof: the manifest tells what is in them, and finds what was changed."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from overread.app.study.proven_export import proven_export, verified_export
from overread.app.study.verify_log import verified
from overread.errors import InputError
from overread.exchange import read_reads
from overread.exchange.manifest import NAME, check_export, manifest_of
from overread.store import Store, read_events, verify
from tests.app.test_export import QUESTIONS, study

__all__ = ["study"]


@pytest.mark.parametrize(
    ("what", "form", "question"),
    [
        ("reads", "csv", "n"),
        ("consensus", "parquet", "n"),
        ("reads", "coco", "x"),
        ("reads", "masks", "k"),
        ("history", "csv", None),
        ("consensus", "csv", None),
    ],
)
def test_every_export_holds_its_proof(
    study: tuple[Path, Store, str], tmp_path: Path, what: Any, form: Any, question: str | None
) -> None:
    _, store, project = study
    asked = [question] if question else []
    made = proven_export(
        store, project, tmp_path, what=what, form=form, by="system", questions=asked
    )
    found = check_export(made.file)
    assert found.sound
    told = found.manifest
    assert told["project"]["id"] == project
    assert told["protocol"]["version"] == len(told["protocol"]["versions"]) == 1
    assert told["conformity"]["whole"]
    assert told["conformity"]["not_conforming"] == []
    assert told["questions"] == (asked or list(QUESTIONS))
    assert told["software"]["overread"]
    assert verified(store, f"{told['log']['events']}:{told['log']['head']}")["sound"]
    with_log = verified_export(made.file, store)
    assert with_log["sound"]
    assert "The log knows its manifest." in with_log["words"]
    assert verify(store).sound
    (last,) = [one for one in read_events(store) if found.sha256 in one.body]
    assert last.action == "labels_exported"
    if made.file.suffix == ".zip":
        assert made.manifest == made.file
        with zipfile.ZipFile(made.file) as kept:
            listed = {one["name"] for one in told["files"]}
            assert listed | {NAME} == set(kept.namelist())
            kept.extractall(tmp_path / "out")
        assert check_export(tmp_path / "out").sound
    else:
        assert made.manifest == manifest_of(made.file)
        assert check_export(made.manifest).sound
        if what != "history":
            assert read_reads(made.file).index.n_cases  # as before, by whatever read it before
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_what_was_changed_is_named(study: tuple[Path, Store, str], tmp_path: Path) -> None:
    _, store, project = study
    given: dict[str, Any] = {"what": "reads", "by": "system"}
    made = proven_export(store, project, tmp_path, form="csv", questions=["n"], **given)
    made.file.write_text(made.file.read_text().replace("r0", "r9", 1) + "x")
    assert check_export(made.file).problems == ("reads.csv was changed",)
    assert "NOT" in verified_export(made.file)["words"][0]
    made.file.unlink()
    assert check_export(made.manifest).problems == ("reads.csv is missing",)
    whole = proven_export(store, project, tmp_path, form="csv", **given).file
    with zipfile.ZipFile(whole, "a") as kept:
        kept.writestr("more.csv", "case,reader\n")
    assert check_export(whole).problems == ("more.csv was put in",)
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"hold manifest\.json"):
        check_export(whole)


def test_a_manifest_that_was_changed_with_its_file_is_not_in_the_log(
    study: tuple[Path, Store, str], tmp_path: Path
) -> None:
    _, store, project = study
    made = proven_export(
        store, project, tmp_path, what="reads", form="csv", by="system", questions=["n"]
    )
    told = json.loads(made.manifest.read_text())
    told["conformity"]["labels"] += 1
    made.manifest.write_text(json.dumps(told))
    assert verified_export(made.file)["sound"]  # nothing at hand tells
    found = verified_export(made.file, store)
    assert not found["sound"]
    assert found["problems"] == ["the log does not know this manifest"]


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("case\n")
    with pytest.raises(InputError, match=r"a\.csv\.manifest\.json"):
        check_export(tmp_path / "a.csv")
    with pytest.raises(InputError, match="be a file that is there"):
        check_export(tmp_path / "b.csv")
    for words in ("{", "[]", '{"kind": "overread export", "files": [{}]}', '{"files": []}'):
        manifest_of(tmp_path / "a.csv").write_text(words)
        with pytest.raises(InputError, match="manifest must be one"):
            check_export(tmp_path / "a.csv")
    shutil.make_archive(str(tmp_path / "z"), "zip", tmp_path, "a.csv")
    with pytest.raises(InputError, match="hold manifest"):
        check_export(tmp_path / "z.zip")


def test_commands_write_and_check_it(study: tuple[Path, Store, str], tmp_path: Path) -> None:
    from tests.cli.program import ok, overread

    home = ("--home", study[0])
    where = (*home, "--out", tmp_path)
    told = ok("export", "All kinds", *where, "--question", "n", "--json").document
    assert Path(told["manifest"]).is_file()
    assert "The export is sound" in ok("verify", told["file"]).out
    assert "The log knows its manifest." in ok("verify", told["file"], "--log", *home).out
    Path(told["file"]).write_text("case,reader,label\n")
    found = overread("verify", told["file"], "--json")
    assert found.code == 1
    assert found.document["problems"] == ["reads.csv was changed"]
