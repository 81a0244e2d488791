"""The documentation says what the code does: commands, options, methods, the README's tour."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import typer.main

from overread.app.analysis.methods import METHODS
from overread.cli.main import program

_ROOT = Path(__file__).parents[2]
_PYTHON = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
_PAGES = sorted(
    page.relative_to(_ROOT / "docs").as_posix()
    for page in (_ROOT / "docs").rglob("*.md")
    if _PYTHON.search(page.read_text(encoding="utf-8"))
)
_COMMANDS = typer.main.get_command(program()).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_command_page_names_every_command_and_option(name: str) -> None:
    page = (_ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"## overread {name}" in page
    options = [o for p in _COMMANDS[name].params for o in p.opts if o.startswith("--")]
    assert [o for o in options if f"`{o}`" not in page] == []


@pytest.mark.parametrize("name", sorted(METHODS))
def test_method_table_has_every_method_with_its_page(name: str) -> None:
    table = (_ROOT / "docs" / "methods" / "index.md").read_text(encoding="utf-8")
    method = METHODS[name]
    row = next((line for line in table.splitlines() if line.startswith(f"| [`{name}`]")), "")
    assert method.page in row
    assert method.assumes in row
    assert method.use_when in row
    assert (_ROOT / "docs" / "methods" / method.page).is_file()


def test_readme_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```pycon\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) >= 5
    monkeypatch.chdir(tmp_path)
    tour = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    runner.run(tour, out=said.append)
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize("page", _PAGES)
def test_python_of_a_docs_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").symlink_to(_ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(_ROOT / "benchmarks"))  # put back, whatever a page adds
    blocks = _PYTHON.findall((_ROOT / "docs" / page).read_text(encoding="utf-8"))
    exec(compile("\n".join(blocks), page, "exec"), {"__name__": "page"})


def test_readme_names_the_two_commands() -> None:
    head = (_ROOT / "README.md").read_text(encoding="utf-8")[:4000]
    assert "make demo" in head
    assert "make test" in head
