"""What one file may cost before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from overread.errors import InputError

_MEGA = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the work on one case; beyond any of them it is quarantined, never half taken.

    Args:
        seconds: longest silence of the child; each decoded frame is a sign of life.
        total_seconds: longest work on one case.
        megabytes: memory that the child may take beyond what it needs to start.
        result_megabytes: largest decoded case.
        file_megabytes: largest file that is opened.
        frames: most frames of one case.
    """

    seconds: float = 30.0
    total_seconds: float = 600.0
    megabytes: int = 2048
    result_megabytes: int = 1024
    file_megabytes: int = 2048
    frames: int = 20_000

    def __post_init__(self) -> None:
        for name in ("seconds", "total_seconds", "megabytes", "result_megabytes"):
            if getattr(self, name) <= 0:
                raise InputError(name, "be above 0", getattr(self, name))

    @property
    def result_bytes(self) -> int:
        """Largest decoded case in bytes."""
        return self.result_megabytes * _MEGA

    @property
    def file_bytes(self) -> int:
        """Largest file in bytes."""
        return self.file_megabytes * _MEGA
