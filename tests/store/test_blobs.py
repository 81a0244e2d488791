"""Blobs: by their hash, whole or not at all, checked on reading."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InputError, MissingExtraError
from overread.store import Blobs, BrokenLogError, NotFoundError, StoreError, open_blobs


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return open_blobs(tmp_path / "b" if request.param == "folder" else f"memory://{uuid4().hex}")


def test_bytes_come_back_and_are_kept_once(blobs: Blobs) -> None:
    for content in (b"", b"abc", bytes(range(256)) * 5000):
        key = blobs.put(content)
        assert key == hashlib.sha256(content).hexdigest() == blobs.put(content)
        assert blobs.get(key) == content
        assert blobs.has(key)
    missing = hashlib.sha256(b"other").hexdigest()
    assert not blobs.has(missing)
    with pytest.raises(NotFoundError):
        blobs.get(missing)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63])
def test_a_key_is_a_hash_and_no_path(blobs: Blobs, key: str) -> None:
    for act in (blobs.get, blobs.has):
        with pytest.raises(InputError):
            act(key)


def test_a_changed_blob_is_found_and_healed(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path)
    key = blobs.put(b"pixels")
    (tmp_path / key[:2] / key[2:]).write_bytes(b"pixelz")
    with pytest.raises(BrokenLogError):
        blobs.get(key)
    assert blobs.put(b"pixels") == key
    assert blobs.get(key) == b"pixels"


def test_many_put_the_same(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda k: blobs.put(b"x" * (1000 + k % 3)), range(60)))
    assert len(keys) == 3
    assert list((tmp_path / "new").iterdir()) == []


@given(st.binary(max_size=200))
def test_any_bytes_come_back(content: bytes) -> None:
    blobs = open_blobs("memory://any")
    assert blobs.get(blobs.put(content)) == content


def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path / "b")
    (tmp_path / "b" / "new").rmdir()
    (tmp_path / "b").rmdir()
    with pytest.raises(StoreError, match="gone"):
        blobs.put(b"x")


def test_unknown_places_are_refused() -> None:
    with pytest.raises(InputError, match="blobs must"):
        open_blobs("nonsense://bucket")


def test_a_place_whose_package_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtraError, match="s3"):
        open_blobs("s3://bucket/prefix")
