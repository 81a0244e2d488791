"""Hands for the tests: where an image pixel lies on the screen, and what a hand does there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Fitted:
    """A whole image on screen, as the page shows it first; worked out here on its own."""

    left: float
    top: float
    zoom: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.zoom, self.top + y * self.zoom


def fitted(page: Any, columns: int, rows: int) -> Fitted:
    """Place of an image with square pixels after opening or after Space."""
    box = page.locator("main.image").bounding_box()
    zoom = min(box["width"] / columns, box["height"] / rows)
    left = box["x"] + (box["width"] - columns * zoom) / 2
    return Fitted(left, box["y"] + (box["height"] - rows * zoom) / 2, zoom)


def drag(page: Any, *points: tuple[float, float], release: bool = True) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    if release:
        page.mouse.up()


def eventually(check: Callable[[], bool], what: str) -> None:
    """Wait for something that the page does in its own time."""
    for _ in range(4000):  # two minutes: a machine under load is slow, not wrong
        if check():
            return
        time.sleep(0.03)
    raise AssertionError(f"never happened: {what}")


def read_on(page: Any, *keys: str) -> None:
    """Press the keys that end a case, and wait until another one, or the end, is on screen."""
    before = page.locator("main.image").get_attribute("data-task")
    for key in keys:
        page.keyboard.press(key)
    page.locator(f"main.image:not([data-task='{before}'])").wait_for()


def spots(page: Any) -> list[tuple[float, float]]:
    """Middles of the bright spots on the black image, from what is really painted."""
    box = page.locator("main.image").bounding_box()
    shot = Image.open(BytesIO(page.screenshot(clip=box))).convert("L")
    bright = np.asarray(shot, dtype=float)
    bright[bright < 40] = 0
    found = []
    while bright.max() > 100:
        y, x = np.unravel_index(np.argmax(bright), bright.shape)
        reach = 60
        rows = slice(max(0, y - reach), y + reach)
        columns = slice(max(0, x - reach), x + reach)
        part = bright[rows, columns]
        ys, xs = np.mgrid[
            rows.start : rows.start + part.shape[0], columns.start : columns.start + part.shape[1]
        ]
        weight = part.sum()
        found.append(
            (
                box["x"] + float((part * (xs + 0.5)).sum() / weight),
                box["y"] + float((part * (ys + 0.5)).sum() / weight),
            )
        )
        bright[rows, columns] = 0
    return found


def decoded(mask: dict[str, Any]) -> np.ndarray:
    codes = np.concatenate([np.full(length, code) for code, length in mask["runs"]])
    return codes.reshape(mask["rows"], mask["columns"])
