"""Gold masks beside the reads: what a consensus was written to is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overread.consensus import majority_masks
from overread.errors import InputError
from overread.exchange import write_masks
from overread.exchange.gold_masks import read_gold_masks
from overread.labels import Kind, LabelClass, LabelSchema, MaskReads, mask_reads, read_index

_CASES = ["case 2", "a/b", "a b", "..", "knee.png"]


@pytest.fixture
def reads() -> MaskReads:
    rng = np.random.default_rng(0)
    index = read_index(np.repeat(_CASES, 3).tolist(), ["R1", "R2", "R3"] * len(_CASES))
    masks = [(rng.random((6, 7)) < 0.4).astype(np.uint8) for _ in range(index.n_reads)]
    schema = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("vessel")))
    return mask_reads(index, masks, schema)


def test_a_written_consensus_is_gold_again_whatever_cases_are_called(
    reads: MaskReads, tmp_path: Path
) -> None:
    reached = majority_masks(reads)
    write_masks(reached, tmp_path)
    gold = read_gold_masks(tmp_path, reads)
    for written, back in zip(reached.value.mask, gold, strict=True):
        assert back is not None
        assert np.array_equal(back, written)


def test_another_table_of_that_name_changes_nothing(reads: MaskReads, tmp_path: Path) -> None:
    np.save(tmp_path / "case 2.npy", reads.mask(0))
    for text in ("picture;words\n1;2\n", "case,file\n", ""):
        (tmp_path / "masks.csv").write_text(text)
        first, *others = read_gold_masks(tmp_path, reads)
        assert np.array_equal(first, reads.mask(0))
        assert others == [None] * 4


def test_files_of_other_cases_alone_are_refused(reads: MaskReads, tmp_path: Path) -> None:
    np.save(tmp_path / "unknown.npy", np.zeros((6, 7), dtype=np.uint8))
    with pytest.raises(InputError):
        read_gold_masks(tmp_path, reads)
