"""Answers looked at before they are sent: soon, or not at all. A reader never waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from overread.app.study.before_sending import Desk, Told, look_before_sending
from overread.errors import OverreadError
from overread.store import Blobs, Store
from overread.store.errors import NotFoundError

_LOG = logging.getLogger("overread.web")
_SECONDS = 0.5
_AT_ONCE = 2


class _LateError(Exception):
    """Nobody waits any more."""


@dataclass(slots=True, eq=False)
class Checks:
    """Looks at answers, two at a time.

    Args:
        seconds: after which a look ends without an answer.
    """

    seconds: float = _SECONDS
    _desk: Desk = field(default_factory=Desk)
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="overread-check")
    )

    def told(
        self,
        store: Store,
        blobs: Blobs,
        task: str,
        reader: str,
        *,
        answer: Mapping[str, Any],
        protocol_version: int | None = None,
    ) -> list[Told] | None:
        """Look at an answer; None where there was no time, or a rule failed.

        Raises:
            NotFoundError: not a task of theirs.
        """
        late = threading.Event()

        def pause() -> None:
            if late.is_set():
                raise _LateError

        def look() -> list[Told]:
            pause()
            return look_before_sending(
                store, blobs, self._desk, task, reader,
                answer=answer, protocol_version=protocol_version, pause=pause,
            )  # fmt: skip

        work = self._pool.submit(look)
        try:
            return work.result(self.seconds)
        except TimeoutError:
            late.set()
            work.cancel()
        except NotFoundError:
            raise
        except OverreadError as error:
            _LOG.error("%s in a look at an answer", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a rule of somebody's own must hold no reader
            # without its words: they may hold what somebody answered
            _LOG.error("%s in a look at an answer", type(error).__name__)
        return None
