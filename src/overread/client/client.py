"""One object for all that a program does with a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from overread.client import shapes
from overread.client.connection import Connection
from overread.client.images import Patients, Progress, chosen_images, send_images
from overread.client.labels import Form, What, as_answer, fetch, one_question, table
from overread.errors import InputError
from overread.labels import Reads


def connect(address: str, **settings: Any) -> Client:
    """A client of the server at this address; use it in a ``with`` block.

    Args:
        address: "https://reads.example".
        settings: of :class:`overread.client.connection.Connection` (``tries``, ``patience``).
    Raises:
        InputError: an address without http:// or https://.
        MissingExtraError: httpx is not installed.
    """
    return Client(Connection(address, **settings))


class Client:
    """A server, and one session there. Every failure is an error of :mod:`overread.errors`.

    Requests that were cut off are sent again where that is safe: all that changes something and is
    sent twice carries an id made here, so that it is done once.
    """

    def __init__(self, connection: Connection) -> None:
        self._at = connection

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connections."""
        self._at.close()

    # who

    def sign_in(self, email: str, password: str) -> shapes.Person:
        """Begin a session with e-mail and password.

        Raises:
            NotSignedInError: they open no account.
        """
        told = self._at.send(
            "POST", "/api/login", {"email": email, "password": password}, again=True
        )
        return self._signed(told)

    def join(self, link: str, name: str, password: str, *, email: str = "") -> shapes.Person:
        """Make the account of a one-time link (set-up or invitation), and begin a session.

        Args:
            link: as it was sent, or its last part alone.
            email: of the set-up link; an invitation has its own.
        Raises:
            NotFoundError: the link was used, or its time is over.
        """
        token = urlsplit(link).path.rstrip("/").rsplit("/", 1)[-1]
        body = {"name": name, "password": password, "email": email}
        return self._signed(self._at.send("POST", f"/api/links/{_id(token)}", body, again=False))

    def sign_out(self) -> None:
        """End the session."""
        self._at.send("POST", "/api/logout", again=True)

    def me(self) -> shapes.Person:
        """Who is signed in."""
        return self._signed(self._at.get("/api/me"))

    def _signed(self, told: Mapping[str, Any]) -> shapes.Person:
        self._at.signed_in(told)
        return shapes.shaped(shapes.Person, told)

    # projects and people

    def projects(self) -> list[shapes.Project]:
        """The projects that one reads; leads see all."""
        return [shapes.shaped(shapes.Project, one) for one in self._at.get("/api/projects")]

    def create_project(self, name: str, protocol: Path | str) -> str:
        """Make a project of a protocol file, and return its id.

        Args:
            protocol: path of the file, or its text.
        Raises:
            InputError: faults of the protocol, each with its line; nothing was made.
        """
        text = protocol.read_text("utf-8") if isinstance(protocol, Path) else protocol
        body = {"name": name, "protocol": text}
        return str(self._at.send("POST", "/api/projects", body, again=False)["id"])

    def protocol(self, project: str) -> shapes.Protocol:
        """What is asked of a case."""
        return shapes.protocol_of(self._at.get(f"/api/projects/{_id(project)}/protocol"))

    def invite(self, email: str, *, role: str = "reader") -> shapes.Invitation:
        """Invite somebody; hand the link on, it is told once."""
        body = {"email": email, "role": role}
        told = self._at.send("POST", "/api/invitations", body, again=False)
        return shapes.shaped(shapes.Invitation, told)

    def members(self, project: str) -> list[shapes.Member]:
        """Who reads in a project, and who could."""
        told = self._at.get(f"/api/projects/{_id(project)}/members")["members"]
        return [shapes.shaped(shapes.Member, one) for one in told]

    def set_readers(self, project: str, readers: Sequence[str]) -> list[shapes.Member]:
        """Say who reads from now on (ids of :meth:`members`); their reads are planned."""
        path, body = f"/api/projects/{_id(project)}/members", {"readers": list(readers)}
        told = self._at.send("PUT", path, body, again=True)["members"]
        return [shapes.shaped(shapes.Member, one) for one in told]

    # images

    def patients_of(
        self, paths: Iterable[Path | str], *, patients: Patients | None = None, pattern: str = ""
    ) -> Mapping[str, int]:
        """How many patients a table and a pattern make of images; nothing is sent.

        Args:
            paths, patients, pattern: as of :meth:`upload_images`.
        """
        stated = chosen_images(paths, patients=patients, pattern=pattern)[1]
        return {} if stated is None else stated.counts

    def upload_images(
        self,
        project: str,
        paths: Iterable[Path | str],
        *,
        patients: Patients | None = None,
        pattern: str = "",
        progress: Progress | None = None,
    ) -> shapes.Imported:
        """Send files and folders of images, and wait until they are imported.

        May be called again after any failure: what has arrived is not sent again, what is imported
        is imported once.

        Args:
            patients: table with the columns file and patient (or video, or group), for images that
                do not say whose they are; by default patients.csv (groups.csv, videos.csv) among
                the files. Given with images that are there already it says anew of whom they are.
            pattern: regular expression with one group, the patient in a file's name (in its path,
                where it has a slash), for files that the table does not name.
            progress: called with bytes done and in all.
        Raises:
            InputError: rows and files that do not fit, a pattern that is none; nothing was sent.
        """
        return send_images(
            self._at, _id(project), paths, patients=patients, pattern=pattern, progress=progress
        )

    def cases(self, project: str, *, find: str = "") -> Iterator[shapes.CaseLine]:
        """All cases of a project, page by page."""
        after: int | None = 0
        while after is not None:
            path = f"/api/projects/{_id(project)}/cases"
            told = self._at.get(path, after=after, limit=200, q=find)
            yield from (shapes.shaped(shapes.CaseLine, one) for one in told["cases"])
            after = told["next"]

    def reads_of_case(self, case: str) -> list[shapes.CaseRead]:
        """Every reader's latest read of a case."""
        told = self._at.get(f"/api/cases/{_id(case)}/reads")["reads"]
        return [shapes.shaped(shapes.CaseRead, one) for one in told]

    # reading

    def progress(self, project: str) -> shapes.OwnProgress:
        """How far one is oneself."""
        told = self._at.get(f"/api/projects/{_id(project)}/progress")
        return shapes.shaped(shapes.OwnProgress, told)

    def claim(self, project: str, count: int = 1) -> list[shapes.Task]:
        """One's next tasks (5 at most), those in hand first; none where all is read."""
        path = f"/api/projects/{_id(project)}/claim"
        told = self._at.send("POST", path, {"count": count}, again=True)
        return [shapes.task_of(one) for one in told["tasks"]]

    def tasks(self, project: str) -> Iterator[shapes.Task]:
        """One task after the other until all is read; each is to be submitted or skipped.

        Raises:
            InputError: the task before was neither submitted nor skipped.
        """
        before = ""
        while found := self.claim(project):
            if found[0].id == before:
                rule = "be submitted or skipped before the next"
                raise InputError("task", rule, "one that was left open")
            before = found[0].id
            yield found[0]

    def pixels(self, case: shapes.Case, frame: int = 0) -> NDArray[Any]:
        """(rows, columns[, 3]) samples of a frame as stored; values are these x slope + intercept.

        Raises:
            InputError: no such frame.
        """
        if not 0 <= frame < case.frames:
            raise InputError("frame", f"be in 0 .. {case.frames - 1}", frame)
        raw = self._at.bytes_of(f"/api/cases/{_id(case.id)}/frames/{frame}")
        shape = (case.rows, case.columns, *((case.samples,) if case.samples > 1 else ()))
        return np.frombuffer(raw, np.dtype(case.dtype).newbyteorder("<")).reshape(shape)

    def submit(
        self,
        task: shapes.Task,
        answer: Mapping[str, Any],
        *,
        seconds: float = 0.0,
        comment: str = "",
        cannot_be_read: bool = False,
        ask_a_senior: bool = False,
        read_id: str | None = None,
    ) -> shapes.Receipt:
        """Submit a read, or a correction of one's own.

        Args:
            answer: question id -> value, in the form of its kind (see the guide).
            read_id: a UUID; the same again is the same read. Made here by default.
        Raises:
            InputError: the answer does not fit the protocol; question, rule and value are named.
            ConflictError: one's read was corrected from somewhere else meanwhile.
        """
        body = {
            "read_id": read_id or str(uuid4()),
            "answer": as_answer(answer),
            "flags": {"cannot_be_read": cannot_be_read, "ask_a_senior": ask_a_senior},
            "comment": comment,
            "seconds": seconds,
            "base_revision": task.revision,
            "protocol_version": task.protocol_version,
        }
        told = self._at.send("POST", f"/api/tasks/{_id(task.id)}/submit", body, again=True)
        return shapes.shaped(shapes.Receipt, told)

    def skip(self, task: shapes.Task, reason: str = "") -> None:
        """Skip a case, with a reason."""
        self._at.send("POST", f"/api/tasks/{_id(task.id)}/skip", {"reason": reason}, again=False)

    def keep(self, task: shapes.Task) -> None:
        """Keep the lease of a task that takes long."""
        self._at.send("POST", f"/api/tasks/{_id(task.id)}/heartbeat", again=True)

    # labels

    def export(
        self,
        project: str,
        folder: Path | str = ".",
        *,
        what: What = "reads",
        form: Form = "csv",
        questions: Sequence[str] = (),
        progress: Callable[[Mapping[str, int]], None] | None = None,
    ) -> Path:
        """Bring an export into a folder; several questions come as a .zip.

        Args:
            what: "reads", "consensus" or "history" (every revision, flag and comment).
            form: "csv", "parquet", "coco" (boxes, outlines, masks) or "masks" (pictures).
            questions: ids; all that the form can hold by default.
            progress: called with the server's counts while it works.
        """
        return fetch(
            self._at,
            _id(project),
            folder,
            what=what,
            form=form,
            questions=questions,
            progress=progress,
        )

    def reads(self, project: str, question: str | None = None) -> Reads:
        """The reads of a question as a read table, for :mod:`overread.consensus` and the like.

        Args:
            question: its id; may be left out where the project has one.
        """
        return table(self._at, _id(project), self._question(project, question), what="reads")

    def consensus(self, project: str, question: str | None = None) -> Reads:
        """The consensus of a question by the server's model, as reads of "overread consensus"."""
        return table(self._at, _id(project), self._question(project, question), what="consensus")

    def _question(self, project: str, wanted: str | None) -> str:
        return one_question([one.id for one in self.protocol(project).questions], wanted)


def _id(text: str) -> str:
    return quote(str(text), safe="")
