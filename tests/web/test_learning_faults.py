"""What goes wrong where a model learns is told on its page, in words, with what to do next."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from overread.errors import MethodError
from overread.learn.unet import network_of, unet_bytes
from overread.learn.unet_file import UnetAbout
from overread.store.learning.pre_labels import brought
from overread.web import maps
from tests.app.learning.study import protocol
from tests.end_to_end.shots import shot
from tests.web.conftest import PASSWORD, House, bring_in, png
from tests.web.live import opened, visitor
from tests.web.test_learning import new_project, shown, until
from tests.web.test_pre_label import send

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CASES = 12
WAIT = 120_000
SPOTS = """title: Spots
reads_per_case: 1
questions:
  - {id: spots, prompt: Paint the spots, kind: mask, classes: [spot]}
"""


@contextmanager
def without_images(house: House) -> Generator[None]:
    """As if the folder of images had been lost, and restored at the end."""
    root = Path(house.blobs.root)
    away = root.with_name("away")
    away.mkdir()
    for one in [one for one in root.iterdir() if len(one.name) == 2]:
        one.rename(away / one.name)
    yield
    shutil.copytree(away, root, dirs_exist_ok=True)


@contextmanager
def lead_at(browser: Any, address: str) -> Generator[Any]:
    """The lead's page; what it cannot load is expected here, an error of a script is not."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{address}/login")
    page.fill("[name=email]", "lead@example.org")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(lambda url: "/login" not in url)
    yield page
    context.close()
    assert wrong == []


def test_images_that_cannot_be_had_are_told_and_come_back(house: House, browser: Any) -> None:
    new_project(house, protocol(settings="held_back: 0.3"))
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(CASES)})
    path = f"/projects/{house.project}/learning"
    with opened(house) as address, lead_at(browser, address) as page:
        with without_images(house):
            page.goto(address + path)
            # it comes by itself: nobody loads the page again
            alert = page.get_by_role("alert")
            alert.wait_for(timeout=WAIT)
            told = alert.inner_text()
            assert "Fewer than two images of the 12 cases can be had." in told
            assert "Restore the server's folder of images (blobs) from a backup" in told
            waits = page.locator(".waits img")
            page.locator(".waits img[data-gone]").first.wait_for(state="attached")
            assert waits.first.get_attribute("alt") == "The image cannot be had"
            shot(page, "fault-images-gone")
            # a training fails as well: why, what stays, what to do
            page.get_by_role("button", name="Train", exact=True).click()
            page.reload()
            until(lambda: "failed" in reloaded(page).locator("#encoders").inner_text())
            told = page.locator("#encoders .warn").inner_text()
            assert told.startswith("The training on images failed: Training on images needs 8")
            stays = "The encoders in use stay as they are; train again when this is mended."
            assert told.endswith(f"0 of 12 can be had. {stays}")
            shot(page, "fault-training-failed")
        page.get_by_role("button", name="Try again").click()
        page.locator("svg.map a[data-case]").nth(CASES - 1).wait_for(timeout=WAIT)
        assert page.get_by_role("alert").count() == 0


def reloaded(page: Any) -> Any:
    page.wait_for_timeout(300)
    page.reload()
    return page


def test_a_point_of_the_map_shows_its_image_and_leads_to_its_case(
    house: House, browser: Any
) -> None:
    new_project(house, protocol(settings="held_back: 0.3"))
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(CASES)})
    path = f"/projects/{house.project}/learning"
    lead = house.people["lead"]
    until(lambda: "Neighbours look alike" in lead.get(path).text)
    with opened(house) as address:
        with visitor(browser, address, "lead@example.org") as page:
            page.goto(address + path)
            peek, points = page.locator(".peek"), page.locator("svg.map a[data-case]")
            assert points.count() == CASES
            assert peek.is_hidden()
            for at in (0, CASES - 1):
                points.nth(at).hover()
                # a loop of our own: the page's policy forbids a string that is run again and again
                until(lambda: peek.locator("img").evaluate("image => image.naturalWidth") > 0)
                case = points.nth(at).get_attribute("data-case")
                assert case in str(peek.locator("img").get_attribute("src"))
                assert peek.inner_text() == points.nth(at).get_attribute("aria-label")
                # beside the point, never over it
                point, shows = points.nth(at).bounding_box(), peek.bounding_box()
                assert (
                    point["x"] + point["width"] <= shows["x"]
                    or shows["x"] + shows["width"] <= point["x"]
                    or shows["y"] + shows["height"] <= point["y"]
                    or point["y"] + point["height"] <= shows["y"]
                )
            shot(page, "map-point")
            page.locator("h1").first.hover()
            assert peek.is_hidden()
            points.nth(1).focus()
            assert peek.is_visible()
            case = points.nth(1).get_attribute("data-case")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/cases/{case}")
            page.go_back()
            case = points.nth(2).get_attribute("data-case")
            points.nth(2).click()
            page.wait_for_url(f"**/cases/{case}")
        with without_images(house), lead_at(browser, address) as page:
            page.goto(address + path)
            page.locator("svg.map a[data-case]").first.hover()
            page.locator(".peek img[data-gone]").wait_for()
            image = page.locator(".peek img")
            assert image.get_attribute("alt") == "The image cannot be had"
            # so does every other page
            page.goto(f"{address}/projects/{house.project}/cases")
            page.locator(".film img[data-gone]").first.wait_for(state="attached")
            page.goto(f"{address}/cases/{case}")
            page.locator(".picture img[data-gone]").wait_for()
            assert page.locator(".picture img").get_attribute("alt") == "The image cannot be had"
            shot(page, "fault-case-without-image")


def test_a_map_that_could_not_be_worked_out_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise MethodError("no space is left for the map")

    monkeypatch.setattr(maps, "in_child", full)
    new_project(house, protocol(settings="held_back: 0.3"))
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(CASES)})
    lead, path = house.people["lead"], f"/projects/{house.project}/learning"
    told = "Neighbours could not be worked out: no space is left for the map."
    until(lambda: told in lead.get(path).text)
    monkeypatch.undo()
    assert told in lead.get(path).text  # by itself it is not tried again and again
    assert lead.form(path, action="map").status_code == 303
    until(lambda: "Neighbours look alike" in lead.get(path).text)
    assert "could not be worked out" not in lead.get(path).text


@pytest.fixture
def spots(house: House, tmp_path: Path) -> tuple[House, Path]:
    """A project, and the place of the network of an earlier one that answers the same."""
    lead = house.people["lead"]
    made = [lead.form("/projects/new", name=name, text=SPOTS) for name in ("Earlier", "Later")]
    earlier, house.project = (one.headers["location"].rsplit("/", 1)[-1] for one in made)
    bring_in(house, 0, **{f"{at:03d}.png": png(at, (96, 128)) for at in range(4)})
    folder = tmp_path / "networks" / earlier
    folder.mkdir(parents=True)
    about = {"kind": "mask", "classes": ["spot"], "question": "spots", "likeness": 0.8}
    (folder / "spots.json").write_text(json.dumps(about))
    file = folder / "spots.onnx"
    file.write_bytes(b"no network")
    return house, file


def network(*classes: str) -> bytes:
    """A network that nobody taught."""
    about = UnetAbout("spots", "mask", classes, width=2)
    torch.manual_seed(0)
    return unet_bytes(network_of(about), about)


def test_a_network_that_is_none_or_for_others_brings_nothing(
    spots: tuple[House, Path], browser: Any
) -> None:
    house, file = spots
    path = f"/projects/{house.project}/pre-labels"
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        for content, words in (
            (b"no network", "Network must be an ONNX file that this program trained"),
            (
                network("rim"),
                "asks (mask: spot); got one for mask: rim. Train the network",
            ),
        ):
            file.write_bytes(content)
            page.goto(address + path)
            page.get_by_role("button", name="Ask it").click()
            # by itself
            page.locator(".problem", has_text=words).wait_for(timeout=WAIT)
            told = page.get_by_role("alert").inner_text()
            assert told.startswith("Nothing was brought")
            assert "What stood before stands." in told
            page.get_by_role("link", name="Mend it and bring it again").click()
            page.wait_for_url("**/pre-labels#bring")
            assert brought(house.store, house.project) == []
        shot(page, "fault-network")
        file.write_bytes(network("spot"))
        page.get_by_role("button", name="Ask it").click()
        page.get_by_text("Done. 4 cases have a pre-label of it.").wait_for(timeout=WAIT)


def test_a_model_is_no_file_of_pre_labels(spots: tuple[House, Path]) -> None:
    house, _ = spots
    path = f"/projects/{house.project}/pre-labels"
    for name, remedy in (("net.onnx", "Bring it as a model"), ("net.PT", "Run it on the images")):
        assert send(house, name, network("spot"), question="spots").status_code == 303
        until(lambda: "on their way" not in house.people["lead"].get(path).text)
        text = house.people["lead"].get(path).text
        assert f"Pre-labels must be what a model said; got a model. {remedy}" in text


def test_what_a_lead_stops_is_no_error(spots: tuple[House, Path], browser: Any) -> None:
    house, _ = spots
    path = f"/projects/{house.project}/pre-labels"
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(address + path)
        page.get_by_role("button", name="Look for them").click()
        page.get_by_text("Pre-labels on their way").wait_for()
        page.get_by_text("Every image is looked at").wait_for()
        page.get_by_role("button", name="Stop").click()
        told = page.get_by_role("status")
        told.wait_for(timeout=WAIT)
        assert told.inner_text().startswith("Stopped. Nothing was brought, and what stood before")
        assert page.get_by_role("alert").count() == 0
        shot(page, "fault-stopped")
        page.get_by_role("button", name="Look for them").click()
        page.get_by_text("4 images looked at.").wait_for(timeout=WAIT)
