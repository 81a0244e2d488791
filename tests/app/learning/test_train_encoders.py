"""Networks trained on a project's own images: they go on after a stop, and come out as parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from overread.app.learning.case_latents import (
    embed,
    latents_of,
    open_chain,
    parts_of,
    pictures_of,
)
from overread.app.learning.project_encoder import FINETUNED, PRETRAINED, QUICK, SIMCLR, trained_part
from overread.app.learning.train_encoders import Wish, train_encoder, wish_of
from overread.errors import InputError, MethodError
from overread.latents.network import small_resnet
from overread.learn.modules import TorchNetwork, weights_of
from overread.store import Store, plan_tasks, read_events, rebuild
from overread.store.learning.encoders import keep_choice, list_trained
from tests.app.learning.conftest import opened
from tests.app.learning.study import Study, new_study, protocol
from tests.app.learning.test_encoder_choice import bring_by_lot, give

NETWORK = small_resnet(side=16, widths=(8, 8, 8, 8))


class Ticks(dict[str, int]):
    """What was counted; it can stop a training as a kill does."""

    def __init__(self, stop_at: int = 0) -> None:
        super().__init__()
        self.stop_at, self.first = stop_at, 0

    def __call__(self, what: str, more: int) -> None:
        self[what] = self.get(what, 0) + more
        if what == "steps":
            self.first = self.first or self[what]
            if self.stop_at and self[what] >= self.stop_at:
                raise KeyboardInterrupt


def test_it_goes_on_after_a_kill_and_its_latents_serve_when_chosen(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr("overread.app.learning.train_encoders._TELL_SECONDS", 0.0)
    study = new_study(store, tmp_path, cases=10)
    wish = wish_of(store, study.project, SIMCLR, {"epochs": "6"})
    assert wish.until == 10
    study.bring([0, 1])  # they came later: the training that was begun goes on without them
    told = {"by": study.lead, "network": NETWORK, "every": 0.0}
    folder = tmp_path / "checkpoints"
    with pytest.raises(KeyboardInterrupt):
        train_encoder(store, study.blobs, study.project, folder, wish, tick=Ticks(3), **told)
    assert list_trained(store, study.project) == []
    ticks = Ticks()
    file = train_encoder(store, study.blobs, study.project, folder, wish, tick=ticks, **told)
    assert ticks.first in {3, 4}  # it was at its second or third step
    assert (ticks["images"], ticks["steps"], ticks["of"]) == (10, 6, 6)
    assert list(folder.iterdir()) == []
    (made,) = list_trained(store, study.project)
    assert (made.file, made.about["images"], made.about["epochs"]) == (file, 10, 6)
    part = trained_part(SIMCLR, file)
    assert parts_of(store, study.project) == (QUICK, PRETRAINED, part)
    assert embed(store, study.blobs, study.project, lambda _what, _more: None) == 12
    before = latents_of(store, study.project)
    keep_choice(store, study.project, [QUICK, part], before=[], scores=[], labels=0, reason="x")
    after = latents_of(store, study.project)
    assert before is not None
    assert after is not None
    assert [name for name, _ in before.widths] == [QUICK, PRETRAINED]
    assert [name for name, _ in after.widths] == [QUICK, part]
    # the chain that is open sees images as those that are kept were seen
    with open_chain(store, study.blobs, study.project) as chain:
        assert chain is not None
        assert chain.version == after.version
        pictures = pictures_of(store, study.blobs, after.cases[:3])
        found = chain.encode([b"cut", *pictures.values()])
    np.testing.assert_allclose([found[at] for at in (1, 2, 3)], after.values[:3], atol=1e-4)
    # a log alone tells which chain is used; what follows from images is made again
    (tmp_path / "again").mkdir()
    again = opened(tmp_path / "again")
    rebuild(read_events(store), again)
    assert latents_of(again, study.project) is None
    embed(again, study.blobs, study.project, lambda _what, _more: None)
    same = latents_of(again, study.project)
    assert same is not None
    assert same.version == after.version
    again.close()


def test_a_network_learns_further_from_the_labels_that_it_may_see(
    store: Store, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    study = new_study(store, tmp_path, protocol(settings="held_back: 0.1"), cases=0)
    bring_by_lot(study, shown=42, hidden=12, apart=3)
    plan_tasks(store, study.project, study.lead, reads_per_case=1)
    give(study, QUICK, signal=0.0)
    start = NETWORK, weights_of(TorchNetwork(NETWORK))
    wish = Wish(FINETUNED, steps=2)

    def trained() -> str:
        return train_encoder(
            store, study.blobs, study.project, tmp_path, wish, by=study.lead, tick=Ticks(),
            start=start,
        )  # fmt: skip

    study.read(count=20)
    with pytest.raises(MethodError, match="40 labels to learn from and 10 to compare by"):
        trained()
    study.read(count=37)
    file = trained()
    (made,) = list_trained(store, study.project)
    assert (made.kind, made.file) == (FINETUNED, file)
    assert (made.about["labels"], made.about["steps"]) == (42, 2)
    for one in Path(study.blobs.root).iterdir():  # as if the folder of images had been lost
        one.rename(tmp_path / f"lost-{one.name}")
    with pytest.raises(MethodError, match="the images of 40; those of 0 of 42 can be had"):
        trained()


def test_what_is_refused(study: Study) -> None:
    store, project = study.store, study.project
    for kind, given, words in (
        ("other", {}, "kind of training must be simclr or finetuned"),
        (SIMCLR, {"epochs": "0"}, "epochs must be a whole number of 1 to 1,000"),
        (SIMCLR, {"epochs": "many"}, "got many"),
    ):
        with pytest.raises(InputError, match=words):
            wish_of(store, project, kind, given)
    with pytest.raises(MethodError, match="8 of them; 2 of 2 can be had"):
        train_encoder(
            store, study.blobs, project, Path(), Wish(SIMCLR, until=2), by=study.lead, tick=Ticks()
        )
