"""The server of ``overread demo --serve``: projects that are ready, people who come by links."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from overread.app.demo.demo_study import LEAD, READER, Study, prepare_study
from overread.app.study.home import Home, open_home
from overread.app.study.sign_in import login_link, open_login_link
from overread.cli.home_options import ACTOR
from overread.store import utc_now
from overread.web import create_app
from overread.web.access.tokens import new_token, token_hash
from overread.web.server import in_background, listen

Progress = Callable[[int, int], None]
_HOST = "127.0.0.1"
_LINK_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class DemoServer:
    """The server that answers, and the links to it; a link's token is kept here alone."""

    home: Home
    address: str
    study: Study
    tokens: dict[str, str] = field(repr=False)

    def tell(self, terminal: Console) -> None:
        """Print where it is, and the links that still work."""
        first = self.study.projects[0]
        terminal.print(f"\nOverread is at [bold]{self.address}[/]\n")
        about = (
            f'opens the first of {first.cases} cases of "{first.name}": keys answer, Enter sends, '
            "? shows all keys"
        )
        self._link(terminal, "Read", READER, about)
        about = "opens that project as its lead (in a private window, to be both at once)"
        self._link(terminal, "Lead", LEAD, about)
        terminal.print("Each link logs in once, within 12 hours. Ctrl-C stops.\n")

    def _link(self, terminal: Console, what: str, email: str, about: str) -> None:
        token = self.tokens[email]
        if login_link(self.home.store, token_hash(token)) is None:
            words = f"used; a new one: overread login-link {email} --home {self.home.folder}"
            words += f" --address {self.address}"
            terminal.print(f"  {what}  {words}", soft_wrap=True, markup=False)
            return
        link = f"{self.address}/login/link/{token}"
        terminal.print(f"  {what}  {link}", soft_wrap=True, markup=False)
        terminal.print(f"        {about}\n", style="dim", markup=False)


@contextmanager
def demo_server(
    folder: Path, *, port: int, reports: Path, terminal: Console, step: Callable[[str], Progress]
) -> Generator[DemoServer]:
    """Serve the demo's projects until the end of the block.

    Args:
        folder: the home.
        port: 0 takes any that is free.
        reports: folder that leads find under "Reports".
    Raises:
        InputError: the port is in use; told before anything is done.
    """
    with listen(_HOST, port) as listening:
        begin = time.monotonic()
        address = f"http://{_HOST}:{listening.getsockname()[1]}"
        home = open_home(folder)
        study = prepare_study(
            home, by=ACTOR, say=lambda line: terminal.print(line, markup=False), step=step
        )
        app = create_app(
            home.store,
            home.blobs,
            secret=home.secret,
            clock=utc_now,
            address=address,
            upload_folder=home.folder / "uploads",
            reports=reports,
            key_folder=home.folder,
        )
        with in_background(app, listening):
            _told(study, terminal, time.monotonic() - begin)
            yield DemoServer(home, address, study, _links(home, study))


def _links(home: Home, study: Study) -> dict[str, str]:
    made = {email: new_token() for email in (READER, LEAD)}
    for email, token in made.items():
        open_login_link(
            home.store,
            email,
            token_hash(token),
            lasts=_LINK_LASTS,
            by=ACTOR,
            project=study.projects[0].id,
        )
    return made


def _told(study: Study, terminal: Console, seconds: float) -> None:
    projects = ", ".join(f"{one.name} ({one.cases} cases)" for one in study.projects)
    terminal.print(f"Projects: {projects}. Ready in {seconds:.0f} s.", markup=False)
    for reason in study.set_aside:
        terminal.print(f"  set aside: {reason}", markup=False)
    words = "simulated-1 and simulated-2, whose reads are there already, are programs, no people."
    terminal.print(f"  {words}", markup=False)
    if study.synthetic:
        terminal.print("[yellow]SYNTHETIC stand-in for: pydicom-data[/]")
