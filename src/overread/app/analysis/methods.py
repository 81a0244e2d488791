"""The one table of consensus methods: what each is for, what it assumes, where it comes from.

The command line, the documentation's table, the comparison and the contract tests all read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from types import MappingProxyType
from typing import Any

from overread import consensus
from overread.consensus.result import Consensus
from overread.errors import InputError
from overread.labels import Kind

_CLASS = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)


@dataclass(frozen=True, slots=True)
class Method:
    """One consensus method.

    Args:
        name: as options write it.
        kinds: label kinds it takes; a multi-label table is taken class by class.
        reach: the method itself: a read table in, a :class:`Consensus` out.
        assumes: what it believes about readers, in one sentence.
        use_when: when to use it, and when not.
        source: paper.
        page: page of the documentation, under docs/methods/.
    """

    name: str
    kinds: tuple[Kind, ...]
    reach: Callable[..., Consensus[Any]]
    assumes: str
    use_when: str
    source: str
    page: str

    @property
    def takes(self) -> frozenset[str]:
        """Names of the settings of ``reach``."""
        parameters = signature(self.reach).parameters.values()
        return frozenset(one.name for one in parameters if one.kind is one.KEYWORD_ONLY)


_ALL = (
    Method(
        "majority",
        _CLASS,
        consensus.majority,
        "Every reader is equally good and the classes are equally easy.",
        "Many good readers, or as the yardstick. Not with unequal readers or rare classes.",
        "Condorcet 1785",
        "majority.md",
    ),
    Method(
        "dawid_skene",
        _CLASS,
        consensus.dawid_skene,
        "Each reader has their own confusion matrix; given the truth, readers err independently.",
        "The default: unequal readers, about 30 reads a reader or more.",
        "Dawid & Skene 1979, Appl. Stat. 28(1):20-28",
        "dawid-skene.md",
    ),
    Method(
        "one_coin",
        _CLASS,
        consensus.one_coin,
        "Each reader has one accuracy, the same for every class; errors are spread evenly.",
        "Few reads a reader, or many classes with little of each.",
        "Raykar et al. 2010, JMLR 11:1297-1322 (two-coin); Whitehill et al. 2009 (one parameter)",
        "one-coin.md",
    ),
    Method(
        "hierarchical",
        _CLASS,
        consensus.hierarchical,
        "Readers' confusion matrices scatter around one of the group; how widely is learned.",
        "Many readers with few reads each.",
        "Kim & Ghahramani 2012, AISTATS; Paun et al. 2018, TACL 6:571-585",
        "hierarchical.md",
    ),
    Method(
        "ebcc",
        (Kind.NOMINAL, Kind.MULTILABEL),
        consensus.ebcc,
        "Cases of a class come in subtypes; readers err together on the hard ones.",
        "Readers' errors are correlated and there are many reads a case.",
        "Li, Rubinstein & Cohn 2019, ICML (PMLR 97:3886-3895)",
        "ebcc.md",
    ),
    Method(
        "ordinal",
        (Kind.ORDINAL,),
        consensus.ordinal,
        "A reader sees the true grade with a bias and an imprecision, and cuts it into grades.",
        "Ordered grades (osteoarthritis 0-4, BI-RADS), above all with few reads a reader.",
        "Uebersax & Grove 1993, Biometrics 49:823-835 (latent trait, thresholds)",
        "ordinal.md",
    ),
    Method(
        "score",
        (Kind.SCORE,),
        consensus.scores,
        "A score is the truth plus the reader's bias plus noise of the reader's precision.",
        "Densities, volumes, angles: any number.",
        "Raykar et al. 2010, JMLR 11:1297-1322, section 3; Grubbs 1948, JASA 43:243-264",
        "scores.md",
    ),
    Method(
        "boxes",
        (Kind.BOX,),
        consensus.fuse_boxes,
        "True findings and false alarms scatter at random; a reader finds, names and draws a true "
        "one with a sensitivity, a confusion and a precision of their own.",
        "The default for boxes: unequal readers, several findings an image.",
        "Dawid & Skene 1979 (existence, class); Raykar et al. 2010 (geometry)",
        "box-consensus.md",
    ),
    Method(
        "median_boxes",
        (Kind.BOX,),
        consensus.median_boxes,
        "A finding is there when more than half of the readers boxed it; all draw equally well.",
        "As the yardstick.",
        "Median of matched boxes",
        "box-consensus.md",
    ),
    Method(
        "instances",
        (Kind.INSTANCE,),
        consensus.fuse_instances,
        "As boxes, with outlines fused by the signed distance, weighted by reader precision.",
        "Outlined findings told apart: nodules, cells, glands.",
        "Dawid & Skene 1979; Rohlfing & Maurer 2007, IEEE TIP 16(1):153-161 (shape-based average)",
        "instance-consensus.md",
    ),
    Method(
        "signed_distance",
        (Kind.MASK,),
        consensus.signed_distance,
        "Outlines scatter around the true one; the image around them does not matter.",
        "The default for masks, 2-D and volumes: not changed by how much background is shown.",
        "Rohlfing & Maurer 2007, IEEE TIP 16(1):153-161",
        "mask-consensus.md",
    ),
    Method(
        "staple",
        (Kind.MASK,),
        consensus.staple,
        "Each reader has a sensitivity and a specificity that hold for every pixel.",
        "When a paper or a protocol asks for STAPLE; it depends on the background shown.",
        "Warfield, Zou & Wells 2004, IEEE TMI 23(7):903-921",
        "staple.md",
    ),
    Method(
        "majority_masks",
        (Kind.MASK,),
        consensus.majority_masks,
        "Every reader is equally good at every pixel.",
        "As the yardstick, or for many good readers.",
        "Pixel-wise vote",
        "mask-consensus.md",
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
"""Every consensus method by name."""


def methods_for(kind: Kind) -> tuple[Method, ...]:
    """The methods that take this label kind; in the order of the table."""
    return tuple(method for method in _ALL if kind in method.kinds)


_DEFAULT = {
    Kind.NOMINAL: "dawid_skene",
    Kind.MULTILABEL: "dawid_skene",
    Kind.ORDINAL: "ordinal",
    Kind.SCORE: "score",
    Kind.BOX: "boxes",
    Kind.INSTANCE: "instances",
    Kind.MASK: "signed_distance",
}


def method_called(name: str | None, kind: Kind) -> Method:
    """The method of this name, or the default one of the kind.

    Raises:
        InputError: no such method, or one that does not take this label kind.
    """
    method = METHODS.get(name or _DEFAULT[kind])
    fitting = ", ".join(one.name for one in methods_for(kind))
    if method is None or kind not in method.kinds:
        raise InputError("method", f"be one of {fitting} for {kind} reads", f"{name!r}")
    return method
