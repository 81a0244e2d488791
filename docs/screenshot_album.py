"""The album of the screenshots: pictures small enough for a repository, and the page of them."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from tests.reading_page.hands import eventually

SIZE = {"width": 1280, "height": 800}
_MOST_BYTES = 250_000
_COLOURED = 40
# pictures within drawings do not say when they are there: the same again, which does
_DRAWN = """() => Promise.all([...document.querySelectorAll("svg image")].map((one) => {
    const again = new Image();
    again.src = one.href.baseVal;
    return again.decode();
}))"""
_THERE = """[...document.images].every((one) => {
  const at = one.getBoundingClientRect();
  return one.complete || !one.offsetParent || at.top > innerHeight || at.left > innerWidth;
})"""
_REST = 700  # milliseconds
_HEAD = """# Every page in pictures

Made by `docs/make_screenshots.py` from a real server and public sample files (`pydicom-data`).
"""


@dataclass
class Album:
    """Pictures in the order of the page that shows them."""

    folder: Path
    shown: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, page: Any, name: str, title: str, words: str, *, high: int = 800) -> None:
        """Take a picture once all images of the page are there. Args: high: pixels of it."""
        if page.viewport_size != SIZE | {"height": high}:
            page.set_viewport_size(SIZE | {"height": high})
        eventually(lambda: bool(page.evaluate(_THERE)), "the images are there")
        page.evaluate(_DRAWN)
        page.wait_for_timeout(_REST)
        (self.folder / f"{name}.png").write_bytes(_small(page.screenshot()))
        self.shown[title] = f"## {title}\n\n{words}\n\n![{title}](pictures/{name}.png)\n"

    def write(self, page: Path, *, whole: bool) -> None:
        """Write the page that shows them. Args: whole: what was not taken now is left out."""
        before = {} if whole or not page.is_file() else _sections(page)
        page.write_text("\n".join([_HEAD, *(before | self.shown).values()]), encoding="utf-8")


def _sections(page: Path) -> dict[str, str]:
    parts = re.split(r"(?m)^(?=## )", page.read_text(encoding="utf-8"))[1:]
    return {one.split("\n", 1)[0][3:]: one.rstrip("\n") + "\n" for one in parts}


@contextmanager
def opened_browser() -> Generator[Any]:
    """Chromium, without the parts that ask for something elsewhere."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def _small(shot: bytes) -> bytes:
    """The picture with as many colours as its size allows; those of the page are kept."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    pixels = np.asarray(picture).reshape(-1, 3)
    bright = pixels[np.ptp(pixels.astype(int), axis=1) > _COLOURED]
    for greys in (160, 96, 64, 40):
        parts = [picture.quantize(greys, Image.Quantize.MEDIANCUT).getpalette() or []]
        if len(bright):
            strip = Image.fromarray(bright[None])
            parts.append(strip.quantize(80, Image.Quantize.MAXCOVERAGE).getpalette() or [])
        palette = Image.new("P", (1, 1))
        palette.putpalette([value for part in parts for value in part])
        packed = io.BytesIO()
        fewer = picture.quantize(palette=palette, dither=Image.Dither.NONE)
        fewer.save(packed, "PNG", optimize=True)
        if packed.tell() < _MOST_BYTES:
            break
    return packed.getvalue()
