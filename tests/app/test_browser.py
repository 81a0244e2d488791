"""The written report in a real browser: it renders, the console is empty, nothing is asked for."""

from __future__ import annotations

import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.app.analysis.write_report import ReportRequest, write_report
from overread.labels import Kind
from overread.report import DemoEntry, write_index
from tests.app.small_reads import READS

pytestmark = pytest.mark.browser

_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", "--v=0",
)  # fmt: skip


class _Recorder(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and remembers what was asked for."""

    asked: list[str]

    def __init__(self, *arguments, asked, **settings):
        self.asked = asked
        super().__init__(*arguments, **settings)

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Reports of two kinds and the page that links them."""
    where = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("overread.app.analysis.write_report._MOST_COMPARED", 0)
        for kind in (Kind.NOMINAL, Kind.BOX):
            request = ReportRequest(f"Report on {kind} <reads>", "r.csv", "2026-01-01", draws=100)
            write_report(READS[kind](), request, where / f"{kind}.html")
    entries = [DemoEntry(f"{k} reads", f"{k}.html", "In words.") for k in ("nominal", "box")]
    write_index("All reports", tuple(entries), where / "index.html")
    return where


@pytest.fixture(scope="module")
def site(folder) -> Iterator[tuple[str, list[str]]]:
    """Address of the folder, and what was asked of it."""
    asked: list[str] = []
    handler = partial(_Recorder, asked=asked, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def browse(chromium, profile, *arguments) -> tuple[str, list[str]]:
    """Standard output, and what the page said on the console."""
    done = subprocess.run(
        [chromium, *_QUIET, f"--user-data-dir={profile}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("nominal", "Report on nominal <reads>"),
        ("box", "Report on box <reads>"),
        ("index", "All reports"),
    ],
)
def test_the_page_renders_and_asks_for_nothing(chromium, site, tmp_path, name, title):
    address, asked = site
    asked.clear()
    dom, console = browse(chromium, tmp_path, "--dump-dom", f"{address}/{name}.html")
    assert console == []
    assert [path for path in asked if path != "/favicon.ico"] == [f"/{name}.html"]
    escaped = title.replace("<", "&lt;").replace(">", "&gt;")
    assert re.search(rf"<title>[^<]*{escaped}", dom)
    assert re.search(rf"<h1[^>]*>[^<]*{escaped}", dom)
    heads = " ".join(re.findall(r"<h2[^>]*>(.*?)</h2>", dom, flags=re.DOTALL))
    assert name == "index" or ("Agreement" in heads and "Consensus" in heads)
    assert "default-src 'none'" in dom
    assert ("<svg" in dom) == (name != "index")


@pytest.mark.parametrize("width", [1200, 390])
def test_the_screenshot_is_not_blank(chromium, site, tmp_path, width):
    picture = tmp_path / "page.png"
    _, console = browse(
        chromium, tmp_path / "profile", f"--window-size={width},900",
        f"--screenshot={picture}", f"{site[0]}/nominal.html",
    )  # fmt: skip
    assert console == []
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("L"), dtype=float)
    assert pixels.shape[0] == 900
    assert pixels.std() > 5
    ink = np.abs(pixels - np.median(pixels)) > 40
    assert 0.005 < ink.mean() < 0.6
    assert ink.any(axis=1).mean() > 0.2  # not a line at the top alone


def test_a_page_that_breaks_its_promise_is_noticed(chromium, folder, site, tmp_path):
    """The test above would see a script, and a picture from elsewhere."""
    page = (folder / "index.html").read_text(encoding="utf-8")
    bad = page.replace("</body>", "<script>1</script><img src='/x.png'></body>")
    (folder / "bad.html").write_text(bad, encoding="utf-8")
    _, console = browse(chromium, tmp_path, "--dump-dom", f"{site[0]}/bad.html")
    assert len(console) >= 2
    free = re.sub(r"<meta[^>]*Content-Security-Policy[^>]*>", "", bad)
    (folder / "free.html").write_text(free, encoding="utf-8")
    browse(chromium, tmp_path, "--dump-dom", f"{site[0]}/free.html")
    assert "/x.png" in site[1]
