"""A whole server in this process: real store, real blobs, real images, one person of each role."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from starlette.testclient import TestClient

from overread.app.study import invite
from overread.protocol import template
from overread.store import open_blobs, open_store
from overread.web import application, create_app
from overread.web.access.tokens import new_token, token_hash
from overread.web.site import Site

SECRET = b"a secret of the tests, 32 bytes long or more"
PASSWORD = "a long enough password"
HOST = "http://127.0.0.1"


@dataclass
class Clock:
    """Time that a test moves."""

    now: datetime = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Person:
    """A browser with somebody in it."""

    client: TestClient
    email: str
    csrf: str = ""
    id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.client.post(
            path, json={} if json is None else json, headers=self.headers, **more
        )

    def put(self, path: str, json: Any) -> Any:
        return self.client.put(path, json=json, headers=self.headers)

    def form(self, path: str, **fields: Any) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, **fields}, follow_redirects=False)

    def known(self) -> Person:
        """Take the token of the session that is open."""
        me = self.client.get("/api/me").json()
        self.csrf, self.id = me["csrf"], me["id"]
        self.headers = {"X-CSRF-Token": self.csrf}
        return self

    def log_in(self) -> Person:
        reply = self.client.post("/api/login", json={"email": self.email, "password": PASSWORD})
        assert reply.status_code == 200, reply.text
        return self.known()


@dataclass
class House:
    """The server, and who came."""

    app: Any
    store: Any
    blobs: Any
    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)
    project: str = ""

    def browser(self, email: str = "") -> Person:
        return Person(TestClient(self.app, base_url=HOST, raise_server_exceptions=False), email)

    def join(self, role: str, email: str, name: str) -> Person:
        """Invite somebody by the pages, and let them in."""
        reply = self.people["admin"].form("/people", email=email, role=role)
        assert reply.status_code == 200, reply.text
        path = re.search(r'value="http://[^/"]+(/invitation/[^"]+)"', reply.text)
        assert path
        person = self.browser(email)
        reply = person.form(path[1], name=name, email=email, password=PASSWORD)
        assert reply.status_code == 303, reply.text
        return person.known()

    def tasks(self, who: str, count: int = 1) -> list[Any]:
        reply = self.people[who].post(f"/api/projects/{self.project}/claim", {"count": count})
        assert reply.status_code == 200, reply.text
        return reply.json()["tasks"]

    def read(self, who: str, task: Any, answer: Any, **more: Any) -> Any:
        body = {"read_id": str(uuid4()), "answer": answer, "seconds": 5, **more}
        return self.people[who].post(f"/api/tasks/{task['id']}/submit", body)


def png(seed: int, size: tuple[int, int] = (40, 60)) -> bytes:
    """A small grey picture."""
    from PIL import Image

    made = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    Image.fromarray(noise).save(made, "PNG")
    return made.getvalue()


def open_house(folder: Path, *, protocol: str = "", cases: int = 4) -> House:
    """A server with an admin, a lead, two readers, one project and its cases."""
    clock = Clock()
    store = open_store(f"sqlite:///{folder / 'store.db'}", clock=clock, sync=False)
    blobs = open_blobs(str(folder / "blobs"))
    token = new_token()
    assert invite.open_set_up(store, token_hash(token))
    folders = {"upload_folder": folder, "key_folder": folder}
    app = create_app(store, blobs, secret=SECRET, clock=clock, address=HOST, **folders)
    house = House(app, store, blobs, clock)
    admin = house.browser("admin@example.org")
    reply = admin.form(f"/set-up/{token}", name="Ada Admin", email=admin.email, password=PASSWORD)
    assert reply.status_code == 303, reply.text
    house.people["admin"] = admin.known()
    house.people["lead"] = house.join("lead", "lead@example.org", "Lea Lead")
    house.people["reader"] = house.join("reader", "rhea@example.org", "Rhea Reader")
    house.people["other"] = house.join("reader", "otto@example.org", "Otto Other")
    house.people["nobody"] = house.browser()
    text = protocol or template("fracture-boxes")
    reply = house.people["lead"].form("/projects/new", name="Fractures", text=text)
    assert reply.status_code == 303, reply.text
    house.project = reply.headers["location"].rsplit("/", 1)[-1]
    if cases:
        bring_in(house, cases)
    ids = [house.people[one].id for one in ("reader", "other")]
    reply = house.people["lead"].form(f"/projects/{house.project}/members", reader=ids)
    assert reply.status_code == 303, reply.text
    return house


def bring_in(house: House, count: int, **more: bytes) -> None:
    """Import pictures by the page, and wait."""
    import time

    lead = house.people["lead"]
    files = [("files", (f"{at}.png", png(at), "image/png")) for at in range(count)]
    files += [("files", (name, content, "image/png")) for name, content in more.items()]
    path = f"/projects/{house.project}/import"
    reply = lead.client.post(path, data={"csrf": lead.csrf}, files=files, follow_redirects=False)
    assert reply.status_code == 303, reply.text
    for _ in range(600):
        (job,) = lead.get(f"/api/projects/{house.project}/imports").json()["imports"][:1]
        if job["done"]:
            assert job["error"] is None
            return
        time.sleep(0.05)
    pytest.fail("the import does not end")


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    """A server that nobody uses, to be copied: four passwords are hashed once."""
    folder = tmp_path_factory.mktemp("furnished")
    made = open_house(folder)
    yield folder, made
    made.store.close()


@pytest.fixture(scope="session")
def shared_house(
    furnished: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """One server for tests that only look."""
    made = copied(*furnished, tmp_path_factory.mktemp("shared"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def stormed_house(
    furnished: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """One server for tests that send anything to every route, and expect no state of it."""
    made = copied(*furnished, tmp_path_factory.mktemp("stormed"))
    yield made
    made.store.close()


def copied(folder: Path, model: House, to: Path) -> House:
    """A copy of a server that nobody uses, with the sessions of its people."""
    shutil.copytree(folder, to, dirs_exist_ok=True)
    clock = Clock(model.clock.now)
    store = open_store(f"sqlite:///{to / 'store.db'}", clock=clock, sync=False)
    blobs = open_blobs(str(to / "blobs"))
    folders = {"upload_folder": to, "key_folder": to}
    app = create_app(store, blobs, secret=SECRET, clock=clock, address=HOST, **folders)
    made = House(app, store, blobs, clock, project=model.project)
    for name, one in model.people.items():
        made.people[name] = replace(one, client=made.browser().client)
        made.people[name].client.cookies.update(one.client.cookies)
    return made


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[Site]:
    """The servers that are made from now on, the newest last."""
    made: list[Site] = []
    attend = application.attend

    def attended(site: Site) -> None:
        made.append(site)
        attend(site)

    monkeypatch.setattr(application, "attend", attended)
    return made


@pytest.fixture
def house(furnished: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    """A server of its own, with the sessions of its people."""
    made = copied(*furnished, tmp_path)
    yield made
    made.store.close()
