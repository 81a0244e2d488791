"""A project from the command line: made, filled with images, served."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.program import overread


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 255, (24, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    (folder / "broken.dcm").write_bytes(b"not an image")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    made = overread("init", "Knees", "--template", "knee-grade", "--home", folder, "--json")
    assert made.code == 0
    assert made.document["name"] == "Knees"
    return folder


def test_a_home_is_kept_to_its_owner(home: Path) -> None:
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "secret").stat().st_mode & 0o077 == 0
    assert len((home / "secret").read_bytes()) == 32


def test_images_come_in_once_and_what_is_bad_is_set_aside(home: Path, images: Path) -> None:
    first = overread("import", "Knees", images, "--home", home, "--json").document
    again = overread("import", "Knees", images, "--home", home, "--json").document
    assert (first["new cases"], first["set aside"]) == (3, 1)
    assert (again["there already"], again.get("new cases", 0)) == (3, 0)
    assert len(first["reasons"]) == 1


def test_a_template_is_written_to_be_edited_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    assert overread("init", "x", "--template", "mitosis", "--write", file).code == 0
    made = overread("init", "M", "--protocol", file, "--home", tmp_path / "home", "--json")
    assert made.code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init", "x"], "--protocol or --template must be given"),
        (["init", "x", "--template", "none"], "template must be one of"),
        (["init", "x", "--protocol", "nowhere.yaml"], "protocol must be a file"),
        (["import", "Nobody", "."], "project must name one project"),
    ],
)
def test_bad_input_says_what_to_do(tmp_path: Path, arguments: list[str], words: str) -> None:
    ended = overread(*arguments, "--home", tmp_path / "home")
    assert ended.code == 2
    assert words in ended.said


def test_a_fault_in_a_protocol_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "protocol.yaml"
    assert overread("init", "x", "--template", "mitosis", "--write", file).code == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if "reads_per_case" in line)
    lines[at] = "reads_per_case: many"
    file.write_text("\n".join(lines), encoding="utf-8")
    ended = overread("init", "x", "--protocol", file, "--home", tmp_path / "home")
    assert ended.code == 2
    assert f"line {at + 1}" in ended.said


def test_the_server_prints_its_set_up_link_once_and_answers(home: Path) -> None:
    command = [sys.executable, "-u", "-m", "overread", "serve", "--home", str(home), "--port"]
    links = []
    for port in ("18431", "18432"):
        with subprocess.Popen([*command, port], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            lines = []
            for line in server.stdout:
                lines.append(line)
                if "Overread is at" in line:
                    break
            links += re.findall(r"http\S+/set-up/\S+", "".join(lines))
            try:
                assert _answer(f"http://127.0.0.1:{port}/login") == 200
            finally:
                server.terminate()
    # nobody used the first link, so the second start makes a new one in its place
    assert len(set(links)) == 2


def _answer(url: str) -> int:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return int(reply.status)
        except OSError:
            time.sleep(0.1)
    return 0
