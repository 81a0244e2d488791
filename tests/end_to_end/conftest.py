"""One real server for each database, with a project for each test; people come by their links."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import overread, process
from tests.end_to_end import pictures
from tests.live.people import Person, invitation, join, set_up_link
from tests.live.server import Server, running_server
from tests.store.cluster import Cluster

LOOK = {"viewport": {"width": 1440, "height": 900}}


@dataclass
class Town:
    """A server and who came; every test brings a project of its own."""

    server: Server
    folder: Path
    people: dict[str, Person] = field(default_factory=dict)
    count: int = 0

    @property
    def lead(self) -> Person:
        """Who looks after the projects that the commands made: an admin, as nobody leads them."""
        return self.people["Ada"]

    def project(
        self,
        protocol: str,
        *draw: Callable[..., None],
        readers: tuple[str, ...] = ("Rhea",),
        name: str = "",
    ) -> str:
        """Make a project by the commands from a template or a text; readers by the lead's page."""
        self.count += 1
        name, images = name or f"Study {self.count}", self.folder / f"images-{self.count}"
        images.mkdir()
        for at, one in enumerate(draw):
            here = images / str(at)
            here.mkdir()
            one(here if one is pictures.series else here / "a.png", seed=100 * self.count + at)
        template = ["--template", protocol]
        if "\n" in protocol:
            file = self.folder / f"{self.count}.yaml"
            file.write_text(protocol, encoding="utf-8")
            template = ["--protocol", str(file)]
        made = _command(self.server.home, self.server.database, "init", name, *template)
        done = _command(self.server.home, self.server.database, "import", name, images)
        project: str = made["project"]
        assert len(self.cases(project)) == len(draw), done
        ids = [("reader", self.people[one].get("/api/me")["id"]) for one in readers]
        self.lead.form(f"/projects/{project}/members", ids)
        return project

    def cases(self, project: str) -> list[Any]:
        return self.lead.get(f"/api/projects/{project}/cases?limit=100")["cases"]

    def reads(self, project: str) -> list[Any]:
        """Every stored read of a project, as the lead gets them."""
        lead = self.lead
        found = [lead.get(f"/api/cases/{one['id']}/reads")["reads"] for one in self.cases(project)]
        return [one | {"case": c["id"]} for c, all_ in zip(self.cases(project), found, strict=True)
                for one in all_]  # fmt: skip

    def task(self, project: str, who: str = "Rhea") -> Any:
        """The case that a reader has in hand, with its draft."""
        reply = self.people[who].send("POST", f"/api/projects/{project}/claim", {"count": 1})
        return reply.json()["tasks"][0]


def _command(home: Path, database: str, *words: object) -> Any:
    """A command's JSON; on PostgreSQL a process of its own, whose connections end with it."""
    where = ["--home", home, "--json", *(["--database", database] if database else [])]
    ended = (process if database else overread)(*words, *where)
    assert ended.code == 0, ended.err
    return ended.document


@contextmanager
def _town(folder: Path, browser: Any, database: str = "") -> Generator[Town]:
    home = folder / "home"
    with running_server(home, database=database) as server:
        town = Town(server, folder)
        admin = join(browser, set_up_link(server), "Ada Admin", "ada@example.org", **LOOK)
        town.people["Ada"] = admin
        for name, role in (("Lea", "lead"), ("Rhea", "reader"), ("Otto", "reader")):
            email = f"{name.lower()}@example.org"
            link = invitation(admin, email, role)
            town.people[name] = join(browser, link, f"{name} {role.title()}", email, **LOOK)
        yield town
        for one in town.people.values():
            one.context.close()


@pytest.fixture(scope="session")
def sqlite_town(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Town]:
    """On SQLite."""
    with _town(tmp_path_factory.mktemp("town"), browser) as town:
        yield town


@pytest.fixture(scope="session")
def postgres_town(
    tmp_path_factory: pytest.TempPathFactory,
    browser: Any,
    cluster: Cluster,
) -> Iterator[Town]:
    """On PostgreSQL."""
    with _town(tmp_path_factory.mktemp("town"), browser, cluster.new()) as town:
        yield town


@pytest.fixture
def town(sqlite_town: Town) -> Iterator[Town]:
    """The usual one; script errors and blocked content on any page fail the test."""
    yield from _watched(sqlite_town)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_town(request: pytest.FixtureRequest) -> Iterator[Town]:
    """Each database in turn, or the one that a test names: a story is told once."""
    yield from _watched(request.getfixturevalue(f"{request.param}_town"))


def _watched(town: Town) -> Iterator[Town]:
    wrong: list[str] = []

    def watch(page: Any) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console", lambda one: wrong.append(one.text) if "Content Sec" in one.text else None
        )

    for one in town.people.values():
        one.context.on("page", watch)
    yield town
    for one in town.people.values():
        one.context.remove_listener("page", watch)
        one.context.set_offline(False)
        for page in one.context.pages:
            page.close()
    assert wrong == []
