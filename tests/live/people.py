"""People at a real server in a real browser: accounts by the links that the server shows."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.live.server import Server
from tests.live.study import PASSWORD

_PHASE_SECONDS = 30
_FIRST_CONSENSUS_SECONDS = 180  # on a fresh machine its kernels are compiled first


@dataclass
class Person:
    """Somebody with a session of one's own, as a browser keeps it."""

    name: str
    email: str
    context: Any
    address: str
    _csrf: str = field(default="")

    def forget(self) -> None:
        """After a new log-in: the token of the session before is no longer good."""
        self._csrf = ""

    def page(self, path: str) -> Any:
        """Open a page of the server in a new tab."""
        page = self.context.new_page()
        page.goto(f"{self.address}{path}")
        return page

    def read(self, project: str) -> Any:
        """Open the reading page and wait until a case is there."""
        page = self.page(f"/read/{project}")
        page.locator(".card, .end .submit").locator("visible=true").first.wait_for()
        return page

    def get(self, path: str) -> Any:
        """Ask the API."""
        reply = self.context.request.get(f"{self.address}{path}")
        if not reply.ok:
            raise RuntimeError(f"{path}: {reply.status} {reply.text()[:300]}")
        return reply.json()

    def send(self, method: str, path: str, value: Any = None) -> Any:
        """Send to the API; the reply, whatever its status."""
        self._csrf = self._csrf or self.get("/api/me")["csrf"]
        return self.context.request.fetch(
            f"{self.address}{path}",
            method=method,
            data={} if value is None else value,
            headers={"X-CSRF-Token": self._csrf},
        )

    def form(self, path: str, fields: list[tuple[str, str]]) -> Any:
        """Send a form, as its page does."""
        self._csrf = self._csrf or self.get("/api/me")["csrf"]
        reply = self.context.request.post(
            f"{self.address}{path}",
            data=urlencode([("csrf", self._csrf), *fields]),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        if not reply.ok:
            raise RuntimeError(f"{path}: {reply.status} {reply.text()[:300]}")
        return reply


def exported(lead: Person, project: str, what: str, form: str) -> Path:
    """Ask for an export on its page, wait for it, and download it."""
    page = lead.page(f"/projects/{project}/export")
    asked = page.locator(f'form:has(input[name="what"][value="{what}"])')
    asked.locator(f'button[value="{form}"]').click()
    rows = page.locator("tr[data-done]").filter(has_text=what).filter(has_text=form)
    wait = _FIRST_CONSENSUS_SECONDS * 1000
    with page.expect_download(timeout=wait) as download:
        rows.locator("a[download]").first.click(timeout=wait)
    path = Path(download.value.path())
    page.close()
    return path


def set_up_link(server: Server) -> str:
    """The one-time link that the server printed; waits until it stands in the log."""
    end = time.monotonic() + _PHASE_SECONDS
    while time.monotonic() < end:
        found = re.search(r"http://\S+/set-up/\S+", server.log.read_text())
        if found:
            return found[0]
        time.sleep(0.02)
    raise RuntimeError(f"no set-up link: {server.log.read_text()[-500:]}")


def join(browser: Any, link: str, name: str, email: str, **settings: Any) -> Person:
    """Open a link, fill in its form and be in; ``settings`` are those of the browser's context."""
    context = browser.new_context(**settings)
    page = context.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    if page.get_by_label("E-mail").is_editable():
        page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.locator("form.who, header form").first.wait_for()
    page.close()
    return Person(name, email, context, link.split("/", 3)[0] + "//" + link.split("/", 3)[2])


def invitation(host: Person, email: str, role: str) -> str:
    """Invite somebody on the page of people; the link that it shows once."""
    page = host.page("/people")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Make an invitation").click()
    link: str = page.get_by_label("Invitation link").input_value()
    page.close()
    return link
