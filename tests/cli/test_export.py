"""``overread export`` and ``overread openapi``: what they write, the other commands read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_export import QUESTIONS, study
from tests.cli.program import ok, refused

__all__ = ["study"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_other_commands_read_the_file_as_it_is(
    study: tuple[Path, Any, str], name: str, tmp_path: Path
) -> None:
    where = ("--home", study[0], "--out", tmp_path, "--question", name, "--json")
    path = ok("export", "All kinds", *where).document["file"]
    for command in (("agree", path, "--draws", 100, "--json"), ("consensus", path, "--json")):
        assert ok(*command).document["kind"] == QUESTIONS[name].kind.value
    truth = ok("export", "All kinds", "--what", "consensus", *where).document["file"]
    assert ok("consensus", truth, "--json").document["kind"] == QUESTIONS[name].kind.value


def test_what_cannot_be_exported_is_said_before_anything_is_made(
    study: tuple[Path, Any, str], tmp_path: Path
) -> None:
    home = ("--home", study[0], "--out", tmp_path)
    assert "csv or parquet for nominal" in refused(
        "export", "All kinds", *home, "--format", "coco", "--question", "n"
    )
    assert "--what must be one of" in refused("export", "All kinds", *home, "--what", "all")
    assert "--format must be one of" in refused("export", "All kinds", *home, "--format", "xls")
    assert "project must" in refused("export", "Nobody's", *home)
    assert "--home must be" in refused("export", "x", "--home", tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    (tmp_path / "file").write_text("x")
    assert "be a folder" in refused("export", "x", "--home", study[0], "--out", tmp_path / "file")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_openapi_is_written(tmp_path: Path) -> None:
    ok("openapi", "--out", tmp_path / "api.json")
    told = json.loads((tmp_path / "api.json").read_text(encoding="utf-8"))
    assert told == json.loads(ok("openapi").out)
    assert told["info"]["title"] == "Overread"
