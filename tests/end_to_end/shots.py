"""Screenshots for people: kept in the folder that OVERREAD_SHOTS names, if it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def shot(page: Any, name: str) -> None:
    """Keep what is on the screen."""
    folder = os.environ.get("OVERREAD_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
