"""Encoders on the learning page: trained beside it, stopped, taken up by a server that restarts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from overread.errors import MethodError
from overread.store.learning.encoders import (
    BEGUN,
    HALTED,
    list_trained,
    list_trainings,
    set_training,
)
from overread.web import create_app, training
from overread.web.site import Site
from overread.web.training import TRAINING
from tests.web.conftest import HOST, SECRET, House, bring_in, png


def until(met: Callable[[], object], seconds: float = 400.0) -> None:
    """Wait for work beside the pages."""
    ends = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < ends, "it does not come"
        time.sleep(0.05)


def kill(server: Site) -> None:
    """End what works beside its pages, as the end of its process would."""
    jobs = list(server.jobs.by_id.values())
    for one in jobs:
        one.stop.set()
    until(lambda: all(one.done for one in jobs))


def page_of(house: House) -> str:
    reply = house.people["lead"].get(f"/projects/{house.project}/learning")
    assert reply.status_code == 200, reply.text
    return re.sub(r"\s+", " ", reply.text)


def ask(house: House, **fields: str) -> int:
    reply = house.people["lead"].form(f"/projects/{house.project}/learning", **fields)
    return int(reply.status_code)


def states(house: House) -> list[str]:
    return [one.state for one in list_trainings(house.store, house.project)]


def restarted(house: House, folder: Path) -> House:
    """Another server on the same store."""
    app = create_app(
        house.store, house.blobs, secret=SECRET, clock=house.clock, address=HOST,
        upload_folder=folder, key_folder=folder,
    )  # fmt: skip
    made = replace(house, app=app, people={})
    lead = house.people["lead"]
    made.people["lead"] = replace(lead, client=made.browser().client)
    made.people["lead"].client.cookies.update(lead.client.cookies)
    return made


@pytest.mark.timeout(900)
def test_a_lead_trains_stops_and_a_restarted_server_goes_on(
    servers: list[Site], house: House, tmp_path: Path
) -> None:
    bring_in(house, 0, **{f"{at}.png": png(100 + at) for at in range(5)})
    assert ask(house, action="settings", question="fractures") == 303
    text = page_of(house)
    assert "How the images are seen" in text
    assert "quick + EfficientNet-Lite0" in text
    assert "Train an encoder on these images" in text
    for wrong in ({"kind": "other"}, {"kind": "simclr", "epochs": "0"}):
        assert ask(house, action="train", **wrong) == 422
    assert ask(house, action="train", kind="simclr", epochs="900", flip="on") == 303
    assert "Stop the training" in page_of(house)
    assert ask(house, action="train", kind="simclr", epochs="900") == 422  # one at a time
    assert ask(house, action="train-stop") == 303
    until(lambda: states(house) == [HALTED])
    until(lambda: "was stopped" in page_of(house))  # once its child has ended
    assert list_trained(house.store, house.project) == []
    # a server is killed in the middle: another one takes the training up by itself
    kill(servers[-1])
    lead = house.people["lead"].id
    settings = {"epochs": 1, "flip": False, "until": 9}
    set_training(house.store, house.project, "simclr", BEGUN, lead, settings=settings)
    other = restarted(house, tmp_path)
    page_of(other)
    until(lambda: list_trained(house.store, house.project))
    until(lambda: servers[-1].jobs.standing(house.project, TRAINING)[0] is None)
    (made,) = list_trained(house.store, house.project)
    assert (made.about["images"], made.about["epochs"], made.about["flip"]) == (9, 1, False)
    # there is no model of classes: it is not taken over, and the page says why
    until(lambda: "Not compared the last time" in page_of(other))
    assert "a model learns classes and grades" in page_of(other)
    assert "Trained here: SimCLR on these images (9 images, 1 epochs" in page_of(other)
    assert "quick + EfficientNet-Lite0" in page_of(other)
    kill(servers[-1])  # its map is still being drawn


def test_one_that_fails_is_told_and_the_others_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[str] = []

    def embed(*_given: Any, failed: list[str]) -> int:
        failed.append("the encoder Greedy failed: ONNX file must take 8 images")
        return 0

    monkeypatch.setattr(training, "embed", embed)
    monkeypatch.setattr(training, "choose_for_project", lambda _store, one: compared.append(one))
    with pytest.raises(MethodError, match="the encoder Greedy failed"):
        training._choose(None, None, "p", lambda _what, _more: None)  # type: ignore[arg-type]
    assert compared == ["p"]
