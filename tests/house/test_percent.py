"""A share looks the same wherever people see it: 45 %, with a space."""

from __future__ import annotations

import re
from pathlib import Path

_SOURCE = Path(__file__).parents[2] / "src/overread"
_CLOSE = {
    "*.py": re.compile(r":[+,]?(\.\d)?%\}"),  # of an f-string; overread.words.percent instead
    "*.j2": re.compile(r"(\d|\}\}|format\([^)]*\))%(?![\w\"';)])"),
}


def test_no_percent_sign_touches_its_number() -> None:
    found = [
        f"{path.relative_to(_SOURCE)}:{number}"
        for kind, close in _CLOSE.items()
        for path in sorted(_SOURCE.rglob(kind))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if close.search(line)
    ]
    assert found == []
