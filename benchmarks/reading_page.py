"""The reading page on 2,048 x 2,048 radiographs of 16 bits: the next case, and a brush's frame.

The built page in headless Chromium against the real server. ``next_case`` is the time from the
key's own event to the first frame of the browser in which the next, preloaded image stands drawn
(the page's own measure ends when it has drawn; the frame after it is what a hand waits for).
``brush_work`` is what one frame of a stroke costs the page (events, painting, overlay, drawing),
as the page itself notes it; ``brush_frame`` is the time between the browser's frames meanwhile.
No graphics card: WebGL is drawn by the processor (SwiftShader), which is the slow case.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from _common import arguments, finish

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.live.server import running_server
from tests.live.study import PASSWORD, Study, furnish

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_WATCH = """() => {
  window.seen = {next: [], frames: []};
  addEventListener("keydown", (event) => { window.pressed = event.timeStamp; }, true);
  new PerformanceObserver((list) => {
    for (const _ of list.getEntriesByName("next-case")) {
      const pressed = window.pressed;
      requestAnimationFrame(() => setTimeout(() => {
        window.seen.next.push(performance.now() - pressed);
      }));
    }
  }).observe({type: "measure"});
  let last = null;
  const tick = (now) => {
    if (window.painting && last !== null) window.seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def main() -> None:
    """Grade a row of cases, then paint on one."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a heavy part

    small = arguments(__doc__).small
    side, cases, strokes = (512, 5, 2) if small else (2048, 40, 20)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("chromium is missing: on Debian, apt install chromium")
    figures: dict[str, Any] = {"picture": f"{side} x {side}, 16 bit", "rendering": "software"}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        for name, protocol in (("grade", "knee-grade"), ("paint", "vessel-mask")):
            home = Path(folder) / name
            study = furnish(
                home, protocol=protocol, cases=cases + 5, readers=1, reads_per_case=1, side=side
            )
            with running_server(home) as server:
                page = opened(browser, f"http://127.0.0.1:{server.port}", study)
                if name == "grade":
                    figures |= percentiles("next_case", graded(page, cases))
                else:
                    work, frames = painted(page, strokes)
                    figures |= percentiles("brush_work", work) | percentiles("brush_frame", frames)
                page.context.close()
            print(figures, flush=True)
        browser.close()
    figures["load_average"] = round(os.getloadavg()[0], 1)
    finish(figures)


def opened(browser: Any, address: str, study: Study) -> Any:
    """The reading page of a reader who has logged in."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{address}/login")
    page.fill("[name=email]", study.readers[0])
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{address}/home")
    page.goto(f"{address}/read/{study.project}")
    page.locator(".card").first.wait_for()
    page.evaluate(_WATCH)
    page.wait_for_timeout(3_000)  # the next cases come in
    return page


def graded(page: Any, cases: int) -> list[float]:
    """Milliseconds from key to image, a second of looking between two keys."""
    for at in range(cases):
        page.keyboard.press(str(at % 5))
        page.wait_for_timeout(1_000)
        if len(page.evaluate("window.seen.next")) != at + 1:
            raise SystemExit("the next case did not come within a second")
    return page.evaluate("window.seen.next")


def painted(page: Any, strokes: int) -> tuple[list[float], list[float]]:
    """Milliseconds of work a frame, and between frames, while strokes cross the image."""
    box = page.locator("main.image").bounding_box()
    work: list[float] = []
    for at in range(strokes):
        y = box["y"] + box["height"] * (0.2 + 0.6 * at / strokes)
        page.mouse.move(box["x"] + box["width"] * 0.35, y)
        page.mouse.down()
        page.evaluate("window.painting = true")
        page.mouse.move(box["x"] + box["width"] * 0.65, y + 20, steps=60)
        page.evaluate("window.painting = false")
        page.mouse.up()
        work += page.evaluate("performance.getEntriesByName('brush-frame').map((e) => e.duration)")
        page.evaluate("performance.clearMeasures('brush-frame')")
        page.wait_for_timeout(300)
    return work, page.evaluate("window.seen.frames")


def percentiles(name: str, values: list[float]) -> dict[str, Any]:
    """Of milliseconds; a benchmark that measured nothing fails."""
    if not values:
        raise SystemExit(f"{name}: nothing was measured")
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    told = {"p50": round(float(p50), 1), "p95": round(float(p95), 1), "p99": round(float(p99), 1)}
    return {f"{name}_ms": told | {"n": len(values)}}


if __name__ == "__main__":
    main()
