"""The map stays true by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_every_layer_contract_is_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_map_names_every_package() -> None:
    the_map = (_ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {
        p.name for p in (_ROOT / "src" / "overread").iterdir() if (p / "__init__.py").is_file()
    }
    missing = sorted(name for name in packages if f"`{name}/`" not in the_map)
    assert not missing


def test_no_file_outgrows_its_room() -> None:
    lengths = {
        str(path.relative_to(_ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (_ROOT / "src").rglob("*.py")
    }
    assert {path: n for path, n in lengths.items() if n > 450} == {}


def test_light_install_imports_nothing_heavy() -> None:
    """The command line starts without charts, torch, pandas or a compiled kernel."""
    code = (
        "import sys, overread, overread.consensus, overread.agreement, overread.cli.main;"
        "heavy = {'torch', 'ray', 'pandas', 'altair', 'typst', 'jinja2', 'sklearn', 'matplotlib'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
