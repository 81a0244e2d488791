"""The PostgreSQL of the store's tests."""

from __future__ import annotations

from tests.store.conftest import cluster

__all__ = ["cluster"]
